/**
 * Reading crashes again while the engine, the disk or a thread fails: no crash gets two rows, and a call that cannot go
 * on says so or ends early. Real registry, engine and files; what a file says is given.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { failureRow } from '../../src/crashes/failure-row.js';
import type { Reprocessed } from '../../src/crashes/index.js';
import type { DumpFacts, Reading } from '../../src/crashes/reading.js';
import { createReprocess } from '../../src/crashes/reprocess.js';
import { EngineError } from '../../src/engine/index.js';
import { Failure } from '../../src/failure.js';
import { openFolder } from '../../src/files/folder.js';
import { systemRandom } from '../../src/system.js';
import { crash, failures, guid, type MadeBench, openMade, seen } from '../ingest/made-bench.js';
import { type SharedEngine, shareEngine } from '../ingest/shared-engine.js';

const everything = {
  accountId: 'a',
  products: { find: () => undefined, ofKind: () => [] },
  source: undefined,
  applicationId: undefined,
  failureHash: undefined,
  startDate: undefined,
  endDate: undefined,
  after: undefined,
} as const;

const bare = (number: number) => `device ${number} APPLICATION_FAULT`;
const named = (number: number) => `device ${number} APPLICATION_FAULT_a.exe!f`;

let shared: SharedEngine;
let folder: string;
let bench: MadeBench;
let fault: 'answer lost' | 'no superseding' | undefined;
/** Milliseconds that a reading takes on the clock of reprocessing, and the crash whose reading fails. */
let cost: number;
let failing: number | undefined;
let read: string[];
let reprocess: (after?: string) => Promise<Reprocessed>;

before(async () => {
  shared = await shareEngine();
});

after(() => shared.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-again-'));
  [fault, cost, failing, read] = [undefined, 0, undefined, []];
  bench = await openMade(
    folder,
    {
      engine: (engine) => ({
        ...engine,
        async insert(batch) {
          await engine.insert(batch);
          if (fault === 'answer lost') throw new EngineError('unavailable', 'the answer is lost', undefined);
        },
        async command(statement) {
          if (fault === 'no superseding' && statement.sql.includes('UPDATE')) {
            throw new EngineError('unavailable', 'the engine is away', undefined);
          }
          await engine.command(statement);
        },
      }),
    },
    shared.engine,
  );
  for (const number of [1, 2, 3, 4]) {
    const batch = await crash(bench.ingest, number);
    const known = { timestamp: '2024-02-29T10:00:00Z', source: 'app', deviceId: `device ${number}` };
    const extras = { cabId: '1000000000000', cabIdHash: guid(number), cabBytes: 7, processed: 'read' };
    await bench.ingest.store({ ...batch, rows: [failureRow(known, extras)] });
  }
  let time = 0;
  const { engine, ledger } = bench;
  const run = createReprocess({
    engine,
    ledger,
    files: await openFolder(join(folder, 'files')),
    ingest: { store: (batch) => bench.ingest.store(batch) },
    dataset: failures,
    clock: { now: () => time },
    random: systemRandom,
    atOnce: 1,
    async read(_accountId, path) {
      read.push(path.slice(-'1.cab'.length));
      time += cost;
      if (failing !== undefined && path.endsWith(`${failing}.cab`)) {
        throw new Failure('unavailable', ['Too many crash files wait to be read.']);
      }
      const frames = [{ image: 'a.exe', function: 'f()', functionOffset: 1n, found: 'context' }];
      const facts = { frames, exception: undefined } as unknown as DumpFacts;
      return { processed: 'read', facts, written: undefined } satisfies Reading;
    },
  });
  reprocess = (after) => run({ ...everything, after });
});

afterEach(async () => {
  await bench.close();
  await shared.empty();
  await rm(folder, { recursive: true, force: true });
});

const now = async () => await seen(bench, await bench.ledger.snapshot('a'));

async function live(): Promise<number> {
  const bytes = await bench.engine.query({
    account: 'a',
    sql: `SELECT count() FROM failures WHERE accountId = 'a' AND supersededBy = 0`,
    format: 'TSV',
  });
  return Number(Buffer.from(bytes).toString('utf8'));
}

const unavailable = (sentence: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === 'unavailable' && sentence.test(error.data.join(' '));

for (const kind of ['answer lost', 'no superseding'] as const) {
  for (const way of ['housekeeping', 'a restart'] as const) {
    test(`${kind}: the next call waits until ${way} has settled what the last one made`, async () => {
      fault = kind;
      await assert.rejects(reprocess(), unavailable(/./));
      assert.deepEqual(await now(), [1, 2, 3, 4].map(bare));
      await assert.rejects(reprocess(), unavailable(/earlier reprocessing/));
      fault = undefined;
      if (way === 'housekeeping') await bench.ingest.purge();
      else await bench.restart();
      assert.deepEqual(await now(), [1, 2, 3, 4].map(named));
      assert.equal(await live(), 4);
      assert.deepEqual(await reprocess(), { examined: 4, changed: 0, renamed: 0, next: null });
    });
  }
}

test('a call that takes too long ends after what it has begun, and the next one goes on', async () => {
  cost = 8000;
  const first = await reprocess();
  assert.deepEqual({ ...first, next: '' }, { examined: 2, changed: 2, renamed: 2, next: '' });
  assert.deepEqual(await now(), [...[1, 2].map(named), ...[3, 4].map(bare)]);
  // What the first call stored is not looked at again.
  assert.deepEqual(await reprocess(first.next ?? ''), { examined: 2, changed: 2, renamed: 2, next: null });
  assert.deepEqual(read, ['1.cab', '2.cab', '3.cab', '4.cab']);
  assert.deepEqual(await now(), [1, 2, 3, 4].map(named));
});

test('a crash that cannot be read now ends the call before it; if it is the first, the call fails', async () => {
  failing = 3;
  const first = await reprocess();
  assert.deepEqual({ ...first, next: '' }, { examined: 2, changed: 2, renamed: 2, next: '' });
  await assert.rejects(reprocess(first.next ?? ''), unavailable(/Too many/));
  failing = undefined;
  const rest = await reprocess(first.next ?? '');
  assert.deepEqual(rest, { examined: 2, changed: 2, renamed: 2, next: null });
  assert.deepEqual(await now(), [1, 2, 3, 4].map(named));
});

test('a position from the future shows nothing that is not settled', async () => {
  const done = { examined: 4, changed: 4, renamed: 4, next: null };
  assert.deepEqual(await reprocess(`999999999999999.0.${guid(0)}`), done);
});
