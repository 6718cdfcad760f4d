import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import { systemRandom } from '../system.js';
import { addressLife, openFileAddresses, type PresentedAddress } from './signature.js';

const file = {
  tenantId: '11111111-1111-4111-8111-111111111111',
  accountId: '22222222-2222-4222-8222-222222222222',
  file: '33333333-3333-4333-8333-333333333333',
};

/** A registry in a folder of its own, and a clock that the test moves. */
async function surroundings(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-signature-'));
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  context.after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrateRegistry(registry);
  const clock = {
    time: Date.parse('2026-11-22T12:00:00Z'),
    now: () => clock.time,
  };
  return { registry, clock, open: () => openFileAddresses(registry, clock, systemRandom) };
}

/** What a server reads from an address. */
function presented(target: string): PresentedAddress {
  const { pathname, searchParams } = new URL(target, 'http://any');
  const value = (name: string) => searchParams.get(name) ?? '';
  return {
    accountId: file.accountId,
    file: /([^/]+)\.cab$/.exec(pathname)?.[1] ?? '',
    key: value('key'),
    expires: value('expires'),
    signature: value('signature'),
  };
}

test('an address is good for ten minutes, also after a restart', async (context) => {
  const { clock, open } = await surroundings(context);
  const addresses = await open();
  const { target, mark } = await addresses.make(file);
  assert.match(
    target,
    /^\/files\/v1\/[0-9a-f-]{36}\/[0-9a-f-]{36}\.cab\?key=[0-9a-f]{12}&expires=\d{13}&signature=[\w-]{43}$/,
  );
  assert.match(mark, /^[0-9a-f]{12}$/);
  assert.equal(target.includes(file.accountId), false);
  assert.equal(addresses.check(presented(target)), mark);
  assert.equal((await open()).check(presented(target)), mark);
  clock.time += addressLife - 1;
  assert.equal(addresses.check(presented(target)), mark);
  clock.time += 1;
  assert.equal(addresses.check(presented(target)), undefined);
});

test('a changed address opens nothing, whatever is changed', async (context) => {
  const { open } = await surroundings(context);
  const addresses = await open();
  const good = presented((await addresses.make(file)).target);
  assert.ok(addresses.check(good));
  const flipped = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
  // The last of 43 characters carries four bits; other spellings of them decode to the same bytes.
  const alike = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    .map((character) => good.signature.slice(0, -1) + character)
    .filter((text) => text !== good.signature);
  const changes: Partial<PresentedAddress>[] = [
    { accountId: '22222222-2222-4222-8222-222222222223' },
    { file: '33333333-3333-4333-8333-333333333334' },
    { expires: String(Number(good.expires) + 1) },
    { expires: `${good.expires}0` },
    { expires: ` ${good.expires}` },
    { expires: '' },
    { key: '' },
    { key: 'aaaaaaaaaaaa' },
    { signature: '' },
    { signature: flipped(good.signature) },
    { signature: `${good.signature}=` },
    { signature: `${good.signature}AAAA` },
    { signature: good.signature.slice(0, -1) },
    ...alike.map((signature) => ({ signature })),
    // The border between two parts must not be a matter of opinion.
    { accountId: `${good.accountId}${good.file.slice(0, 1)}`, file: good.file.slice(1) },
  ];
  for (const change of changes) {
    assert.equal(addresses.check({ ...good, ...change }), undefined, JSON.stringify(change));
  }
});

test('addresses of another installation open nothing', async (context) => {
  const [one, two] = [await surroundings(context), await surroundings(context)];
  const [here, there] = [await one.open(), await two.open()];
  await here.make(file);
  assert.equal(here.check(presented((await there.make(file)).target)), undefined);
});

test('keys rotate by age and on demand; addresses in use stay good, old ones do not come back', async (context) => {
  const { registry, clock, open } = await surroundings(context);
  const addresses = await open();
  const key = (target: string) => presented(target).key;
  const before = await addresses.make(file);
  await addresses.rotate();
  const afterwards = await addresses.make(file);
  assert.notEqual(key(afterwards.target), key(before.target));
  assert.equal(addresses.check(presented(before.target)), before.mark);
  assert.equal(addresses.check(presented(afterwards.target)), afterwards.mark);

  clock.time += 30 * 86_400_000 - 1;
  assert.equal(key((await addresses.make(file)).target), key(afterwards.target));
  clock.time += 1;
  const both = await Promise.all([addresses.make(file), addresses.make(file)]);
  assert.equal(new Set(both.map(({ target }) => key(target))).size, 1);
  assert.notEqual(key(both[0].target), key(afterwards.target));
  const row = await registry.get("SELECT value FROM installation WHERE name = 'file-address-keys'");
  const kept = (JSON.parse(String(row?.value)) as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(kept, [key(both[0].target), key(afterwards.target)]);
  assert.ok((await open()).check(presented(both[1].target)));
});

test('two addresses of one moment are one, and no two moments share a mark', async (context) => {
  const { clock, open } = await surroundings(context);
  const addresses = await open();
  const first = await addresses.make(file);
  assert.deepEqual(await addresses.make(file), first);
  clock.time += 1;
  assert.notEqual((await addresses.make(file)).mark, first.mark);
});
