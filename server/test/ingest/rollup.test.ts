/** Failures summed by day: the same answers with sums, without and beside them, whatever happens while they are made. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { datasets, reports } from '@storelens/contract';
import type { Engine } from '../../src/engine/index.js';
import { createSums, type Steps, type StepsParts } from '../../src/sums/index.js';
import type { TestAccount } from '../harness.js';
import { renameFailures, type StoredFailure, storeFailures } from '../wire/failure-rows.js';
import { type Bench, noon, products, startBench } from './posting.js';

const app = '9NBLGGGZ5QDR';
const minute = 60_000;

let bench: Bench;

before(async () => {
  bench = await startBench(['--rollup-rows', '4']);
});

after(() => bench.server.close());

/** A job like the server's, without waiting for snapshots. */
function job(parts: Partial<StepsParts> = {}): Steps {
  const { engine, ledger, rollups } = bench.server.app.parts;
  return createSums({
    ...{ engine, ledger, rollups, leastRows: 1, leastPart: 0, embedded: true, grace: 0, rowsAtOnce: 3 },
    ...parts,
  });
}

const later = noon + 60 * minute;
const markOf = ({ accountId }: TestAccount) => bench.server.app.parts.rollups.mark(accountId, 'failures');
const summedTo = async (account: TestAccount) => (await markOf(account)).seq;

const failed = (day: string, deviceId: string, row: Partial<StoredFailure> = {}): StoredFailure => ({
  ...{
    timestamp: `${day} 10:00:00.000`,
    applicationId: app,
    deviceId,
    failureName: 'a!b',
    failureHash: 'h1',
  },
  ...row,
});

/** Ten hits of three devices and none on three days. */
const someFailures: readonly StoredFailure[] = [
  failed('2024-02-25', 'one'),
  failed('2024-02-25', 'one'),
  failed('2024-02-25', 'two'),
  failed('2024-02-25', 'one', { market: 'DE' }),
  failed('2024-02-26', 'one'),
  failed('2024-02-26', ''),
  failed('2024-02-26', 'three', { failureName: 'c!d', failureHash: 'h2' }),
  failed('2024-02-28', 'two'),
  failed('2024-02-28', 'two', { timestamp: '2024-02-28 11:00:00.000' }),
  failed('2024-02-28', 'two', { source: 'desktop', applicationId: '10238467886765136388' }),
];

const questions = [
  'groupby=failureName&aggregationLevel=week',
  'groupby=failureName&aggregationLevel=day',
  'groupby=market&aggregationLevel=month&orderby=market%20desc',
  '',
  'aggregationLevel=hour',
  "filter=failureHash%20eq%20'h1'",
  "filter=failureHash%20ne%20'h0'&groupby=failureHash",
  "filter=market%20eq%20'de'%20or%20osRelease%20eq%20'x'&groupby=market",
  'startDate=2024-02-26&endDate=2024-02-26&groupby=failureName',
  'top=1&groupby=failureName,market&skip=1',
];

/** Answers to all questions at a snapshot, the present one if none is given; without links, which name it. */
async function answers(account: TestAccount, snapshot?: number): Promise<readonly string[]> {
  const seen = snapshot ?? (await bench.server.app.parts.ledger.snapshot(account.accountId));
  const all: string[] = [];
  for (const question of questions) {
    const range = question.includes('startDate') ? '' : '&startDate=2024-02-01&endDate=2024-02-29';
    const target = `/v1.0/my/analytics/failurehits?applicationId=${app}${range}&${question}&snapshot=${seen}`;
    const { status, text } = await account.get(target);
    assert.equal(status, 200, text);
    all.push(text.replace(/"@nextLink":(?:null|"[^"]*"),/, ''));
  }
  return all;
}

async function freshAccount(): Promise<TestAccount> {
  return await bench.server.account({ products });
}

async function sums(account: TestAccount): Promise<readonly (readonly [number, number, number])[]> {
  const rows = await bench.rows(
    `SELECT seq, count() AS n, sum(hits) AS hits FROM failureDays WHERE accountId = '${account.accountId}' GROUP BY seq ORDER BY seq`,
  );
  return rows.map(({ seq, n, hits }) => [Number(seq), Number(n), Number(hits)]);
}

test('the sums have the columns that the contract names, as the rows have them, and all that reports of counts read', async () => {
  const { summed } = datasets.failures ?? {};
  assert.ok(summed);
  const columns = async (table: string) => {
    const rows = await bench.rows(
      `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '${table}'`,
    );
    return new Map(rows.map(({ name, type }) => [String(name), String(type)]));
  };
  const [rows, days] = [await columns('failures'), await columns(summed.table)];
  const own = ['accountId', 'hits', 'seq', 'formerHashes'];
  assert.deepEqual([...days.keys()].filter((name) => !own.includes(name)).sort(), [...summed.columns].sort());
  for (const [name, type] of days) if (name !== 'hits') assert.equal(rows.get(name), type, name);
  for (const entry of Object.values(reports)) {
    if (entry.kind !== 'grouped' || entry.sources[0]?.table !== 'failures') continue;
    const read = entry.fields.flatMap(({ origin }) => (origin?.from === 'column' ? [origin.column] : []));
    for (const column of read) assert.ok(summed.columns.includes(column), `${entry.name}: ${column}`);
  }
});

test('answers are the same before, while and after rows are summed, at every snapshot', async () => {
  const account = await freshAccount();
  const empty = await answers(account);
  await storeFailures(bench.server, account, someFailures);
  const first = await answers(account);
  await storeFailures(bench.server, account, [failed('2024-02-26', 'one'), failed('2024-02-27', 'four')]);
  const second = await answers(account);
  assert.notDeepEqual(first, second);
  await job().run(later);
  assert.equal(await summedTo(account), 2);
  assert.deepEqual(
    (await sums(account)).map(([seq, , hits]) => [seq, hits]),
    [[2, 12]],
  );
  await storeFailures(bench.server, account, [failed('2024-02-25', 'one'), failed('2024-02-29', 'five')]);
  const third = await answers(account);
  const all = async () => {
    assert.deepEqual(await answers(account, 1), first);
    assert.deepEqual(await answers(account, 2), second);
    assert.deepEqual(await answers(account, 3), third);
    assert.deepEqual(await answers(account), third);
  };
  await all();
  await job().run(later);
  assert.equal(await summedTo(account), 3);
  await all();
  // Equal rows are one row of a step, whatever device is unknown.
  const [[, rows] = []] = await sums(account);
  assert.ok(rows !== undefined && rows < 12, `${rows} rows`);
  assert.deepEqual(await answers(await freshAccount()), empty);
});

test('sums answer what raw rows no longer can, so they are read', async () => {
  const account = await freshAccount();
  await storeFailures(bench.server, account, someFailures);
  const known = await answers(account, 1);
  await job().run(later);
  assert.deepEqual(await markOf(account), { seq: 1, whole: true });
  await bench.server.app.parts.engine.command({
    account: account.accountId,
    sql: 'ALTER TABLE failures DELETE WHERE accountId = {account:String}',
    params: { account: account.accountId },
    settings: { mutations_sync: 2 },
  });
  // A further commit, so that no kept answer is given.
  await storeFailures(bench.server, account, [failed('2024-01-01', 'one')]);
  const now = await answers(account);
  questions.forEach((question, index) => {
    if (question === 'aggregationLevel=hour') assert.notEqual(now[index], known[index]);
    else assert.equal(now[index], known[index], question);
  });
});

test('rows that a later commit takes the place of are not summed, and old snapshots still see them', async () => {
  const account = await freshAccount();
  const crash = { cabBytes: 100, cabIdHash: '6be543ff-1c9c-4534-aced-af8b4fbe0316' };
  await storeFailures(bench.server, account, [...someFailures, failed('2024-02-25', 'one', crash)]);
  const before = await answers(account);
  await job().run(later);
  assert.deepEqual(
    (await sums(account)).map(([seq, , hits]) => [seq, hits]),
    [[1, 10]],
  );
  assert.deepEqual(await markOf(account), { seq: 1, whole: false });
  assert.deepEqual(await answers(account), before);
  const renamed = { failureName: 'e!f', failureHash: 'h3', formerHashes: ['h1'] };
  await renameFailures(bench.server, account, [{ ...failed('2024-02-25', 'one', renamed), ...crash }]);
  const after = await answers(account);
  assert.notDeepEqual(after, before);
  assert.match(after[0] ?? '', /"failureName":"e!f","deviceCount":1.0,"eventCount":1.0/);
  await job().run(later);
  assert.equal(await summedTo(account), 2);
  assert.deepEqual(await answers(account), after);
  assert.deepEqual(await answers(account, 1), before);
});

/** Other tests' accounts may have rows to sum as well. */
function isInsertOf(
  { accountId }: TestAccount,
  { account, sql }: { readonly account: string; readonly sql: string },
) {
  return account === accountId && sql.startsWith('INSERT');
}

test('an attempt that ends half way shows nothing, and the next one begins anew', async () => {
  const account = await freshAccount();
  await storeFailures(bench.server, account, someFailures);
  const known = await answers(account);
  const { engine, rollups } = bench.server.app.parts;
  for (const way of ['statement fails', 'answer is lost'] as const) {
    let inserts = 0;
    const failing: Engine = {
      ...engine,
      async command(statement) {
        if (!isInsertOf(account, statement)) return await engine.command(statement);
        inserts += 1;
        if (inserts < 3 || way === 'answer is lost') await engine.command(statement);
        if (inserts === 3) throw new Error(way);
      },
    };
    await assert.rejects(job({ engine: failing }).run(later), { message: way });
    assert.ok((await sums(account)).length > 0, 'something is left behind');
    assert.equal(await summedTo(account), 0);
    assert.deepEqual(await answers(account), known);
  }
  // A commit between two attempts: the next one goes further.
  await storeFailures(bench.server, account, [failed('2024-02-25', 'one')]);
  const further = await answers(account);
  const unfinished = { ...bare(rollups), finish: async () => Promise.reject(new Error('registry is away')) };
  await assert.rejects(job({ rollups: unfinished }).run(later), { message: 'registry is away' });
  assert.deepEqual(await answers(account), further);

  // On a server, whatever is still under way might arrive after it was removed.
  await job({ embedded: false }).run(noon + 14 * minute);
  assert.equal(await summedTo(account), 0);
  await job({ embedded: false }).run(noon + 80 * minute);
  assert.equal(await summedTo(account), 2);
  assert.deepEqual(
    (await sums(account)).map(([seq, , hits]) => [seq, hits]),
    [[2, 11]],
  );
  assert.deepEqual(await answers(account), further);
  assert.deepEqual(await answers(account, 1), known);
});

function bare(rollups: Bench['server']['app']['parts']['rollups']) {
  return {
    of: rollups.of.bind(rollups),
    begin: rollups.begin.bind(rollups),
    goOn: rollups.goOn.bind(rollups),
    finish: rollups.finish.bind(rollups),
  };
}

test('sums that are not of all rows move no mark', async () => {
  const account = await freshAccount();
  await storeFailures(bench.server, account, someFailures);
  const { engine } = bench.server.app.parts;
  let inserts = 0;
  const forgetful: Engine = {
    ...engine,
    async command(statement) {
      if (isInsertOf(account, statement)) {
        inserts += 1;
        // Not the second: parts of one day may have no rows.
        if (inserts === 3) return;
      }
      await engine.command(statement);
    },
  };
  const forgetting = job({ engine: forgetful });
  const other = await freshAccount();
  await storeFailures(bench.server, other, someFailures);
  await assert.rejects(forgetting.run(later), /10 rows were to be summed, the sums are of \d/);
  assert.equal(await summedTo(account), 0);
  assert.equal(await summedTo(other), 1, 'one account does not keep the others from theirs');
  await forgetting.run(later + 14 * minute);
  assert.equal(await summedTo(account), 0, 'what failed is left alone for a while');
  await forgetting.run(later + 15 * minute);
  assert.equal(await summedTo(account), 1);
});

test('a step goes on turn by turn, beside those of other accounts and later commits', async () => {
  const accounts = [await freshAccount(), await freshAccount()];
  for (const account of accounts) await storeFailures(bench.server, account, someFailures);
  const known = await Promise.all(accounts.map((account) => answers(account)));
  const { engine } = bench.server.app.parts;
  let inserts: string[] = [];
  const counting = job({
    piecesAtOnce: 3,
    engine: {
      ...engine,
      async command(statement) {
        if (statement.sql.startsWith('INSERT')) inserts.push(statement.account);
        await engine.command(statement);
      },
    },
  });
  const began = new Set<string>();
  let turns = 0;
  for (; (await Promise.all(accounts.map(summedTo))).some((seq) => seq === 0); turns += 1) {
    inserts = [];
    await counting.run(later + turns * minute);
    assert.ok(inserts.length > 0 && inserts.length <= 3, `${inserts.length} statements`);
    if (turns < 2) for (const account of inserts) began.add(account);
    for (const [index, account] of accounts.entries())
      assert.deepEqual(await answers(account, 1), known[index]);
    if (turns === 0)
      await storeFailures(bench.server, accounts[0] ?? assert.fail(), someFailures.slice(0, 1));
  }
  assert.ok(turns >= 3, `${turns} turns`);
  assert.equal(began.size, 2, 'a long step does not keep others waiting');
  for (const account of accounts) {
    const [first] = await sums(account);
    assert.deepEqual([first?.[0], first?.[2]], [1, 10]);
  }
});

test('an account that somebody else may be summing stays due, one that was overtaken begins anew', async () => {
  const account = await freshAccount();
  await storeFailures(bench.server, account, someFailures);
  const { rollups } = bench.server.app.parts;
  const hour = 60 * minute;
  await rollups.begin(account.accountId, 'failures', noon + 3 * hour - minute);
  const waiting = job({ embedded: false, piecesAtOnce: 1 });
  await waiting.run(noon + 3 * hour);
  assert.deepEqual(await sums(account), []);
  // By now nobody finds it by its commits.
  await waiting.run(noon + 4 * hour);
  assert.equal((await sums(account)).length, 1);
  await rollups.begin(account.accountId, 'failures', noon + 5 * hour);
  await assert.rejects(waiting.run(noon + 5 * hour), /another attempt/);
  for (let turn = 0; (await summedTo(account)) === 0; turn += 1) {
    assert.ok(turn < 20);
    await waiting.run(noon + 6 * hour + turn * minute);
  }
  assert.deepEqual(
    (await sums(account)).map(([seq, , hits]) => [seq, hits]),
    [[1, 10]],
  );
});

test('a stopped job ends between two statements, and leaves nothing that counts', async () => {
  const account = await freshAccount();
  await storeFailures(bench.server, account, someFailures);
  const known = await answers(account);
  const { engine } = bench.server.app.parts;
  const stopping: Steps = job({
    engine: {
      ...engine,
      async command(statement) {
        await engine.command(statement);
        if (isInsertOf(account, statement)) stopping.stop();
      },
    },
  });
  await stopping.run(later);
  assert.equal((await sums(account)).length, 1);
  assert.equal(await summedTo(account), 0);
  assert.deepEqual(await answers(account), known);
});

test('an attempt that another has overtaken moves no mark', async () => {
  const account = await freshAccount();
  const { rollups } = bench.server.app.parts;
  const old = await rollups.begin(account.accountId, 'failures', noon);
  const one = await rollups.begin(account.accountId, 'failures', noon);
  await assert.rejects(
    rollups.finish(account.accountId, 'failures', old, { seq: 5, rows: 1 }),
    /another attempt/,
  );
  await rollups.finish(account.accountId, 'failures', one, { seq: 5, rows: 1 });
  await assert.rejects(
    rollups.finish(account.accountId, 'failures', one, { seq: 5, rows: 1 }),
    /another attempt/,
  );
  assert.deepEqual(await rollups.of(account.accountId, 'failures'), { seq: 5, rows: 1, begunAt: undefined });
});

test('the server sums enough rows, once no snapshot below them is promised', async () => {
  const { server } = bench;
  const account = await freshAccount();
  const { ingest } = server.app.parts;
  const small = await freshAccount();
  await storeFailures(server, account, someFailures);
  await storeFailures(server, small, someFailures.slice(0, 3));
  server.setTime(noon + 9 * minute);
  await ingest.purge();
  assert.equal(await summedTo(account), 0);
  server.setTime(noon + 12 * minute);
  await ingest.purge();
  assert.equal(await summedTo(account), 1);
  assert.equal(await summedTo(small), 0, 'three rows are too few');
  await storeFailures(server, small, someFailures.slice(3, 5));
  server.setTime(noon + 30 * minute);
  await ingest.purge();
  assert.equal(await summedTo(small), 2);
});
