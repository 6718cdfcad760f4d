/** Starts a server, compares it with the oracle, and checks that the comparison was worth its name. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { reports } from '@storelens/contract';
import { startServer } from '../harness.js';
import { compare, type Tally, type Target } from './compare.js';
import { now } from './generate-data.js';
import type { Shape } from './request.js';
import { keepSumming } from './summing.js';

/** How many requests of either kind, and how often a batch arrives meanwhile. */
export interface Amount {
  readonly valid: number;
  readonly invalid: number;
  readonly batchEvery: number;
  /** The form of rows; 2018 if missing. */
  readonly shape?: Shape;
}

/** The seed of a run: STORELENS_TEST_SEED, else a random one. */
function seedOf(): number {
  const given = process.env.STORELENS_TEST_SEED;
  if (given === undefined || given === '') return randomInt(1_000_000_000);
  assert.match(given, /^\d{1,9}$/, 'STORELENS_TEST_SEED is a whole number below 1,000,000,000');
  return Number(given);
}

/** Runs the comparison against a server of its own; `args` are further command-line arguments. */
export async function compareServer(
  t: TestContext,
  { shape = '2018', ...amount }: Amount,
  args: readonly string[] = [],
): Promise<Tally> {
  const seed = seedOf();
  t.diagnostic(`seed ${seed}; to repeat the run: STORELENS_TEST_SEED=${seed}`);
  const server = await startServer({ now, args: ['--row-shape', shape, ...args] });
  try {
    const target: Target = {
      origin: server.url,
      shape,
      account: (products) =>
        server.account({
          products: products.map(({ id, kind, parentId, name }) => ({
            ...{ id, kind, name },
            ...(parentId === null ? {} : { parentId }),
          })),
        }),
    };
    const summing = keepSumming(server);
    const tally = await compare(target, { seed, workers: 4, ...amount }).finally(() => summing.end());
    const { sums, counts } = summing.steps;
    t.diagnostic(`rows were summed ${sums} times meanwhile, counted ${counts} times`);
    assert.ok(sums > 0 && counts > 0, 'rows were summed and counted');
    t.diagnostic(
      `${tally.valid} valid requests: ${tally.pages} pages of results with ${tally.rows} rows, ${tally.batches} batches meanwhile, ` +
        `${tally.disturbed} paging runs saw the data change, ${tally.counted} counted skip by hand, ${tally.whole} whole results; ${tally.invalid} invalid requests`,
    );
    t.diagnostic(
      `answers with rows: ${[...tally.shown].map(([name, count]) => `${name} ${count}`).join(', ')}`,
    );
    assert.equal(tally.valid, amount.valid);
    assert.equal(tally.invalid, amount.invalid);
    assert.ok(tally.disturbed > amount.valid / 50, 'batches arrived during paging runs');
    // One in fifty does: of few none may.
    if (amount.valid >= 1000) assert.ok(tally.counted > 0, 'some clients counted skip by hand');
    assert.ok(tally.whole > amount.valid / 50, 'whole results were compared');
    assert.ok(tally.mistakes.size >= 20, 'mistakes of every kind');
    const silent = Object.keys(reports).filter((name) => !tally.shown.has(name));
    // Of few requests none may happen to find a file.
    if (amount.valid >= 1000) assert.deepEqual(silent, [], 'every report answered with rows');
    else if (amount.valid >= 300) assert.ok(silent.length <= 3, `without rows: ${silent.join(', ')}`);
    const faults = server.logged.filter((line) => line.includes('"level":"error"'));
    assert.deepEqual(faults, [], 'the server logged no errors');
    return tally;
  } finally {
    await server.close();
  }
}
