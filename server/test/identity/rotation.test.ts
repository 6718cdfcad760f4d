import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { startServer, type TestServer } from '../harness.js';
import { beginning, closeServer, openEndpoint } from './endpoint.js';

const day = 86_400;

async function openRotation(args: readonly string[] = []) {
  const endpoint = await openEndpoint({ args, fresh: true });
  const published = async () => {
    const response = await fetch(`${endpoint.url}/common/discovery/keys`);
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';
  return { ...endpoint, published, kidOf };
}

test('on demand: the published next key takes over, the old one is kept for a day', async () => {
  const { identity, token, ask, advance, published, kidOf } = await openRotation();
  const old = await token();
  const [first, next] = await published();
  assert.equal(kidOf(old), first);

  assert.equal(await identity.rotateSigningKey(), next);
  const fresh = await token();
  assert.equal(kidOf(fresh), next);
  const after = await published();
  assert.equal(after.length, 3);
  assert.ok(after.includes(kidOf(old)) && after.includes(kidOf(fresh)));
  for (const jwt of [old, fresh]) assert.equal((await ask(`Bearer ${jwt}`)).status, 200);

  advance(3600);
  assert.equal((await ask(`Bearer ${old}`)).status, 200);
  advance(120);
  assert.match(String((await ask(`Bearer ${old}`)).reason), /expired/);

  advance(day - 3720);
  assert.ok((await published()).includes(kidOf(old)));
  advance(1);
  assert.ok(!(await published()).includes(kidOf(old)));
  assert.match(String((await ask(`Bearer ${old}`)).reason), /key that signed/);
});

test('revoked: no token of before is good, also of the key that was to be next', async () => {
  const { identity, token, ask, published, kidOf } = await openRotation();
  const old = await token();
  assert.equal((await ask(`Bearer ${old}`)).status, 200);
  const before = await published();
  const kid = await identity.revokeSigningKeys();
  const after = await published();
  assert.equal(after.length, 2);
  assert.ok(after.includes(kid) && !after.some((one) => before.includes(one)));
  assert.match(String((await ask(`Bearer ${old}`)).reason), /key that signed/);
  const fresh = await token();
  assert.equal(kidOf(fresh), kid);
  assert.equal((await ask(`Bearer ${fresh}`)).status, 200);
});

test('by age: the setting says when, and the audit says that', async () => {
  const { identity, token, advance, published, kidOf } = await openRotation(['--signing-key-days', '2']);
  const [first, next] = await published();
  advance(2 * day - 1);
  assert.equal(kidOf(await token()), first);
  advance(1);
  const kids = await Promise.all([token(), token(), token()]);
  assert.deepEqual(kids.map(kidOf), [next, next, next]);
  assert.equal((await published()).length, 3);
  const lines = await identity.auditLines(10);
  assert.deepEqual(
    lines.map(({ actor, action, target }) => ({ actor, action, target })),
    [{ actor: 'server', action: 'signing-key.rotate', target: next }],
  );
  advance(2 * day);
  const third = kidOf(await token());
  assert.notEqual(third, next);
  assert.ok(!(await published()).includes(first ?? ''));
});

test('keys, pepper and operator key outlive a restart', async (context) => {
  await closeServer();
  const folder = await mkdtemp(join(tmpdir(), 'storelens-restart-'));
  const first = await startServer({ now: beginning, folder });
  const { tenantId, clientId, clientSecret, token } = await first.account();
  await first.app.parts.identity.rotateSigningKey();
  const keys = async (server: TestServer) => (await server.request('/common/discovery/keys')).json;
  const before = await keys(first);
  const operatorKey = await first.operatorKey();
  await first.close();

  // The token was signed with the key that is retired now. The issuer does not depend on the port.
  const second = await startServer({ now: beginning + 60_000, folder });
  context.after(async () => {
    await second.close();
    await rm(folder, { recursive: true, force: true });
  });
  assert.deepEqual(await keys(second), before);
  const { identity } = second.app.parts;
  assert.equal((await identity.verify(`Bearer ${token}`)).applicationId, clientId);
  await identity.operator.verify(`Bearer ${operatorKey}`, 'test');
  const again = await second.request(`/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://manage.devcenter.microsoft.com/.default',
    }),
  });
  assert.equal(again.status, 200);
});
