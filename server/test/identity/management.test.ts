import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ErrorCode } from '@storelens/contract';
import { Failure } from '../../src/failure.js';
import { openEndpoint } from './endpoint.js';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Asserts the code and the first sentence of a refusal. */
function failure(code: ErrorCode, sentence: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.match(error.data[0] ?? '', sentence);
    return true;
  };
}

test('tenants: made and given ids, lists, changes', async () => {
  const { identity } = await openEndpoint();
  const { tenants } = identity;
  const made = await tenants.create({ name: 'Fabrikam' });
  assert.match(made.tenantId, guid);
  assert.match(made.accountId, guid);
  assert.notEqual(made.accountId, made.tenantId);
  assert.match(made.sellerId, /^\d{8}$/);
  assert.deepEqual([made.enabled, made.domains, made.createdAt], [true, [], '2026-08-01T12:00:00.000Z']);

  const tenantId = '3F1E9C62-8B0D-4A57-9A1C-7C2D5E4B6A90';
  const given = await tenants.create({
    name: 'Given',
    tenantId,
    sellerId: '00000042',
    domains: ['Given.example', 'a.given.example', 'given.example'],
  });
  assert.equal(given.tenantId, tenantId.toLowerCase());
  assert.equal(given.sellerId, '00000042');
  assert.deepEqual(given.domains, ['a.given.example', 'given.example']);
  assert.deepEqual(await tenants.get(tenantId), given);
  assert.ok((await tenants.list()).some(({ tenantId: id }) => id === given.tenantId));

  const changed = await tenants.patch(tenantId, { name: 'Renamed', domains: ['b.example'] });
  assert.deepEqual(changed, { ...given, name: 'Renamed', domains: ['b.example'] });
  assert.deepEqual(await tenants.patch(tenantId, {}), changed);
  assert.equal((await identity.findTenant('B.example')).name, 'Renamed');
  await assert.rejects(identity.findTenant('given.example'), { code: 90002 });
});

test('tenants: taken ids and domains, bad fields, unknown tenants', async () => {
  const { identity, tenantId, domain } = await openEndpoint();
  const { tenants } = identity;
  const { sellerId } = await tenants.get(tenantId);
  const count = (await tenants.list()).length;
  await assert.rejects(
    tenants.create({ name: 'x', tenantId: tenantId.toUpperCase() }),
    failure('conflict', /tenant id .* is taken/),
  );
  await assert.rejects(tenants.create({ name: 'x', sellerId }), failure('conflict', /seller id .* is taken/));
  const taken = { name: 'x', domains: ['free.example', domain.toUpperCase()] };
  await assert.rejects(tenants.create(taken), failure('conflict', /'contoso-\d+.example' is taken/));
  assert.equal((await tenants.list()).length, count);
  const refused = (input: unknown, sentence: RegExp) =>
    assert.rejects(tenants.create(input), failure('invalid-body', sentence));
  await refused({}, /^name is missing; expected a text of 1 to 256 characters/);
  await refused({ name: 'x', tenantId: '42' }, /^tenantId is "42"; expected a GUID/);
  await refused({ name: 'x', sellerId: 12345678 }, /^sellerId is 12345678; expected 8 digits as text/);
  await refused({ name: 'x', domains: ['nodot'] }, /^domains is "nodot"; expected domain names/);
  await refused({ name: 'x', domains: 'a.example' }, /^domains is "a\.example"; expected a list/);
  await refused(
    { name: 'x', owner: 'y' },
    /^Unknown field 'owner'; expected name, tenantId, sellerId, domains/,
  );
  await assert.rejects(
    tenants.patch(tenantId, { enabled: 'no' }),
    failure('invalid-body', /^enabled is "no"/),
  );
  for (const call of [tenants.get('x'), tenants.patch('x', {}), tenants.remove('x')]) {
    await assert.rejects(call, failure('not-found', /There is no tenant 'x'/));
  }
});

test('a removed tenant takes everything along, and its ids are free again', async () => {
  const { identity, registry, tenantId, clientId, accountId, domain } = await openEndpoint();
  const tables = ['tenants', 'domains', 'applications', 'application_keys'];
  const rows = async () => [
    ...(await Promise.all(
      tables.map((name) => registry.all(`SELECT * FROM ${name} WHERE tenant_id = $1`, [tenantId])),
    )),
    await registry.all('SELECT * FROM products WHERE account_id = $1', [accountId]),
  ];
  assert.deepEqual(
    (await rows()).map(({ length }) => length),
    [1, 1, 1, 1, 1],
  );
  await identity.tenants.remove(tenantId.toUpperCase());
  assert.deepEqual(await rows(), [[], [], [], [], []]);
  const again = await identity.tenants.create({ name: 'Contoso', tenantId, domains: [domain] });
  assert.notEqual(again.accountId, accountId);
  await assert.rejects(identity.applications.get(tenantId, clientId), failure('not-found', /no application/));
});

test('applications: ids in any case, free roles, changes, removal', async () => {
  const { identity, tenantId, clientId } = await openEndpoint();
  const { applications } = identity;
  const given = '5B0C7C1E-2F57-4D3C-9D0A-8A1B6F0E4C11';
  const created = await applications.create(tenantId, { name: 'Mover', role: 'Auditor', clientId: given });
  assert.deepEqual(created, {
    clientId: given.toLowerCase(),
    name: 'Mover',
    role: 'Auditor',
    enabled: true,
    createdAt: '2026-08-01T12:00:00.000Z',
  });
  assert.deepEqual(await applications.get(tenantId, given), created);
  assert.deepEqual(
    (await applications.list(tenantId)).map((one) => one.clientId).sort(),
    [clientId, created.clientId].sort(),
  );
  await assert.rejects(
    applications.create(tenantId, { name: 'x', role: 'Reader', clientId: given.toLowerCase() }),
    failure('conflict', /client id .* is taken/),
  );
  assert.equal((await applications.patch(tenantId, given, { role: 'ingestor' })).role, 'Ingestor');
  const lower = await applications.create(tenantId, { name: 'Lower', role: 'manager' });
  assert.equal(lower.role, 'Manager');
  await applications.remove(tenantId, lower.clientId);
  const changed = await applications.patch(tenantId, given, { role: 'Reader', enabled: false });
  assert.deepEqual(changed, { ...created, role: 'Reader', enabled: false });
  await applications.remove(tenantId, given);
  await assert.rejects(applications.remove(tenantId, given), failure('not-found', /no application/));
  await assert.rejects(
    applications.create(tenantId, { name: 'x' }),
    failure('invalid-body', /^role is missing; expected Manager, Reader or Ingestor/),
  );
  await assert.rejects(applications.list('x'), failure('not-found', /no tenant 'x'/));
});

test('keys: shown once, hint and times listed, given secrets, limits', async () => {
  const { identity, registry, tenantId, clientId, keyId, clientSecret } = await openEndpoint();
  const { keys } = identity;
  assert.match(clientSecret, /^[A-Za-z0-9]{43}$/);
  const listed = await keys.list(tenantId, clientId);
  assert.deepEqual(listed, [
    {
      keyId,
      hint: clientSecret.slice(0, 3),
      createdAt: '2026-08-01T12:00:00.000Z',
      expiresAt: '2027-08-01T12:00:00.000Z',
      lastUsedAt: null,
    },
  ]);
  const given = 'x'.repeat(32);
  const moved = await keys.create(tenantId, clientId, { clientSecret: given, expiresInDays: 730 });
  assert.deepEqual([moved.clientSecret, moved.expiresAt], [given, '2028-07-31T12:00:00.000Z']);
  await assert.rejects(
    keys.create(tenantId, clientId, { clientSecret: given }),
    failure('conflict', /key '/),
  );
  const refused = (input: unknown, sentence: RegExp) =>
    assert.rejects(keys.create(tenantId, clientId, input), failure('invalid-body', sentence));
  await refused({ expiresInDays: 731 }, /^expiresInDays is 731; expected a whole number from 1 to 730/);
  await refused({ expiresInDays: 0 }, /^expiresInDays is 0/);
  await refused({ expiresInDays: 1.5 }, /^expiresInDays is 1.5/);
  await refused({ clientSecret: 'my-31-characters-long-secret-xx' }, /^clientSecret \(not shown\)/);
  await refused({ clientSecret: 7 }, /^clientSecret \(not shown\)/);
  await keys.remove(tenantId, clientId, keyId.toUpperCase());
  await assert.rejects(keys.remove(tenantId, clientId, keyId), failure('not-found', /no key/));
  const stored = JSON.stringify(await registry.all('SELECT * FROM application_keys'));
  assert.ok(!stored.includes(given) && !stored.includes(clientSecret));
});

test('no secret and no token lies in the registry file or the log', async () => {
  const { app, folder, clientSecret, clientId, token, ask, post, form, logged } = await openEndpoint({
    args: ['--log-level', 'debug'],
  });
  const jwt = await token();
  await ask(`Bearer ${jwt}`);
  await ask(`Bearer ${jwt}x`);
  await post(form({ client_id: 'x' }), { path: `/x/oauth2/token?client_secret=${clientSecret}` });
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  await post(form(), { headers: { authorization: `Basic ${basic}` } });
  const operatorKey = readFileSync(app.operatorKeyFile, 'utf8').trim();
  await app.close();
  const registry = readFileSync(join(folder, 'registry.db'), 'latin1');
  const log = logged.join('');
  assert.ok(registry.includes('Contoso') && log.includes('/oauth2/token'));
  for (const secret of [clientSecret, basic, operatorKey, jwt, jwt.slice(0, 60), jwt.slice(-60)]) {
    assert.ok(!registry.includes(secret) && !log.includes(secret), secret);
  }
});

test('audit lines come newest first', async () => {
  const { identity, advance } = await openEndpoint();
  const entry = { actor: 'operator', action: 'POST /admin/v1/tenants', outcome: 'ok', address: '127.0.0.1' };
  await identity.audit({ ...entry, target: 'first' });
  advance(1);
  await identity.audit({ ...entry, target: 'second', outcome: 'conflict' });
  const lines = await identity.auditLines(2);
  assert.deepEqual(lines, [
    { ...entry, at: '2026-08-01T12:00:01.000Z', target: 'second', outcome: 'conflict' },
    { ...entry, at: '2026-08-01T12:00:00.000Z', target: 'first' },
  ]);
  assert.equal((await identity.auditLines(1)).length, 1);
});
