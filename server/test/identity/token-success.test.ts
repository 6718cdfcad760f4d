import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beginning, openEndpoint, resource } from './endpoint.js';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const now = beginning / 1000;

function assertHeaders(response: Response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'no-store, no-cache');
  assert.equal(response.headers.get('pragma'), 'no-cache');
  assert.equal(response.headers.get('expires'), '-1');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('x-ms-request-id') ?? '', guid);
  assert.equal(response.headers.get('www-authenticate'), null);
}

test('v1: numbers as text, the resource as it was sent', async () => {
  const { post, form } = await openEndpoint();
  for (const asked of [resource, `${resource}/`]) {
    const response = await post(form({ resource: asked }));
    assertHeaders(response);
    const text = await response.text();
    const body = JSON.parse(text) as Record<string, unknown>;
    const { access_token: token, ...rest } = body;
    assert.deepEqual(rest, {
      token_type: 'Bearer',
      expires_in: '3599',
      ext_expires_in: '3599',
      expires_on: String(now + 3600),
      not_before: String(now - 300),
      resource: asked,
    });
    assert.equal(Object.keys(body).at(-1), 'access_token');
    assert.equal(decodeJwt(String(token)).aud, asked);
  }
});

test('v2: numbers as numbers, the slash of the scope in the audience', async () => {
  const { post, form, tenantId } = await openEndpoint();
  const path = `/${tenantId}/oauth2/v2.0/token?client-request-id=1c0f7a52-93d1-4f6c-8d7e-6f2b9a3c5d44`;
  for (const audience of [resource, `${resource}/`]) {
    const response = await post(form({ resource: undefined, scope: `${audience}/.default` }), { path });
    assertHeaders(response);
    const { access_token: token, ...rest } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599 });
    const claims = decodeJwt(String(token));
    assert.equal(claims.aud, audience);
    assert.equal(claims.ver, '1.0');
  }
});

test('claims and header of a 1.0 token', async () => {
  const { token, tenantId, clientId, identity } = await openEndpoint();
  const jwt = await token();
  const [published] = await identity.publishedKeys();
  const kid = published?.kid;
  assert.deepEqual(decodeProtectedHeader(jwt), { typ: 'JWT', alg: 'RS256', x5t: kid, kid });
  const { aio, rh, uti, oid, ...claims } = decodeJwt(jwt);
  const issuer = `https://sts.windows.net/${tenantId}/`;
  assert.deepEqual(claims, {
    aud: resource,
    iss: issuer,
    iat: now - 300,
    nbf: now - 300,
    exp: now + 3600,
    appid: clientId,
    appidacr: '1',
    idp: issuer,
    sub: oid,
    tid: tenantId,
    ver: '1.0',
  });
  assert.match(String(oid), guid);
  assert.match(String(uti), /^[\w-]{22}$/);
  assert.ok(typeof aio === 'string' && typeof rh === 'string');
  const second = decodeJwt(await token());
  assert.equal(second.oid, oid);
  assert.notEqual(second.uti, uti);
});

test('claims and header of a 2.0 token, which the setting asks for', async () => {
  const { token, url, tenantId, clientId, ask } = await openEndpoint({
    args: ['--token-version', '2.0'],
  });
  const jwt = await token();
  assert.deepEqual(Object.keys(decodeProtectedHeader(jwt)), ['typ', 'alg', 'kid']);
  const { aio, rh, uti, oid, aud, ...claims } = decodeJwt(jwt);
  assert.deepEqual(claims, {
    iss: `${url}/${tenantId}/v2.0`,
    iat: now - 300,
    nbf: now - 300,
    exp: now + 3600,
    azp: clientId,
    azpacr: '1',
    sub: oid,
    tid: tenantId,
    ver: '2.0',
  });
  assert.match(String(aud), guid);
  assert.ok([aio, rh, uti].every((value) => typeof value === 'string'));
  assert.equal((await ask(`Bearer ${jwt}`)).status, 200);
});

test('tenants by domain and in any letter case, client ids in any letter case', async () => {
  const { post, form, tenantId, clientId, domain } = await openEndpoint();
  for (const tenant of [domain, domain.toUpperCase(), tenantId.toUpperCase()]) {
    const response = await post(form({ client_id: clientId.toUpperCase() }), {
      path: `/${tenant}/oauth2/token?api-version=1.0`,
    });
    assert.equal(response.status, 200);
    const { access_token: token } = (await response.json()) as { access_token: string };
    const { tid, appid } = decodeJwt(token);
    assert.deepEqual({ tid, appid }, { tid: tenantId, appid: clientId });
  }
});

test('spellings of the content type, and what real clients add', async () => {
  const { post, form } = await openEndpoint();
  for (const contentType of [
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-8',
    'application/x-www-form-urlencoded;charset=UTF-8',
    'Application/X-WWW-Form-URLEncoded ; charset=utf-8',
  ]) {
    assert.equal((await post(form(), { headers: { 'content-type': contentType } })).status, 200, contentType);
  }
  const extra = form({
    'x-client-SKU': 'msal.js.node',
    'x-client-VER': '5.6.0',
    'x-ms-lib-capability': 'retry-after, h429',
    'client-request-id': '1c0f7a52-93d1-4f6c-8d7e-6f2b9a3c5d44',
    client_info: '1',
    response_type: 'token',
    scope: 'ignored on v1',
  });
  assert.equal((await post(extra)).status, 200);
  // The vendor's sample pastes the form together without any escaping.
  const unescaped = Object.entries(form())
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  assert.equal((await post(unescaped)).status, 200);
});

test('HTTP Basic: raw, percent-encoded, and secrets that encoding could change', async () => {
  const { post, form, identity, tenantId, clientId, clientSecret } = await openEndpoint();
  const tricky = 'a+b c%d%20e~f:g/h=i&j-k.l_mäöü€0123456789';
  await identity.keys.create(tenantId, clientId, { clientSecret: tricky });
  const strict = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%20', '+')
      .replace(/[-_.!~*'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const bare = form({ client_id: undefined, client_secret: undefined });
  for (const version of ['oauth2/token', 'oauth2/v2.0/token']) {
    const body = { ...bare, scope: `${resource}/.default` };
    const path = `/${tenantId}/${version}`;
    for (const [name, credentials] of [
      ['raw', `${clientId}:${clientSecret}`],
      ['strictly encoded', `${strict(clientId)}:${strict(clientSecret)}`],
      ['tricky, strictly encoded', `${strict(clientId)}:${strict(tricky)}`],
      ['tricky, encoded as usual', `${clientId}:${encodeURIComponent(tricky)}`],
      ['tricky, raw', `${clientId}:${tricky}`],
    ] as const) {
      const response = await post(body, { path, headers: { authorization: basic(credentials) } });
      assert.equal(response.status, 200, `${version} ${name}`);
    }
  }
  const authorization = basic(`${strict(clientId)}:${clientSecret}`);
  const agreeing = await post({ ...bare, client_id: clientId.toUpperCase() }, { headers: { authorization } });
  assert.equal(agreeing.status, 200);
  const differing = await post({ ...bare, client_id: tenantId }, { headers: { authorization } });
  assert.equal(differing.status, 400);
  assert.deepEqual(((await differing.json()) as { error_codes: number[] }).error_codes, [9002313]);
  assert.equal((await post(form({ client_secret: tricky }))).status, 200);
});

test('several live keys work side by side, and their use is noted once a minute', async () => {
  const { post, form, identity, tenantId, clientId, advance, keyId } = await openEndpoint();
  const second = await identity.keys.create(tenantId, clientId, {});
  const lastUses = async () => {
    // Waits for the writes under way.
    await identity.close();
    const keys = await identity.keys.list(tenantId, clientId);
    return [keyId, second.keyId].map((id) => keys.find((key) => key.keyId === id)?.lastUsedAt);
  };
  assert.equal((await post(form())).status, 200);
  assert.deepEqual(await lastUses(), ['2026-08-01T12:00:00.000Z', null]);
  advance(30);
  assert.equal((await post(form())).status, 200);
  assert.equal((await post(form({ client_secret: second.clientSecret }))).status, 200);
  assert.deepEqual(await lastUses(), ['2026-08-01T12:00:00.000Z', '2026-08-01T12:00:30.000Z']);
  advance(30);
  assert.equal((await post(form())).status, 200);
  assert.deepEqual(await lastUses(), ['2026-08-01T12:01:00.000Z', '2026-08-01T12:00:30.000Z']);
});
