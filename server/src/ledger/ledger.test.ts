/** The ledger on a real registry file: numbers, takeover, low-water mark, what is forgotten and purged. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Registry } from '../registry/index.js';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import type { CommitRequest, Ledger, OpenCommit } from './index.js';
import { createLedger } from './ledger.js';

let folder: string;
let registry: Registry;
let ledger: Ledger;
let now: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-ledger-'));
  registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  now = 1_000_000;
  ledger = createLedger(registry, { now: () => now });
});

afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

function batch(batchId: string, other: Partial<CommitRequest> = {}): CommitRequest {
  return { accountId: 'a', dataset: 'reviews', batchId, bodyHash: `hash-${batchId}`, rows: 3, ...other };
}

async function open(request: CommitRequest): Promise<OpenCommit> {
  const begun = await ledger.begin(request);
  assert.ok(begun.outcome === 'open', `outcome is ${begun.outcome}`);
  return begun.commit;
}

async function done(request: CommitRequest): Promise<OpenCommit> {
  const commit = await open(request);
  await ledger.finish(commit, '2024-01-01', '2024-01-02');
  return commit;
}

test('numbers rise by one per account; a token names account, number and body', async () => {
  assert.equal(await ledger.snapshot('a'), 0);
  const commits = await Promise.all(['x', 'y', 'z'].map((id) => open(batch(id))));
  assert.deepEqual(commits.map(({ seq }) => seq).sort(), [1, 2, 3]);
  assert.equal((await open(batch('x', { accountId: 'b' }))).seq, 1);
  const [first] = commits;
  assert.equal(first?.token, `a:${first?.seq}:hash-x`);
});

test('the days of later commits are those of the stored ones of the dataset', async () => {
  assert.equal(await ledger.touchedDays('a', 'reviews', 0, 9), undefined);
  await done(batch('1'));
  const wide = await open(batch('2'));
  await open(batch('3'));
  await done(batch('4', { dataset: 'ratings' }));
  assert.deepEqual(await ledger.touchedDays('a', 'reviews', 0, 9), {
    first: '2024-01-01',
    last: '2024-01-02',
  });
  await ledger.finish(wide, '2023-06-01', '2023-06-02');
  assert.deepEqual(await ledger.touchedDays('a', 'reviews', 0, 2), {
    first: '2023-06-01',
    last: '2024-01-02',
  });
  assert.equal(await ledger.touchedDays('a', 'reviews', 2, 9), undefined);
});

test('a snapshot tells when the newest commit that it sees was done', async () => {
  assert.equal(await ledger.doneAt('a', 9), undefined);
  await done(batch('1'));
  now += 5;
  await done(batch('other', { accountId: 'b' }));
  await done(batch('2', { dataset: 'ratings' }));
  now += 5;
  await ledger.abandon(await open(batch('3')));
  assert.deepEqual(
    [await ledger.doneAt('a', 0), await ledger.doneAt('a', 1), await ledger.doneAt('a', 3)],
    [undefined, 1_000_000, 1_000_005],
  );
});

test('the snapshot stays below the oldest open commit', async () => {
  const [one, two, three] = [await open(batch('1')), await open(batch('2')), await open(batch('3'))];
  assert.equal(await ledger.snapshot('a'), 0);
  await ledger.finish(three, '2024-01-01', '2024-01-01');
  await ledger.finish(one, '2024-01-01', '2024-01-01');
  assert.equal(await ledger.snapshot('a'), 1);
  await ledger.giveUp(two);
  assert.equal(await ledger.snapshot('a'), 1);
  await ledger.abandon(two);
  assert.equal(await ledger.snapshot('a'), 3);
});

test('a batch that comes again is a duplicate, a takeover, a conflict or waits', async () => {
  const commit = await open(batch('x'));
  assert.deepEqual(await ledger.begin(batch('x')), { outcome: 'open', commit, takenOver: true });
  assert.deepEqual(await ledger.begin(batch('x', { bodyHash: 'other' })), { outcome: 'conflict' });
  await ledger.finish(commit, '2024-01-01', '2024-01-01');
  // The second attempt of the same batch arrives at its end, too.
  await ledger.finish(commit, '2024-01-01', '2024-01-01');
  assert.deepEqual(await ledger.begin(batch('x')), { outcome: 'duplicate', rows: 3, seq: 1 });
  assert.equal(await ledger.snapshot('a'), 1, 'known batches take no number');
  // The key is the dataset's own.
  assert.equal((await open(batch('x', { dataset: 'usage' }))).seq, 2);
});

test('several batches begin together and are done together', async () => {
  const known = await done(batch('known'));
  const begun = await ledger.beginAll([
    batch('1'),
    batch('known'),
    batch('2'),
    batch('known', { bodyHash: 'x' }),
  ]);
  assert.deepEqual(
    begun.map((one) => (one.outcome === 'open' ? one.commit.seq : one.outcome)),
    [2, 'duplicate', 3, 'conflict'],
  );
  assert.equal((await open(batch('3'))).seq, 4);
  const written = begun.flatMap((one) =>
    one.outcome === 'open' ? [{ commit: one.commit, firstDay: '2024-01-01', lastDay: '2024-01-02' }] : [],
  );
  const [first, second] = written;
  assert.ok(first && second);
  await ledger.giveUp(second.commit);
  await assert.rejects(ledger.finishAll(written), /cannot be finished: it is closing/);
  assert.equal(await ledger.snapshot('a'), known.seq, 'none of them is done');
  await ledger.abandon(second.commit);
  await assert.rejects(ledger.finishAll([second], [batch('next')]), /cannot be finished: it is void/);
  const [next] = await ledger.finishAll([first], [batch('next')]);
  assert.ok(next?.outcome === 'open');
  assert.equal(next.commit.seq, 5, 'what failed has taken no number');
  assert.equal(await ledger.snapshot('a'), 3);
  await assert.rejects(ledger.beginAll([batch('4'), batch('5', { accountId: 'b' })]), TypeError);
  assert.equal((await open(batch('6'))).seq, 6, 'numbers of what was rolled back are free');
});

test('a void batch begins anew under a new number', async () => {
  const commit = await open(batch('x'));
  await ledger.giveUp(commit);
  assert.deepEqual(await ledger.begin(batch('x')), { outcome: 'closing' });
  await assert.rejects(
    ledger.finish(commit, '2024-01-01', '2024-01-01'),
    /cannot be finished: it is closing/,
  );
  await ledger.abandon(commit);
  const again = await open(batch('x'));
  assert.equal(again.seq, 2);
  assert.notEqual(again.token, commit.token);
});

test('unfinished commits survive a restart', async () => {
  const commit = await open(batch('x'));
  await done(batch('y'));
  await registry.close();
  registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  ledger = createLedger(registry, { now: () => now });
  assert.deepEqual(await ledger.unfinished(), [{ commit, state: 'open', begunAt: 1_000_000 }]);
});

test('keys are forgotten after their time', async () => {
  await done(batch('x'));
  await open(batch('still open'));
  now += 1000;
  assert.equal(await ledger.forgetBatches(1_000_000), 0);
  assert.equal(await ledger.forgetBatches(1_000_001), 1);
  assert.equal((await open(batch('x'))).seq, 3);
  assert.deepEqual(await ledger.begin(batch('still open', { bodyHash: 'other' })), { outcome: 'conflict' });
});

test('settled is the greatest number that is old with all below it', async () => {
  assert.equal(await ledger.settled('a', now), 0);
  await done(batch('1'));
  const two = await open(batch('2'));
  await done(batch('3'));
  assert.equal(await ledger.settled('a', now), 0, 'done just now');
  now += 10;
  assert.equal(await ledger.settled('a', now), 1, '2 is open');
  await ledger.finish(two, '2024-01-01', '2024-01-01');
  assert.equal(await ledger.settled('a', now), 1, '2 is done just now');
  now += 10;
  assert.equal(await ledger.settled('a', now), 3);
});

test('what a purge looks at and leaves behind', async () => {
  await done(batch('1'));
  await done(batch('2', { dataset: 'usage' }));
  now += 10;
  await done(batch('3', { rows: 7 }));
  assert.deepEqual(await ledger.accountsWith('reviews', 0, now), ['a']);
  assert.deepEqual(await ledger.accountsWith('reviews', now, now), []);
  assert.deepEqual(await ledger.stored('a', 'reviews', 1, 3), [{ seq: 3, rows: 7 }]);
  assert.deepEqual(await ledger.purgeMark('a', 'reviews'), { checked: 0, horizon: 0 });
  await ledger.markPurged('a', 'reviews', { checked: 1, horizon: 3 });
  await ledger.markPurged('a', 'reviews', { checked: 3, horizon: 0 });
  assert.deepEqual(await ledger.purgeMark('a', 'reviews'), { checked: 3, horizon: 3 });
  assert.equal(await ledger.purgedBelow('a', 'reviews'), 3);
  assert.equal(await ledger.purgedBelow('a', 'campaigns'), 0);
});
