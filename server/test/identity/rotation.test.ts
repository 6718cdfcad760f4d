import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { createIdentity } from '../../src/identity/identity.js';
import { systemRandom } from '../../src/system.js';
import { openEndpoint } from './endpoint.js';

const day = 86_400;

async function openRotation(context: Parameters<typeof openEndpoint>[0], args: readonly string[] = []) {
  const endpoint = await openEndpoint(context, args);
  const published = async () => {
    const response = await fetch(`${endpoint.url}/common/discovery/keys`);
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
  return { ...endpoint, published, kidOf };
}

test('on demand: the published next key takes over, the old one is kept for a day', async (context) => {
  const { identity, token, whoami, clock, published, kidOf } = await openRotation(context);
  const old = await token();
  const [first, next] = await published();
  assert.equal(kidOf(old), first);

  assert.equal(await identity.rotateSigningKey(), next);
  const fresh = await token();
  assert.equal(kidOf(fresh), next);
  const after = await published();
  assert.equal(after.length, 3);
  assert.ok(after.includes(kidOf(old)) && after.includes(kidOf(fresh)));
  for (const jwt of [old, fresh]) assert.equal((await whoami(`Bearer ${jwt}`)).status, 200);

  clock.advance(3600);
  assert.equal((await whoami(`Bearer ${old}`)).status, 200);
  clock.advance(120);
  assert.match(String((await whoami(`Bearer ${old}`)).body.reason), /expired/);

  clock.advance(day - 3720);
  assert.ok((await published()).includes(kidOf(old)));
  clock.advance(1);
  assert.ok(!(await published()).includes(kidOf(old)));
  assert.match(String((await whoami(`Bearer ${old}`)).body.reason), /key that signed/);
});

test('by age: the setting says when, and the audit says that', async (context) => {
  const { identity, token, clock, published, kidOf } = await openRotation(context, [
    '--signing-key-days',
    '2',
  ]);
  const [first, next] = await published();
  clock.advance(2 * day - 1);
  assert.equal(kidOf(await token()), first);
  clock.advance(1);
  const kids = await Promise.all([token(), token(), token()]);
  assert.deepEqual(kids.map(kidOf), [next, next, next]);
  assert.equal((await published()).length, 3);
  const lines = await identity.auditLines(10);
  assert.deepEqual(
    lines.map(({ actor, action, target }) => ({ actor, action, target })),
    [{ actor: 'server', action: 'signing-key.rotate', target: next }],
  );
  clock.advance(2 * day);
  const third = kidOf(await token());
  assert.notEqual(third, next);
  assert.ok(!(await published()).includes(first ?? ''));
});

test('keys, pepper and operator key outlive a restart', async (context) => {
  const { identity, token, clock, registry, folder, url, published, kidOf, tenantId, clientId } =
    await openRotation(context);
  await identity.rotateSigningKey();
  const jwt = await token();
  const before = await published();
  await identity.close();
  const again = await createIdentity({
    registry,
    clock,
    random: systemRandom,
    settings: {
      'token-version': '1.0',
      'token-issuer': 'https://sts.windows.net/{tid}/',
      'signing-key-days': 90,
    },
    publicUrl: () => url,
    folder,
  });
  assert.deepEqual((await again.publishedKeys()).map(({ kid }) => kid).sort(), [...before].sort());
  assert.ok(before.includes(kidOf(jwt)));
  assert.equal((await again.verify(`Bearer ${jwt}`)).applicationId, clientId);
  assert.equal((await again.operatorCaller(tenantId)).applicationId, 'operator');
});
