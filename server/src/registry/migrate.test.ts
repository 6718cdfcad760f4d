import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLibsqlRegistry } from './libsql.js';
import { migrateRegistry, splitStatements } from './migrate.js';

async function openTemporary(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-migrate-'));
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  context.after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return registry;
}

test('the shipped steps apply once and leave the tables of the identity part', async (context) => {
  const registry = await openTemporary(context);
  await migrateRegistry(registry);
  const steps = await registry.all('SELECT step, name FROM registry_schema ORDER BY step');
  assert.deepEqual(steps[0], { step: 1, name: '0001-identity.sql' });
  await migrateRegistry(registry);
  assert.deepEqual(await registry.all('SELECT step, name FROM registry_schema ORDER BY step'), steps);
  assert.deepEqual(await registry.all('SELECT * FROM tenants'), []);
});

test('accounts that an earlier version left behind are removed accounts', async (context) => {
  const registry = await openTemporary(context);
  await migrateRegistry(registry);
  await registry.all("DELETE FROM registry_schema WHERE name = '0008-removed-accounts-before.sql'");
  for (const account of ['there', 'gone', 'going']) {
    await registry.all('INSERT INTO account_commits (account_id, last_seq) VALUES ($1, 1)', [account]);
  }
  await registry.all(
    "INSERT INTO tenants (tenant_id, account_id, seller_id, name, enabled, created_at) VALUES ('t', 'there', '1', 'n', 1, 0)",
  );
  await registry.all("INSERT INTO removed_accounts (account_id, removed_at) VALUES ('going', 7)");
  await migrateRegistry(registry);
  assert.deepEqual(await registry.all('SELECT * FROM removed_accounts ORDER BY account_id'), [
    { account_id: 'going', removed_at: 7 },
    { account_id: 'gone', removed_at: 0 },
  ]);
});

test('a registry of a newer version is refused and not changed', async (context) => {
  const registry = await openTemporary(context);
  const first = { step: 1, name: '0001-a.sql', statements: ['CREATE TABLE a (x INTEGER)'] };
  const second = { step: 2, name: '0002-b.sql', statements: ['CREATE TABLE b (x INTEGER)'] };
  await migrateRegistry(registry, [first, second]);
  await assert.rejects(
    migrateRegistry(registry, [first]),
    /made by a newer Storelens: it has schema step 0002-b\.sql, this version ends with 0001-a\.sql/,
  );
  assert.equal((await registry.all('SELECT * FROM registry_schema')).length, 2);
});

test('a step that fails leaves nothing of itself, and a later start finishes it', async (context) => {
  const registry = await openTemporary(context);
  const good = 'CREATE TABLE a (x INTEGER)';
  const broken = { step: 1, name: '0001-a.sql', statements: [good, 'CREATE TABLE a (x INTEGER)'] };
  await assert.rejects(migrateRegistry(registry, [broken]), /already exists/);
  await migrateRegistry(registry, [{ ...broken, statements: [good] }]);
  assert.deepEqual(await registry.all('SELECT * FROM a'), []);
});

test('a schema file is split into statements without its comments', () => {
  assert.deepEqual(
    splitStatements('-- about; this\nCREATE TABLE a (\n  x TEXT -- why\n);\n\nDROP TABLE b;\n'),
    ['CREATE TABLE a (\n  x TEXT \n)', 'DROP TABLE b'],
  );
});
