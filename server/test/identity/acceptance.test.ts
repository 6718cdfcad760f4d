import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { openEndpoint, resource } from './endpoint.js';

const seconds = Date.UTC(2026, 7, 1, 12, 0, 0) / 1000;

/** An endpoint with the means to forge: the claims of a good token, and the server's own signing key. */
async function openForge(context: Parameters<typeof openEndpoint>[0], args: readonly string[] = []) {
  const endpoint = await openEndpoint(context, args);
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
    const { status, body } = await endpoint.whoami(`Bearer ${token}`);
    assert.deepEqual({ status, code: body.code }, { status: 401, code: 'token-invalid' });
    assert.match(String(body.reason), reason);
    // The reason is for the caller: it must not repeat the token.
    assert.ok(!String(body.reason).includes(token.slice(0, 20)));
  }

  return { ...endpoint, good, claims, kid: kid ?? '', ownKey, sign, refused };
}

test('a good token names tenant, account, application and role, at every use', async (context) => {
  const { whoami, good, tenantId, accountId, clientId, sign } = await openForge(context);
  const caller = { tenantId, accountId, applicationId: clientId, role: 'Manager' };
  for (const authorization of [
    `Bearer ${good}`,
    `bearer ${good}`,
    `Bearer ${good}`,
    `Bearer ${await sign()}`,
  ]) {
    assert.deepEqual(await whoami(authorization), { status: 200, body: caller });
  }
  const upper = await sign({ tid: tenantId.toUpperCase(), appid: clientId.toUpperCase() });
  assert.deepEqual(await whoami(`Bearer ${upper}`), { status: 200, body: caller });
});

test('without a bearer token the reason is that it is missing', async (context) => {
  const { whoami, clientId, clientSecret } = await openEndpoint(context);
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  for (const authorization of [undefined, '', 'Bearer', 'Bearer ', basic, 'Bearer two words']) {
    const { status, body } = await whoami(authorization);
    assert.deepEqual(
      { status, code: body.code },
      { status: 401, code: 'token-missing' },
      String(authorization),
    );
  }
});

test('forged signatures', async (context) => {
  const { good, claims, kid, ownKey, sign, refused, clientSecret } = await openForge(context);
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

test('malformed tokens', async (context) => {
  const { refused, good } = await openForge(context);
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

test('audience, issuer, version and the ids they carry', async (context) => {
  const { refused, sign, tenantId, whoami, url } = await openForge(context);
  assert.equal((await whoami(`Bearer ${await sign({ aud: `${resource}/` })}`)).status, 200);
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

test('both versions are accepted whichever is issued', async (context) => {
  const { sign, whoami, claims, tenantId, clientId, url, refused } = await openForge(context, [
    '--token-version',
    '2.0',
  ]);
  assert.equal(claims.ver, '2.0');
  const first = {
    ver: '1.0',
    aud: resource,
    iss: `https://sts.windows.net/${tenantId}/`,
    appid: clientId,
    azp: undefined,
  };
  assert.equal((await whoami(`Bearer ${await sign(first)}`)).status, 200);
  await refused(await sign({ iss: `${url}/3f1e9c62-8b0d-4a57-9a1c-7c2d5e4b6a90/v2.0` }), /issuer/);
  await refused(await sign({ azp: undefined, appid: clientId }), /application/);
});

test('times, with a minute of tolerance, also for a token that was good before', async (context) => {
  const { sign, whoami, refused, clock, good } = await openForge(context);
  const accepted = async (token: string) => assert.equal((await whoami(`Bearer ${token}`)).status, 200);
  await accepted(await sign({ nbf: seconds + 60 }));
  await refused(await sign({ nbf: seconds + 61 }), /not valid yet/);
  await accepted(await sign({ exp: seconds - 59 }));
  await refused(await sign({ exp: seconds - 60 }), /expired/);
  await accepted(good);
  clock.advance(3600 + 59);
  await accepted(good);
  clock.advance(1);
  await refused(good, /expired/);
});

test('disabling, removing and changing roles take effect with the next request', async (context) => {
  const { whoami, good, refused, identity, tenantId, clientId } = await openForge(context);
  const role = async () => (await whoami(`Bearer ${good}`)).body.role;
  assert.equal(await role(), 'Manager');
  for (const next of ['Reader', 'Ingestor', 'Auditor']) {
    await identity.applications.patch(tenantId, clientId, { role: next });
    assert.equal(await role(), next);
  }
  await identity.applications.patch(tenantId, clientId, { enabled: false });
  await refused(good, /application .* disabled/);
  await identity.applications.patch(tenantId, clientId, { enabled: true });
  assert.equal(await role(), 'Auditor');
  await identity.tenants.patch(tenantId, { enabled: false });
  await refused(good, /tenant .* disabled/);
  await identity.tenants.patch(tenantId, { enabled: true });
  await identity.applications.remove(tenantId, clientId);
  await refused(good, /application .* unknown/);
  await identity.tenants.remove(tenantId);
  await refused(good, /tenant .* unknown/);
});

test('an application of one tenant is nobody in another', async (context) => {
  const { sign, refused, identity, clientId } = await openForge(context);
  const { tenantId: other } = await identity.tenants.create({ name: 'Fabrikam' });
  const iss = `https://sts.windows.net/${other}/`;
  await refused(await sign({ tid: other, iss }), /application .* unknown/);
  await refused(await sign({ tid: other }), /issuer/);
  await identity.applications.create(other, { name: 'Same id', role: 'Reader', clientId });
  assert.equal((await identity.applications.list(other)).length, 1);
});

test('a token of another installation is refused although tenant and application have the same ids', async (context) => {
  const here = await openEndpoint(context);
  const there = await openEndpoint(context);
  await there.identity.tenants.create({ name: 'Twin', tenantId: here.tenantId });
  await there.identity.applications.create(here.tenantId, {
    name: 'x',
    role: 'Manager',
    clientId: here.clientId,
  });
  await there.identity.rotateSigningKey();
  await there.identity.rotateSigningKey();
  const { clientSecret } = await there.identity.keys.create(here.tenantId, here.clientId, {});
  const answer = await there.post(here.form({ client_secret: clientSecret }), {
    path: `/${here.tenantId}/oauth2/token`,
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  assert.equal((await there.whoami(`Bearer ${token}`)).status, 200);
  assert.deepEqual(await here.whoami(`Bearer ${token}`), {
    status: 401,
    body: { code: 'token-invalid', reason: 'The key that signed the access token is not known.' },
  });
});
