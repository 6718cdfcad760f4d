/**
 * Rows of full grain counted by day in advance: pages by their index, which reads what is stored, against answers of one
 * query, which counts all rows itself, whatever was counted, came later or went wrong meanwhile.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Engine } from '../../src/engine/index.js';
import { createSums, grains, type Steps, type StepsParts } from '../../src/sums/index.js';
import type { TestAccount } from '../harness.js';
import { Dice } from '../oracle/random.js';
import { type Bench, noon, products, startBench } from './posting.js';

const app = '9NBLGGGZ5QDR';
const otherApp = '9WZDNCRDABCD';
const addon = '9NADDON00001';
const later = noon + 60 * 60_000;

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

/** A job like the server's, without waiting for snapshots. */
function job(parts: Partial<StepsParts> = {}): Steps {
  const { engine, ledger, rollups } = bench.server.app.parts;
  return createSums({
    ...{ engine, ledger, rollups, leastRows: 1, leastPart: 0, embedded: true, grace: 0, rowsAtOnce: 5 },
    ...parts,
  });
}

async function freshAccount(): Promise<TestAccount> {
  return await bench.server.account({ products });
}

/** The mark of the counts of an account's installs. */
async function countedTo({ accountId }: TestAccount): Promise<number> {
  const grain = [...grains.values()].find(({ table }) => table === 'installs') ?? assert.fail();
  return (await bench.server.app.parts.rollups.mark(accountId, grain.name)).seq;
}

interface Page {
  readonly Value: readonly object[];
  readonly TotalCount: number;
}

/** Part of an answer at a snapshot. */
async function page(account: TestAccount, question: string, snapshot: number, part: string): Promise<Page> {
  const range = question.includes('startDate') ? '' : '&startDate=2024-02-01&endDate=2024-02-29';
  const [report, rest = ''] = question.split('?');
  const target = `/v1.0/my/analytics/${report}?applicationId=${app}${range}&${rest}&snapshot=${snapshot}&${part}`;
  const { status, text, json } = await account.get(target);
  assert.equal(status, 200, text);
  return json as Page;
}

/** All of an answer in one page, which counts its rows itself. */
async function counting(account: TestAccount, question: string, snapshot: number): Promise<Page> {
  const { Value, TotalCount } = await page(account, question, snapshot, 'top=10000');
  return { Value, TotalCount };
}

/** The same page by page: all but the first go by the index. */
async function byIndex(account: TestAccount, question: string, snapshot: number, top: number): Promise<Page> {
  const first = await page(account, question, snapshot, `top=${top}`);
  const rows = [...first.Value];
  let total = first.TotalCount;
  for (let skip = top; skip <= total; skip += top) {
    const next = await page(account, question, snapshot, `top=${top}&skip=${skip}`);
    rows.push(...next.Value);
    // The later pages must agree; so must the first one with them.
    if (skip > top) assert.equal(next.TotalCount, total, question);
    total = next.TotalCount;
  }
  return { Value: rows, TotalCount: total };
}

const questions = [
  'appacquisitions?',
  'appacquisitions?orderby=date',
  'appacquisitions?startDate=2024-02-05&endDate=2024-02-12',
  'appacquisitions?aggregationLevel=week',
  'appacquisitions?groupby=date,market',
  'appacquisitions?orderby=market',
  'inappacquisitions?',
  'inappacquisitions?orderby=date%20desc,market',
  'installs?',
  'ratings?',
  'appchannelconversions?',
];

const markets = ['DE', 'FR', 'US'];
const timestamp = (dice: Dice, days: number) =>
  `2024-02-${String(dice.whole(1, days)).padStart(2, '0')}T10:00:00Z`;

/** A batch of up to ten rows that are often equal, of few days. */
function batchOf(dice: Dice): readonly [string, readonly object[]] {
  const days = dice.pick([3, 16, 28]);
  const dataset = dice.pick(['acquisitions', 'acquisitions', 'installs', 'ratings']);
  const rows = Array.from({ length: dice.whole(1, 10) }, () => ({
    timestamp: timestamp(dice, days),
    applicationId: dice.pick([app, app, otherApp]),
    market: dice.pick(markets),
    ...(dataset === 'ratings' && { rating: dice.whole(1, 5), isRevised: dice.chance(0.5) }),
    ...(dataset === 'installs' && { successful: dice.chance(0.8) }),
    ...(dataset === 'acquisitions' && { quantity: 1 }),
  }));
  const [row] = rows;
  if (dataset === 'acquisitions' && row !== undefined && dice.chance(0.5))
    rows.push({ ...row, applicationId: app, inAppProductId: addon } as typeof row);
  return [dataset, rows];
}

/** An engine whose inserts of one account fail at some time, stored or not. */
function failing(dice: Dice, { accountId }: TestAccount): Engine {
  const { engine } = bench.server.app.parts;
  let left = dice.whole(0, 7);
  const stored = dice.chance(0.5);
  return {
    ...engine,
    async command(statement) {
      const hit = statement.account === accountId && statement.sql.startsWith('INSERT') && left-- === 0;
      if (!hit || stored) await engine.command(statement);
      if (hit) throw new Error('the engine is away');
    },
  };
}

test('pages agree with answers that count by themselves, at every snapshot, whatever was counted in advance', async () => {
  const account = await freshAccount();
  const seed = Date.now() % 1_000_000_000;
  const dice = new Dice(seed);
  let commits = 0;
  for (let round = 0; round < 6; round += 1) {
    for (let count = dice.whole(1, 3); count > 0; count -= 1) {
      await account.ingest(...batchOf(dice));
      commits += 1;
    }
    switch (dice.whole(0, 4)) {
      case 0:
        // Leaves what it made; the next job removes it.
        await job({ engine: failing(dice, account) })
          .run(later)
          .catch(({ message }: Error) => assert.match(message, /the engine is away|could not be summed/));
        break;
      case 1:
        await job({ piecesAtOnce: 2 }).run(later);
        break;
      case 2:
        break;
      default:
        await job({ rowsAtOnce: dice.pick([5, 1000]) }).run(later);
    }
    for (let count = 0; count < 3; count += 1) {
      const question = dice.pick(questions);
      const snapshot = dice.chance(0.3) ? dice.whole(1, commits) : commits;
      const said = `seed ${seed}, round ${round}, ${question} at ${snapshot} of ${commits}`;
      const known = await counting(account, question, snapshot);
      assert.deepEqual(await byIndex(account, question, snapshot, dice.pick([6, 12])), known, said);
    }
  }
});

/** Adds to what is stored of an account's counts, so that readers of it tell. */
async function falsify({ accountId }: TestAccount): Promise<void> {
  await bench.server.app.parts.engine.command({
    account: accountId,
    sql: `ALTER TABLE dayCounts UPDATE rowCount = rowCount + 100 WHERE accountId = {account:String}`,
    params: { account: accountId },
    settings: { mutations_sync: 2 },
  });
}

const install = (day: string, market: string) => ({
  ...{ timestamp: `2024-02-${day}T10:00:00Z`, applicationId: app },
  market,
});

test('stored counts are read, but for days of later commits and other questions', async () => {
  const account = await freshAccount();
  await account.ingest('installs', [install('01', 'DE'), install('01', 'FR'), install('02', 'DE')]);
  const totals = async (snapshot: number) => {
    const all: Record<string, number> = {};
    for (const [name, question] of Object.entries({
      all: 'installs?',
      everyDimension: 'installs?groupby=date,applicationName,packageVersion,deviceType,market,osVersion',
      firstDay: 'installs?startDate=2024-02-01&endDate=2024-02-01',
      filtered: "installs?filter=market%20ne%20'x'",
      byMarket: 'installs?groupby=market',
      byWeek: 'installs?aggregationLevel=week',
      marketsFirst: 'installs?orderby=market',
    })) {
      all[name] = (await page(account, question, snapshot, 'top=1&skip=1')).TotalCount;
    }
    return all;
  };
  const live = { all: 3, everyDimension: 3, firstDay: 2, filtered: 3, byMarket: 3, byWeek: 2 };
  assert.deepEqual(await totals(1), { ...live, marketsFirst: 3 });
  await job().run(later);
  assert.equal(await countedTo(account), 1);
  await falsify(account);
  // A commit of another dataset, so that neither kept answers nor kept indexes are given.
  await account.ingest('ratings', [{ ...install('01', 'DE'), rating: 1 }]);
  const stored = { ...live, all: 203, everyDimension: 203, firstDay: 102, marketsFirst: 3 };
  assert.deepEqual(await totals(2), stored);
  // One of a day that it touches, one between whose ends a day lies that it does not touch.
  await account.ingest('installs', [install('02', 'US')]);
  assert.equal((await page(account, 'installs?', 3, 'top=1&skip=1')).TotalCount, 102 + 2);
  await account.ingest('installs', [install('29', 'US'), install('01', 'DE')]);
  assert.equal((await page(account, 'installs?', 4, 'top=1&skip=1')).TotalCount, 2 + 2 + 1);
  await account.ingest('installs', [install('03', 'US'), install('05', 'DE')]);
  await job().run(later);
  await falsify(account);
  await account.ingest('installs', [install('02', 'FR'), install('05', 'FR')]);
  assert.equal((await page(account, 'installs?', 6, 'top=1&skip=1')).TotalCount, 102 + 3 + 101 + 2 + 101);
  // A snapshot below the mark, whose kept index is of other days.
  assert.equal(
    (await page(account, 'installs?endDate=2024-02-20&startDate=2024-02-01', 3, 'top=1&skip=2')).TotalCount,
    4,
  );
});

test('a day is counted again only when a later commit has rows of it', async () => {
  const account = await freshAccount();
  await account.ingest('installs', [install('01', 'DE'), install('02', 'DE'), install('03', 'DE')]);
  await job().run(later);
  await account.ingest('installs', [install('02', 'FR'), { ...install('03', 'FR'), successful: false }]);
  await job().run(later);
  const rows = await bench.rows(
    `SELECT toString(date) AS date, rowCount, seq FROM dayCounts WHERE accountId = '${account.accountId}' ORDER BY seq, date`,
  );
  assert.deepEqual(
    rows.map(({ date, rowCount, seq }) => [date, rowCount, seq]),
    [
      ['2024-02-01', 1, 1],
      ['2024-02-02', 1, 1],
      ['2024-02-03', 1, 1],
      ['2024-02-02', 2, 2],
    ],
  );
});

test('the table of every grain adds rows, and has its columns', async () => {
  assert.ok(grains.size >= 4);
  for (const { table, columns } of grains.values()) {
    const rows = await bench.rows(
      `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '${table}'`,
    );
    const types = new Map(rows.map(({ name, type }) => [String(name), String(type)]));
    for (const column of columns) assert.match(types.get(column) ?? 'none', /^(?!Nullable|none)/, column);
    for (const column of ['line', 'supersededBy']) assert.ok(!types.has(column), `${table} has ${column}`);
  }
});
