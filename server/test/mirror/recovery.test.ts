/**
 * Mirrored days when something breaks: the engine's answer is lost, the process ends before the registry hears of a
 * stored day, a newer version of a day comes before an older one was settled. Real registry, engine and files.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { mirrorTables } from '@storelens/contract';
import { parseSettings } from '../../src/config.js';
import { completeFailures } from '../../src/crashes/complete-failures.js';
import { type Engine, EngineError } from '../../src/engine/index.js';
import { Failure } from '../../src/failure.js';
import { openFolder } from '../../src/files/folder.js';
import { createIngest, type Ingest } from '../../src/ingest/index.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { Rollups } from '../../src/ledger/rollups.js';
import { createMirror, type Mirror } from '../../src/mirror/index.js';
import type { Registry } from '../../src/registry/index.js';
import { openLibsqlRegistry } from '../../src/registry/libsql.js';
import { migrateRegistry } from '../../src/registry/migrate.js';
import { systemRandom } from '../../src/system.js';
import { type SharedEngine, shareEngine } from '../ingest/shared-engine.js';

let shared: SharedEngine;
let folder: string;
let registry: Registry;
let real: Engine;
let ingest: Ingest;
let mirror: Mirror;
/** Where the engine's answer is lost. */
let lost: 'before' | 'after' | undefined;
/** Whether the registry is away when it is to hear of a stored day. */
let deaf: boolean;

const clock = { now: () => Date.UTC(2026, 2, 20, 12) };

before(async () => {
  shared = await shareEngine(1);
});

after(() => shared.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-mirror-'));
  registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  real = shared.engine;
  lost = undefined;
  deaf = false;
  await restart();
});

afterEach(async () => {
  await ingest.close();
  await shared.empty();
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** A new process over what is there. */
async function restart(): Promise<void> {
  const settings = parseSettings([], {});
  const engine: Engine = {
    ...real,
    async insert(batch) {
      if (lost === 'before') throw new EngineError('unavailable', 'the engine is away', undefined);
      await real.insert(batch);
      if (lost === 'after') throw new EngineError('unavailable', 'the answer is lost', undefined);
    },
  };
  ingest = await createIngest({
    ...{ engine, clock, random: systemRandom, settings, folder },
    ledger: createLedger(registry, clock),
    rollups: new Rollups(registry),
    files: await openFolder(join(folder, 'files')),
    complete: { failure: completeFailures(systemRandom) },
    log: { warn: () => undefined },
  });
  await ingest.replay();
  const hearing: Registry = {
    get: (sql, params) => registry.get(sql, params),
    all: async (sql, params) => {
      if (deaf && sql.includes('read_at = ')) throw new Error('the registry is away');
      return await registry.all(sql, params);
    },
    transaction: (work) => registry.transaction(work),
    close: () => registry.close(),
  };
  mirror = createMirror({ ingest, registry: hearing, engine, clock, settings });
}

const [table] = Object.values(mirrorTables);
assert.ok(table);

function put(quantity: number) {
  assert.ok(table);
  return mirror.put({
    ...{ accountId: 'a', table, scope: 'APP1', day: '2026-03-14', grouping: 'market', level: 'day' },
    settled: false,
    products: { find: () => undefined, ofKind: () => [] },
    body: Readable.from([Buffer.from(JSON.stringify({ market: 'US', acquisitionQuantity: quantity }))]),
    contentType: 'application/x-ndjson',
    contentEncoding: undefined,
  });
}

/** Quantities by commit. */
async function stored(): Promise<string> {
  const sql = `SELECT seq, acquisitionQuantity FROM ${table?.name} WHERE NOT isDay ORDER BY seq`;
  const bytes = await real.query({ account: 'a', sql, format: 'TSV' });
  return Buffer.from(bytes).toString('utf8').trim().replaceAll('\t', ':').replaceAll('\n', ' ');
}

/** What is told of the days. */
async function days() {
  const asked = { accountId: 'a', report: table?.report.name, scope: 'APP1', from: undefined, to: undefined };
  const { days: known = [] } = await mirror.state(asked);
  return known.map(({ day, state, rows }) => [day, state, rows]);
}

const isAway = (error: unknown) => error instanceof Failure && error.code === 'unavailable';

/** Files of what is stored go behind its answer. */
async function emptied(): Promise<void> {
  while ((await readdir(join(folder, 'spool'))).length > 0) await new Promise(setImmediate);
}

for (const where of ['before', 'after'] as const) {
  test(`the engine is away ${where} the insert: the same day once more is stored once`, async () => {
    lost = where;
    await assert.rejects(put(1), isAway);
    await assert.rejects(put(1), isAway);
    lost = undefined;
    assert.equal((await put(1)).state, 'read');
    assert.equal((await put(1)).duplicate, true);
    assert.equal(await stored(), '1:1');
    await emptied();
  });

  test(`a process ends ${where} the insert: the next one stores the day`, async () => {
    lost = where;
    await assert.rejects(put(1), isAway);
    await ingest.close();
    lost = undefined;
    await restart();
    assert.equal(await stored(), '1:1');
    assert.equal((await put(1)).state, 'read');
    assert.equal(await stored(), '1:1', 'the repeated attempt finds its own commit');
    await emptied();
  });
}

test('a process ends before the registry hears of the day', async () => {
  deaf = true;
  await assert.rejects(put(1), /the registry is away/);
  deaf = false;
  assert.deepEqual([(await put(1)).rows, await stored()], [1, '1:1']);
  assert.deepEqual([(await put(2)).duplicate, await stored()], [false, '1:1 2:2']);
  assert.deepEqual(
    [(await put(1)).duplicate, await stored()],
    [false, '1:1 2:2 3:1'],
    'an old content comes back',
  );
});

test('the source goes back to what was known, after a content that the registry did not hear of', async () => {
  await put(1);
  deaf = true;
  await assert.rejects(put(2), /the registry is away/);
  deaf = false;
  assert.deepEqual([(await put(1)).duplicate, await stored()], [false, '1:1 2:2 3:1']);
  assert.deepEqual([(await put(1)).duplicate, await stored()], [true, '1:1 2:2 3:1']);
});

test('a content that comes back is the newest, though nobody heard of the ones between', async () => {
  const lostWord = async (quantity: number) => {
    deaf = true;
    await assert.rejects(put(quantity), /the registry is away/);
    deaf = false;
  };
  await lostWord(1);
  await lostWord(2);
  assert.deepEqual(await days(), [], 'nothing is known of the day yet');
  assert.deepEqual([(await put(1)).duplicate, await stored()], [false, '1:1 2:2 3:1'], 'of a new day');
  await lostWord(2);
  await lostWord(1);
  await lostWord(1);
  assert.equal(await stored(), '1:1 2:2 3:1 4:2 5:1', 'an attempt that is repeated finds its own commit');
  await ingest.close();
  await restart();
  assert.deepEqual([(await put(2)).duplicate, await stored()], [false, '1:1 2:2 3:1 4:2 5:1 6:2']);
  assert.deepEqual(await days(), [['2026-03-14', 'read', 1]]);
});

test('a content comes back while an older attempt at it is not settled', async () => {
  await put(1);
  lost = 'before';
  await assert.rejects(put(2), isAway);
  await assert.rejects(put(1), isAway);
  lost = undefined;
  assert.equal((await put(2)).duplicate, false);
  await ingest.purge();
  assert.equal(await stored(), '1:1 2:2 3:1 4:2');
  assert.equal((await put(2)).duplicate, true);
  await emptied();
});

test('a newer version is stored while an older one is not settled: it is the newest', async () => {
  lost = 'before';
  await assert.rejects(put(1), isAway);
  lost = undefined;
  await put(2);
  await ingest.purge();
  assert.equal(await stored(), '1:1 2:2');
  await emptied();
});
