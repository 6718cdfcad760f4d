/** The ledger with a memory beside the one without, on a real registry file. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Registry } from '../registry/index.js';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import type { Ledger, OpenCommit } from './index.js';
import { createLedger } from './ledger.js';
import { remembered } from './remembered.js';

let folder: string;
let registry: Registry;
/** Statements that were sent so far. */
let asked: number;
let plain: Ledger;
let ledger: Ledger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-remembered-'));
  registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  asked = 0;
  const counted: Registry = {
    ...registry,
    get(sql, params) {
      asked += 1;
      return registry.get(sql, params);
    },
  };
  plain = createLedger(counted, { now: () => 1_000_000 });
  ledger = remembered(plain);
});

afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const days = ['2024-01-01', '2024-01-02'] as const;
const accounts = ['a', 'b'];

async function begin(batchId: string, accountId = 'a'): Promise<OpenCommit> {
  const begun = await ledger.begin({ accountId, dataset: 'reviews', batchId, bodyHash: 'hash', rows: 1 });
  assert.ok(begun.outcome === 'open');
  return begun.commit;
}

test('the registry is asked once, and again after the account was written', async () => {
  await ledger.finish(await begin('1'), ...days);
  asked = 0;
  for (let count = 0; count < 5; count += 1) {
    assert.equal(await ledger.snapshot('a'), 1);
    assert.equal(await ledger.purgedBelow('a', 'reviews'), 0);
  }
  assert.equal(asked, 2);
  await ledger.finish(await begin('1', 'b'), ...days);
  asked = 0;
  assert.equal(await ledger.snapshot('a'), 1, 'another account was written');
  assert.equal(asked, 0);
  await ledger.markPurged('a', 'reviews', { checked: 1, horizon: 1 });
  assert.equal(await ledger.purgedBelow('a', 'reviews'), 1);
  assert.equal(await ledger.purgedBelow('b', 'reviews'), 0);
});

test('after every write the numbers are those of the registry, whoever asked meanwhile', async () => {
  const open: OpenCommit[] = [];
  // A fixed sequence that visits every kind of write in many states.
  let state = 20_260_301;
  const whole = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const take = () => open.splice(whole(open.length), 1)[0];
  for (let step = 0; step < 300; step += 1) {
    const account = accounts[whole(2)] ?? 'a';
    const write = async () => {
      const kind = open.length < 2 ? 0 : whole(6);
      const commit = kind < 3 ? undefined : take();
      if (commit === undefined) open.push(await begin(`batch ${step}`, account));
      else if (kind === 3) await ledger.finish(commit, ...days);
      else if (kind === 4) {
        await ledger.giveUp(commit);
        await ledger.abandon(commit);
      } else {
        const same = open.filter(({ accountId }) => accountId === commit.accountId).slice(0, 2);
        for (const one of same) open.splice(open.indexOf(one), 1);
        const written = [commit, ...same].map((one) => ({
          ...{ commit: one, firstDay: days[0], lastDay: days[1] },
        }));
        await ledger.finishAll(written);
      }
    };
    const early = accounts.flatMap((id) => [ledger.snapshot(id), ledger.newest(id)]);
    const writing = write();
    const beside = accounts.flatMap((id) => [ledger.snapshot(id), ledger.newest(id)]);
    await writing;
    for (const id of accounts) {
      assert.equal(await ledger.snapshot(id), await plain.snapshot(id), `account ${id} after step ${step}`);
      assert.equal(await ledger.newest(id), await plain.newest(id), `account ${id} after step ${step}`);
    }
    await Promise.all([...early, ...beside]);
  }
  assert.ok((await ledger.snapshot('a')) > 20);
});

test('no number is newer than the newest once its commit has begun', async () => {
  assert.equal(await ledger.newest('a'), 0);
  const open = await begin('1');
  assert.equal(await ledger.newest('a'), 1);
  await ledger.finish(open, ...days);
  await ledger.abandon(await begin('2'));
  assert.equal(await ledger.newest('a'), 2, 'a void commit has a number');
  assert.equal(await ledger.snapshot('a'), 2);
});

test('a failed read or write leaves nothing behind', async () => {
  const commit = await begin('1');
  await ledger.giveUp(commit);
  await assert.rejects(ledger.finish(commit, ...days), /it is closing/);
  assert.equal(await ledger.snapshot('a'), 0);
  const failing = remembered({
    ...plain,
    snapshot: (id) => (asked++ === 0 ? Promise.reject(new Error('busy')) : plain.snapshot(id)),
  });
  asked = 0;
  await assert.rejects(failing.snapshot('a'), /busy/);
  assert.equal(await failing.snapshot('a'), 0);
});
