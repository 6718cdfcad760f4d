import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { openEndpoint, resource } from './endpoint.js';

async function getJson(url: string) {
  const response = await fetch(url);
  return { response, body: (await response.json()) as Record<string, unknown> };
}

test('the OpenID documents of both versions', async () => {
  const { url, tenantId, domain } = await openEndpoint();
  const shared = {
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    tenant_region_scope: 'WW',
    cloud_instance_name: new URL(url).host,
  };
  for (const tenant of [tenantId, tenantId.toUpperCase(), domain, domain.toUpperCase()]) {
    const v1 = await getJson(`${url}/${tenant}/.well-known/openid-configuration`);
    assert.equal(v1.response.status, 200);
    assert.deepEqual(v1.body, {
      ...shared,
      issuer: `https://sts.windows.net/${tenantId}/`,
      token_endpoint: `${url}/${tenantId}/oauth2/token`,
      authorization_endpoint: `${url}/${tenantId}/oauth2/authorize`,
      jwks_uri: `${url}/common/discovery/keys`,
      scopes_supported: ['openid'],
    });
    const v2 = await getJson(`${url}/${tenant}/v2.0/.well-known/openid-configuration`);
    assert.deepEqual(v2.body, {
      ...shared,
      issuer: `${url}/${tenantId}/v2.0`,
      token_endpoint: `${url}/${tenantId}/oauth2/v2.0/token`,
      authorization_endpoint: `${url}/${tenantId}/oauth2/v2.0/authorize`,
      jwks_uri: `${url}/${tenantId}/discovery/v2.0/keys`,
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    });
    for (const { headers } of [v1.response, v2.response]) {
      assert.equal(headers.get('cache-control'), 'max-age=86400, private');
      assert.equal(headers.get('access-control-allow-origin'), '*');
      assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
    }
  }
});

test('the issuer setting shows in document and token alike', async () => {
  const issuer = 'https://login.example.test/{tid}/';
  const { url, tenantId, token, ask } = await openEndpoint({ args: ['--token-issuer', issuer] });
  const { body } = await getJson(`${url}/${tenantId}/.well-known/openid-configuration`);
  assert.equal(body.issuer, `https://login.example.test/${tenantId}/`);
  assert.equal((await ask(`Bearer ${await token()}`)).status, 200);
});

test('every key set holds current and next key, and verifies a token', async () => {
  const { url, tenantId, token, domain } = await openEndpoint();
  const jwt = await token();
  for (const tenant of ['common', tenantId, domain]) {
    for (const path of ['discovery/keys', 'discovery/v2.0/keys']) {
      const { response, body } = await getJson(`${url}/${tenant}/${path}`);
      assert.equal(response.headers.get('cache-control'), 'max-age=86400, private');
      const keys = body.keys as Readonly<Record<string, string>>[];
      assert.equal(keys.length, 2);
      for (const key of keys) {
        assert.deepEqual(Object.keys(key), ['kty', 'use', 'kid', 'x5t', 'n', 'e']);
        assert.deepEqual([key.kty, key.use, key.e, key.x5t], ['RSA', 'sig', 'AQAB', key.kid]);
        assert.equal(Buffer.from(key.n ?? '', 'base64url').length, 256);
      }
      const verified = await jwtVerify(jwt, createLocalJWKSet({ keys: keys as { kty: string }[] }), {
        issuer: `https://sts.windows.net/${tenantId}/`,
        audience: resource,
        currentDate: new Date('2026-08-01T12:30:00Z'),
      });
      assert.equal(verified.payload.tid, tenantId);
    }
  }
});

test('no sign-in: the authorization endpoints answer 400', async () => {
  const { url, tenantId } = await openEndpoint();
  for (const path of ['oauth2/authorize?response_type=code', 'oauth2/v2.0/authorize']) {
    const { response, body } = await getJson(`${url}/${tenantId}/${path}`);
    assert.equal(response.status, 400);
    assert.equal(body.error, 'unsupported_response_type');
  }
});

test('unknown tenants and wrong methods in discovery have the errors of the token endpoint', async () => {
  const { url, tenantId } = await openEndpoint();
  for (const path of [
    '.well-known/openid-configuration',
    'v2.0/.well-known/openid-configuration',
    'discovery/keys',
    'discovery/v2.0/keys',
    'oauth2/authorize',
  ]) {
    const { response, body } = await getJson(`${url}/fabrikam.example/${path}`);
    assert.equal(response.status, 400);
    assert.deepEqual(body.error_codes, [90002]);
    assert.equal(response.headers.get('cache-control'), 'no-store, no-cache');
    const posted = await fetch(`${url}/${tenantId}/${path}`, { method: 'POST', body: 'x' });
    assert.equal(posted.status, 405);
    assert.equal(posted.headers.get('allow'), 'GET, OPTIONS');
    assert.deepEqual(((await posted.json()) as { error_codes: number[] }).error_codes, [900561]);
  }
});

test('instance discovery knows this server and the login names that may be resolved to it', async () => {
  const { url, tenantId } = await openEndpoint();
  const ask = (endpoint: string) =>
    getJson(
      `${url}/common/discovery/instance?api-version=1.1&authorization_endpoint=${encodeURIComponent(endpoint)}`,
    );
  for (const origin of [url, 'https://login.microsoftonline.com', 'https://login.windows.net']) {
    const { response, body } = await ask(`${origin}/${tenantId}/oauth2/v2.0/authorize`);
    const { host } = new URL(origin);
    assert.equal(response.status, 200);
    assert.deepEqual(body, {
      tenant_discovery_endpoint: `${url}/${tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    });
  }
  for (const endpoint of ['https://evil.example/x/oauth2/authorize', 'nonsense', '']) {
    const { response, body } = await ask(endpoint);
    assert.equal(response.status, 400);
    assert.equal(body.error, 'invalid_instance');
    assert.match(String(body.error_description), /^AADSTS50049: Unknown or invalid instance\. Trace ID: /);
  }
});

test('addresses come from the public URL, never from Host', async () => {
  const { url, tenantId } = await openEndpoint();
  const { body } = await getJson(`${url}/${tenantId}/v2.0/.well-known/openid-configuration`);
  // 'localhost' reaches the same server under a name of the client's choice.
  const other = await getJson(
    `${url.replace('127.0.0.1', 'localhost')}/${tenantId}/v2.0/.well-known/openid-configuration`,
  );
  assert.deepEqual(other.body, body);
});

test('error_uri leads to a page about the code', async () => {
  const { url, post, form } = await openEndpoint();
  const refused = (await (await post(form({ client_secret: 'x' }))).json()) as { error_uri: string };
  const page = await fetch(refused.error_uri);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(await page.text(), /^AADSTS7000215: Invalid client secret/);
  for (const query of ['', '?code=1', '?code=toString', '?code=1&code=2']) {
    assert.equal((await fetch(`${url}/error${query}`)).status, 404, query);
  }
});
