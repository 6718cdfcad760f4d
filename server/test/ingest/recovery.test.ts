/**
 * What is left behind when something breaks at a given step, and how it is settled: lost answers of the engine, a
 * process that ended between any two steps. Real registry, engine and files; only the engine's answers are lost.
 */
import assert from 'node:assert/strict';
import { access, mkdtemp, readdir, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type DatasetEntry, datasets } from '@storelens/contract';
import { parseSettings } from '../../src/config.js';
import { completeFailures } from '../../src/crashes/complete-failures.js';
import { type Engine, EngineError } from '../../src/engine/index.js';
import { Failure } from '../../src/failure.js';
import { openFolder } from '../../src/files/folder.js';
import { createIngest, type Ingest } from '../../src/ingest/index.js';
import type { Ledger } from '../../src/ledger/index.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { Rollups } from '../../src/ledger/rollups.js';
import type { Product } from '../../src/products/index.js';
import type { Registry } from '../../src/registry/index.js';
import { openLibsqlRegistry } from '../../src/registry/libsql.js';
import { migrateRegistry } from '../../src/registry/migrate.js';
import { systemRandom } from '../../src/system.js';
import { event, ndjson, noon, products } from './posting.js';
import { type SharedEngine, shareEngine } from './shared-engine.js';

type Fault = 'before' | 'after' | 'too-large' | 'fault';

let shared: SharedEngine;
let folder: string;
let registry: Registry;
let real: Engine;
let engine: Engine;
let ledger: Ledger;
let ingest: Ingest;
let now: number;
let fault: Fault | undefined;
let warnings: string[];

before(async () => {
  shared = await shareEngine(1);
});

after(() => shared.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-recovery-'));
  registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  real = shared.engine;
  engine = {
    ...real,
    async insert(batch) {
      if (fault === 'before') throw new EngineError('unavailable', 'the engine is away', undefined);
      await real.insert(batch);
      if (fault === 'after') throw new EngineError('unavailable', 'the answer is lost', undefined);
      if (fault !== undefined) throw new EngineError(fault, 'it broke', undefined);
    },
  };
  now = noon;
  fault = undefined;
  warnings = [];
  ledger = createLedger(registry, { now: () => now });
  await restart();
});

afterEach(async () => {
  await ingest.close();
  await shared.empty();
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const warn = (_facts: unknown, message?: string) => {
  warnings.push(message ?? '');
};

/** A new ingestion over what is there, as after the end of a process. */
async function restart(): Promise<void> {
  const settings = parseSettings(['--ingest-queue', '3'], {});
  const clock = { now: () => now };
  ingest = await createIngest({
    engine,
    ledger,
    rollups: new Rollups(registry),
    files: await openFolder(join(folder, 'files')),
    clock,
    random: systemRandom,
    settings,
    folder,
    complete: { failure: completeFailures(systemRandom) },
    log: { warn },
  });
  await ingest.replay();
}

function post(
  key: string | undefined,
  rows: readonly object[] = [event, event],
  known: readonly Product[] = all,
  dataset: DatasetEntry | undefined = datasets.usage,
) {
  assert.ok(dataset);
  return ingest.accept({
    dataset,
    accountId: 'a',
    products: { find: () => undefined, ofKind: (kind) => known.filter((one) => one.kind === kind) },
    body: Readable.from([Buffer.from(ndjson(rows))]),
    contentType: 'application/x-ndjson',
    contentEncoding: undefined,
    idempotencyKey: key,
  });
}

const all: readonly Product[] = products.map((product) => ({ parentId: null, ...product }));

const failsWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

async function stored(): Promise<string> {
  const sql = 'SELECT seq, count() FROM usage GROUP BY seq ORDER BY seq';
  const bytes = await real.query({ account: 'a', sql, format: 'TSV' });
  return Buffer.from(bytes).toString('utf8').trim().replaceAll('\t', ':').replaceAll('\n', ' ');
}

const spooled = async () => (await readdir(join(folder, 'spool'))).length;

/** Returns when the spool is empty; files of what is stored go behind its answer. */
async function emptied(): Promise<void> {
  while ((await spooled()) > 0) await new Promise(setImmediate);
}

for (const lost of ['before', 'after'] as const) {
  test(`engine away, ${lost} the insert: the sender's retry takes over at once`, async () => {
    fault = lost;
    await assert.rejects(post('k'), (error: unknown) => error instanceof Failure && error.retryAfter === 5);
    await assert.rejects(post('k'), failsWith('unavailable'));
    assert.equal(await spooled(), 2, 'one body and its statement, however often it is sent');
    assert.equal(await ledger.snapshot('a'), 0);
    fault = undefined;
    assert.equal((await post('k')).duplicate, false);
    assert.equal(await stored(), '1:2');
    assert.equal((await post('k')).duplicate, true);
    assert.equal(await ledger.snapshot('a'), 1);
    await emptied();
  });

  test(`engine away, ${lost} the insert: nobody comes back, housekeeping stores the batch`, async () => {
    fault = lost;
    await assert.rejects(post(undefined), failsWith('unavailable'));
    await ingest.purge();
    assert.equal(await ledger.snapshot('a'), 0);
    fault = undefined;
    await ingest.purge();
    assert.equal(await stored(), '1:2');
    assert.equal(await ledger.snapshot('a'), 1);
    await emptied();
  });

  test(`engine away, ${lost} the insert: the next start stores the batch`, async () => {
    fault = lost;
    await assert.rejects(post('k'), failsWith('unavailable'));
    fault = undefined;
    now += 86_400_000;
    await restart();
    assert.equal(await stored(), '1:2');
    assert.equal((await post('k')).duplicate, true);
    await emptied();
  });
}

for (const lost of ['before', 'after'] as const) {
  for (const way of ['retry', 'start'] as const) {
    test(`completed rows, engine away ${lost} the insert: the ${way} stores them once`, async () => {
      const row = { timestamp: event.timestamp, source: 'hardware', frames: [{ image: 'a.sys' }] };
      const names = `SELECT groupArray(failureName), count(), uniqExact(cabId) FROM failures`;
      const asked = async () => {
        const bytes = await real.query({ account: 'a', sql: names, format: 'TSV' });
        return Buffer.from(bytes).toString('utf8').trim();
      };
      fault = lost;
      await assert.rejects(post('k', [row, row], all, datasets.failures), failsWith('unavailable'));
      assert.equal(await spooled(), 3, 'body, completed rows, statement');
      fault = undefined;
      if (way === 'start') await restart();
      else assert.equal((await post('k', [row, row], all, datasets.failures)).duplicate, false);
      const name = `'APPLICATION_FAULT_a!unknown_function'`;
      assert.equal(await asked(), `[${name},${name}]\t2\t2`);
      assert.equal((await post('k', [row, row], all, datasets.failures)).duplicate, true);
      await emptied();
    });
  }
}

test('another body under the key of a batch that is still open is a conflict', async () => {
  fault = 'before';
  await assert.rejects(post('k'), failsWith('unavailable'));
  fault = undefined;
  await assert.rejects(post('k', [event]), failsWith('conflict'));
  await ingest.purge();
  assert.equal(await stored(), '1:2');
});

test('a retry repeats the first attempt as it was, whatever became of the products meanwhile', async () => {
  fault = 'after';
  await assert.rejects(post('k'), failsWith('unavailable'));
  fault = undefined;
  assert.equal(await stored(), '1:2');
  assert.equal((await post('k', [event, event], [])).duplicate, false);
  assert.equal(await stored(), '1:2');
  assert.equal(await ledger.snapshot('a'), 1);
  await assert.rejects(post('l', [event, event], []), failsWith('invalid-rows'));
});

for (const kind of ['too-large', 'fault'] as const) {
  test(`an engine error of kind '${kind}' leaves no rows and a free key`, async () => {
    fault = kind;
    const code =
      kind === 'too-large' ? failsWith('too-large') : (error: unknown) => error instanceof EngineError;
    await assert.rejects(post('k'), code);
    assert.equal(await stored(), '');
    await emptied();
    fault = undefined;
    assert.equal((await post('k')).duplicate, false);
    assert.equal(await stored(), '2:2');
  });
}

test('a kept batch that turns out bad is given up and told to the log', async () => {
  fault = 'before';
  await assert.rejects(post('k'), failsWith('unavailable'));
  fault = 'fault';
  await ingest.purge();
  assert.deepEqual(warnings, ['a kept batch was given up']);
  assert.equal(await stored(), '');
  assert.deepEqual(await ledger.unfinished(), []);
  await emptied();
});

for (const kind of ['too-large', 'refused'] as const) {
  test(`a commit that the registry would not end after '${kind}' is settled by housekeeping`, async () => {
    const failing = `CREATE TRIGGER failing BEFORE UPDATE ON commits WHEN NEW.state IN ('void', 'closing')
      BEGIN SELECT RAISE(ABORT, 'no room'); END`;
    await registry.all(failing);
    if (kind === 'too-large') {
      fault = kind;
      await assert.rejects(post('k'), AggregateError);
    } else await assert.rejects(post('k', [event, event], []), AggregateError);
    fault = undefined;
    await emptied();
    await assert.rejects(ingest.purge(), /housekeeping failed/);
    assert.equal((await ledger.unfinished()).length, 1);
    assert.equal(await ledger.snapshot('a'), 0, 'held down');
    await registry.all('DROP TRIGGER failing');
    await ingest.purge();
    assert.deepEqual(await ledger.unfinished(), []);
    assert.equal(await ledger.snapshot('a'), 1);
    assert.equal(await stored(), '');
    assert.equal((await post('k')).duplicate, false);
    assert.equal(await stored(), '2:2');
  });
}

test('housekeeping gives up no batch that is running', async () => {
  let running = true;
  const batches = (async () => {
    for (let number = 0; number < 8; number += 1) assert.equal((await post(`${number}`)).accepted, 2);
  })().finally(() => {
    running = false;
  });
  while (running) await ingest.purge();
  await batches;
  assert.equal(await ledger.snapshot('a'), 8);
});

test('an open commit without files is removed and voided', async () => {
  fault = 'after';
  await assert.rejects(post('k'), failsWith('unavailable'));
  fault = undefined;
  for (const name of await readdir(join(folder, 'spool'))) await unlink(join(folder, 'spool', name));
  await restart();
  assert.equal(await stored(), '');
  assert.deepEqual(await ledger.unfinished(), []);
  assert.equal((await post('k')).duplicate, false);
  assert.equal(await stored(), '2:2');
});

for (const [way, lost] of [
  ['to a half', 'before'],
  ['to a half', 'after'],
  ['to nothing', 'after'],
] as const) {
  test(`a large batch whose rows a loss of power tore ${way} (${lost}) is given up, and stored once when it comes again`, async () => {
    const many = Array.from({ length: 8000 }, () => event);
    fault = lost;
    await assert.rejects(post('k', many), failsWith('unavailable'));
    fault = undefined;
    const rows = (await readdir(join(folder, 'spool'))).filter((name) => name.endsWith('.rows'));
    assert.equal(rows.length, 1);
    const path = join(folder, 'spool', rows[0] ?? '');
    const { size } = await stat(path);
    // A half ends within a line, or behind one: only the hash tells.
    await truncate(path, way === 'to nothing' ? 0 : (size / many.length) * (many.length / 2));
    await restart();
    assert.equal(await stored(), '');
    assert.deepEqual(await ledger.unfinished(), []);
    assert.equal((await post('k', many)).duplicate, false);
    assert.equal(await stored(), '2:8000');
    await emptied();
  });
}

test('files of a commit that is done, half files and strangers are swept', async () => {
  fault = 'after';
  await assert.rejects(post('k'), failsWith('unavailable'));
  fault = undefined;
  const [open] = await ledger.unfinished();
  assert.ok(open);
  await ledger.finish(open.commit, '2024-02-29', '2024-02-29');
  await writeFile(join(folder, 'spool', 'half.rows'), '{"timest');
  await writeFile(join(folder, 'spool', 'torn.json'), '{"id":"to');
  await writeFile(join(folder, 'spool', 'torn.rows'), '{}');
  await restart();
  await emptied();
  assert.equal(await stored(), '1:2');
  await access(join(folder, 'spool'));
});

test('batches that wait for the engine are bounded', async () => {
  fault = 'before';
  for (const key of ['1', '2', '3']) await assert.rejects(post(key), failsWith('unavailable'));
  await assert.rejects(post('4'), /3 batches are being received or stored/);
  fault = undefined;
  await ingest.purge();
  assert.equal((await post('4')).accepted, 2);
  assert.equal(await stored(), '1:2 2:2 3:2 4:2');
});

test('a closed ingestion refuses and has let running batches end', async () => {
  const running = post('k');
  await ingest.close();
  assert.equal((await running).accepted, 2);
  await assert.rejects(post('l'), failsWith('unavailable'));
});
