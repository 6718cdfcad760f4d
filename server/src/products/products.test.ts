import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ErrorCode } from '@storelens/contract';
import { Failure } from '../failure.js';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import { systemClock, systemRandom } from '../system.js';
import { createProducts } from './products.js';

async function openProducts(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-products-'));
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  context.after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrateRegistry(registry);
  for (const [index, account] of ['account-a', 'account-b'].entries()) {
    await registry.all('INSERT INTO tenants VALUES ($1, $2, $3, $4, 1, 0)', [
      `tenant-${account}`,
      account,
      `0000000${index}`,
      account,
    ]);
  }
  return createProducts(registry, systemClock, systemRandom);
}

function failure(code: ErrorCode, sentence: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.match(error.data[0] ?? '', sentence);
    return true;
  };
}

test('made ids have the shape of their kind', async (context) => {
  const products = await openProducts(context);
  const app = await products.create('account-a', { kind: 'app', name: 'App' });
  assert.match(app.id, /^9[A-Z0-9]{11}$/);
  const addon = await products.create('account-a', { kind: 'addon', name: 'Coins', parentId: app.id });
  assert.match(addon.id, /^9[A-Z0-9]{11}$/);
  assert.equal(addon.parentId, app.id);
  assert.match((await products.create('account-a', { kind: 'driver', name: 'D' })).id, /^[1-9]\d{16}$/);
  assert.match((await products.create('account-a', { kind: 'desktop', name: 'D' })).id, /^[1-9]\d{19}$/);
});

test('a given id is kept, unique without regard to case, and only within its account', async (context) => {
  const products = await openProducts(context);
  await products.create('account-a', { kind: 'app', id: '9NBLGGGZ5QDR', name: 'App' });
  await assert.rejects(
    products.create('account-a', { kind: 'driver', id: '9nblgggz5qdr', name: 'Other' }),
    failure('conflict', /'9nblgggz5qdr' is taken/),
  );
  await products.create('account-b', { kind: 'app', id: '9nblgggz5qdr', name: 'App of B' });
  assert.equal((await products.of('account-a')).find('9nblGGGZ5qdr')?.id, '9NBLGGGZ5QDR');
  assert.equal((await products.of('account-b')).find('9NBLGGGZ5QDR')?.name, 'App of B');
});

test('what is looked up follows every write', async (context) => {
  const products = await openProducts(context);
  assert.equal((await products.of('account-a')).find('A1'), undefined);
  await products.create('account-a', { kind: 'app', id: 'A1', name: 'Old' });
  assert.equal((await products.of('account-a')).find('a1')?.name, 'Old');
  assert.deepEqual(await products.patch('account-a', 'a1', { name: 'New' }), {
    id: 'A1',
    kind: 'app',
    parentId: null,
    name: 'New',
  });
  assert.deepEqual(
    (await products.of('account-a')).ofKind('app').map(({ name }) => name),
    ['New'],
  );
  // A look-up that runs beside a write must not leave the state before it behind.
  await Promise.all([products.remove('account-a', 'A1'), products.of('account-a'), products.of('account-a')]);
  assert.equal((await products.of('account-a')).find('A1'), undefined);
});

test('add-ons need an app of the same account, and keep it from being removed', async (context) => {
  const products = await openProducts(context);
  await products.create('account-a', { kind: 'app', id: 'APP', name: 'App' });
  await products.create('account-a', { kind: 'driver', id: 'DRIVER', name: 'Driver' });
  const addon = { kind: 'addon', name: 'Coins' };
  await assert.rejects(products.create('account-a', addon), failure('invalid-body', /^parentId is missing/));
  for (const [account, parentId] of [
    ['account-a', 'NONE'],
    ['account-a', 'DRIVER'],
    ['account-b', 'APP'],
  ] as const) {
    await assert.rejects(
      products.create(account, { ...addon, parentId }),
      failure('invalid-body', new RegExp(`parentId is "${parentId}"; expected the id of an app`)),
    );
  }
  const { id, parentId } = await products.create('account-a', { ...addon, parentId: 'app' });
  assert.equal(parentId, 'APP');
  await assert.rejects(products.remove('account-a', 'APP'), failure('conflict', /has 1 add-ons/));
  await products.remove('account-a', id);
  await products.remove('account-a', 'APP');
});

test('a list is created whole or not at all, and problems name their line', async (context) => {
  const products = await openProducts(context);
  const created = await products.createMany('account-a', [
    { kind: 'app', id: 'A', name: 'App' },
    { kind: 'addon', id: 'B', parentId: 'A', name: 'Add-on' },
  ]);
  assert.deepEqual(
    created.map(({ id }) => id),
    ['A', 'B'],
  );
  const good = { kind: 'app', id: 'C', name: 'App' };
  await assert.rejects(
    products.createMany('account-a', [good, { ...good, id: 'b' }]),
    failure('conflict', /^Line 2: /),
  );
  await assert.rejects(products.createMany('account-a', [good, good]), failure('conflict', /^Line 2: /));
  await assert.rejects(
    products.createMany('account-a', [good, { ...good, kind: 'game' }]),
    failure('invalid-body', /^Line 2: kind is "game"; expected one of app, addon, desktop, driver/),
  );
  assert.deepEqual(
    (await products.list('account-a')).map(({ id }) => id),
    ['A', 'B'],
  );
});

test('bad input is refused by field and value', async (context) => {
  const products = await openProducts(context);
  const refused = (input: unknown, sentence: RegExp) =>
    assert.rejects(products.create('account-a', input), failure('invalid-body', sentence));
  await refused([], /The body is \[\]; expected a JSON object/);
  await refused({ kind: 'app', name: 'x', color: 1 }, /Unknown field 'color'/);
  await refused({ kind: 'app', name: '  ' }, /name is " {2}"; expected a text of 1 to 256/);
  await refused({ kind: 'app' }, /name is missing/);
  await refused({ kind: 'app', name: 'x', id: "a'b" }, /id is "a'b"/);
  await refused({ kind: 'app', name: 'x', parentId: 'A' }, /only add-ons have a parent/);
  await assert.rejects(products.create('nobody', { kind: 'app', name: 'x' }), failure('not-found', /nobody/));
  await assert.rejects(
    products.patch('account-a', 'x', { name: 'y' }),
    failure('not-found', /no product 'x'/),
  );
  await assert.rejects(products.remove('account-a', 'x'), failure('not-found', /no product 'x'/));
});
