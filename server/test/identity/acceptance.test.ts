import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { beginning, openEndpoint, resource } from './endpoint.js';

const seconds = beginning / 1000;

/** An endpoint with the means to forge: the claims of a good token, and the server's own signing key. */
async function openForge(args: readonly string[] = []) {
  const endpoint = await openEndpoint({ args });
  const good = await endpoint.token();
  const row = await endpoint.registry.get(
    'SELECT private_key FROM signing_keys WHERE activated_at IS NOT NULL AND retired_at IS NULL',
  );
  const ownKey = createPrivateKey(String(row?.private_key));
  const claims = decodeJwt(good);
  const { kid } = decodeProtectedHeader(good);

  /** A token with the server's own signature over changed claims or header. */
  const sign = (changes: object = {}, header: object = {}, key = ownKey) =>
    new SignJWT({ ...claims, ...changes })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: kid ?? '', ...header })
      .sign(key);

  async function refused(token: string, reason: RegExp) {
    const seen = await endpoint.ask(`Bearer ${token}`);
    assert.deepEqual([seen.status, seen.code], [401, 'AuthenticationTokenInvalid']);
    assert.match(seen.reason ?? '', reason);
    assert.equal(
      seen.challenge,
      `Bearer authorization_uri="${endpoint.url}/common/oauth2/authorize", error="invalid_token", error_description="${seen.reason}"`,
    );
  }

  return { ...endpoint, good, claims, kid: kid ?? '', ownKey, sign, refused };
}

test('a good token names tenant, account, application and role, at every use', async () => {
  const { ask, good, tenantId, accountId, sellerId, clientId, sign } = await openForge();
  const caller = { tenantId, accountId, sellerId, applicationId: clientId, role: 'Manager' };
  for (const authorization of [
    `Bearer ${good}`,
    `bearer ${good}`,
    `Bearer ${good}`,
    `Bearer ${await sign()}`,
  ]) {
    assert.deepEqual(await ask(authorization), { status: 200, caller, challenge: null });
  }
  const upper = await sign({ tid: tenantId.toUpperCase(), appid: clientId.toUpperCase() });
  assert.deepEqual(await ask(`Bearer ${upper}`), { status: 200, caller, challenge: null });
});

test('without a bearer token the reason is that it is missing', async () => {
  const { ask, clientId, clientSecret } = await openEndpoint();
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', basic, 'Bearer two words']) {
    const { status, code, reason, challenge } = await ask(authorization);
    assert.deepEqual([status, code], [401, 'PartnerAadTicketRequired'], String(authorization));
    assert.equal(reason, 'The access token is missing.');
    assert.match(
      challenge ?? '',
      /^Bearer authorization_uri="http.*error_description="The access token is missing\."$/,
    );
  }
});

test('forged signatures', async () => {
  const { good, claims, kid, ownKey, sign, refused, clientSecret } = await openForge();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await refused(await sign({}, {}, privateKey), /signature/);
  await refused(await sign({}, { kid: 'unknown' }), /key that signed/);
  await refused(await sign({}, { kid: undefined }), /key that signed/);

  const [header = '', payload = '', signature = ''] = good.split('.');
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  await refused(`${header}.${encode({ ...claims, exp: seconds + 999_999 })}.${signature}`, /signature/);
  await refused(`${header}.${payload}.${signature.slice(0, -4)}AAAA`, /signature/);
  await refused(`${header}.${payload}.`, /signature/);
  await refused(`${encode({ typ: 'JWT', alg: 'none', kid })}.${payload}.`, /RS256/);
  await refused(`${encode({ typ: 'JWT', alg: 'nOnE', kid })}.${payload}.`, /RS256/);

  // The classic: the public key, or a secret, as the key of a HMAC.
  const publicPem = createPublicKey(ownKey).export({ type: 'spki', format: 'pem' }).toString();
  for (const secret of [publicPem, clientSecret]) {
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ typ: 'JWT', alg: 'HS256', kid })
      .sign(new TextEncoder().encode(secret));
    await refused(forged, /RS256/);
  }
  await refused(await sign({}, { alg: 'PS256' }), /RS256/);
  // A key that the token brings along does not count.
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  await refused(await sign({}, { kid: 'brought', jwk }, privateKey), /key that signed/);
});

test('malformed tokens', async () => {
  const { refused, good } = await openForge();
  for (const token of [
    'x',
    'a.b',
    'a.b.c',
    '..',
    good.replaceAll('.', '!'),
    `${good}.x`,
    'x'.repeat(9000),
    '%00',
  ]) {
    await refused(token, /malformed|signature/);
  }
});

test('audience, issuer, version and the ids they carry', async () => {
  const { refused, sign, tenantId, ask, url } = await openForge();
  assert.equal((await ask(`Bearer ${await sign({ aud: `${resource}/` })}`)).status, 200);
  for (const aud of ['https://graph.microsoft.com', `${resource}//`, undefined, [resource], tenantId]) {
    await refused(await sign({ aud }), /audience/);
  }
  for (const iss of [
    `https://sts.windows.net/${tenantId}`,
    'https://sts.windows.net/3f1e9c62-8b0d-4a57-9a1c-7c2d5e4b6a90/',
    `${url}/${tenantId}/v2.0`,
    undefined,
  ]) {
    await refused(await sign({ iss }), /issuer/);
  }
  await refused(await sign({ ver: '3.0' }), /version/);
  await refused(await sign({ ver: '2.0' }), /audience/);
  await refused(await sign({ tid: 'common' }), /tenant/);
  await refused(await sign({ appid: undefined }), /application/);
  await refused(await sign({ exp: undefined }), /times/);
  await refused(await sign({ nbf: 'soon' }), /times/);
});

test('both versions are accepted whichever is issued', async () => {
  const { sign, ask, claims, tenantId, clientId, url, refused } = await openForge(['--token-version', '2.0']);
  assert.equal(claims.ver, '2.0');
  const first = {
    ver: '1.0',
    aud: resource,
    iss: `https://sts.windows.net/${tenantId}/`,
    appid: clientId,
    azp: undefined,
  };
  assert.equal((await ask(`Bearer ${await sign(first)}`)).status, 200);
  await refused(await sign({ iss: `${url}/3f1e9c62-8b0d-4a57-9a1c-7c2d5e4b6a90/v2.0` }), /issuer/);
  await refused(await sign({ azp: undefined, appid: clientId }), /application/);
});

test('times, with a minute of tolerance, also for a token that was good before', async () => {
  const { sign, ask, refused, advance, good } = await openForge();
  const accepted = async (token: string) => assert.equal((await ask(`Bearer ${token}`)).status, 200);
  await accepted(await sign({ nbf: seconds + 60 }));
  await refused(await sign({ nbf: seconds + 61 }), /not valid yet/);
  await accepted(await sign({ exp: seconds - 59 }));
  await refused(await sign({ exp: seconds - 60 }), /expired/);
  await accepted(good);
  advance(3600 + 59);
  await accepted(good);
  advance(1);
  await refused(good, /expired/);
});

test('disabling, removing and changing roles take effect with the next request', async () => {
  const { ask, good, refused, identity, tenantId, clientId } = await openForge();
  const status = async () => (await ask(`Bearer ${good}`)).status;
  assert.equal(await status(), 200);
  for (const [role, expected] of [
    ['Ingestor', 403],
    ['Reader', 200],
    ['Auditor', 403],
    ['Manager', 200],
  ] as const) {
    await identity.applications.patch(tenantId, clientId, { role });
    assert.equal(await status(), expected, role);
  }
  await identity.applications.patch(tenantId, clientId, { enabled: false });
  await refused(good, /application .* disabled/);
  await identity.applications.patch(tenantId, clientId, { enabled: true });
  assert.equal(await status(), 200);
  await identity.tenants.patch(tenantId, { enabled: false });
  await refused(good, /tenant .* disabled/);
  await identity.tenants.patch(tenantId, { enabled: true });
  await identity.applications.remove(tenantId, clientId);
  await refused(good, /application .* unknown/);
  await identity.tenants.remove(tenantId);
  await refused(good, /tenant .* unknown/);
});

test('an application of one tenant is nobody in another', async () => {
  const { sign, refused, identity, clientId } = await openForge();
  const { tenantId: other } = await identity.tenants.create({ name: 'Fabrikam' });
  const iss = `https://sts.windows.net/${other}/`;
  await refused(await sign({ tid: other, iss }), /application .* unknown/);
  await refused(await sign({ tid: other }), /issuer/);
  await identity.applications.create(other, { name: 'Same id', role: 'Reader', clientId });
  assert.equal((await identity.applications.list(other)).length, 1);
});

test('a token of another installation is refused although tenant and application have the same ids', async () => {
  const there = await openEndpoint({ fresh: true });
  const token = await there.token();
  assert.equal((await there.ask(`Bearer ${token}`)).status, 200);
  const here = await openEndpoint({ fresh: true });
  await here.identity.tenants.create({ name: 'Twin', tenantId: there.tenantId });
  const twin = { name: 'Twin', role: 'Manager', clientId: there.clientId };
  await here.identity.applications.create(there.tenantId, twin);
  const { status, reason } = await here.ask(`Bearer ${token}`);
  assert.deepEqual([status, reason], [401, 'The key that signed the access token is not known.']);
});
