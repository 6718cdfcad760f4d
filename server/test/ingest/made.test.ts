/**
 * Group commit of batches that are made here: shared inserts, once per batch, files with their rows, rows that take
 * the place of others, and what is left when engine, disk or registry fail. Real registry, engine and files.
 */
import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { EngineError } from '../../src/engine/index.js';
import { Failure } from '../../src/failure.js';
import { crash, guid, type MadeBench, openMade, seen, storedFiles } from './made-bench.js';
import { type SharedEngine, shareEngine } from './shared-engine.js';

type Fault = 'fewer' | 'before' | 'after' | 'fault' | 'refused' | 'no files' | 'no finish' | 'no superseding';

let shared: SharedEngine;
let folder: string;
let bench: MadeBench;
let fault: Fault | undefined;
let inserts: number;
/** Whether inserts may outlive the process that sent them. */
let elsewhere: boolean;

before(async () => {
  shared = await shareEngine();
});

after(() => shared.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-made-'));
  fault = undefined;
  inserts = 0;
  elsewhere = false;
  bench = await openMade(
    folder,
    {
      engine: (engine) => ({
        ...engine,
        kind: elsewhere ? 'clickhouse' : engine.kind,
        async insert(batch) {
          inserts += 1;
          if (fault === 'before') throw new EngineError('unavailable', 'the engine is away', undefined);
          if (fault === 'refused') throw new EngineError('refused', 'bad row', 395);
          await engine.insert(batch);
          if (fault === 'after') throw new EngineError('unavailable', 'the answer is lost', undefined);
          if (fault === 'fault') throw new EngineError('fault', 'it broke', undefined);
        },
        async query(query) {
          // As if the insert had dropped the rows of the second batch.
          if (fault === 'fewer' && query.sql.includes('count()')) {
            fault = undefined;
            const { params = {} } = query;
            return await engine.query({ ...query, params: { ...params, first: Number(params.first) + 1 } });
          }
          return await engine.query(query);
        },
        async command(statement) {
          if (fault === 'no superseding' && statement.sql.includes('UPDATE')) {
            throw new EngineError('unavailable', 'the engine is away', undefined);
          }
          await engine.command(statement);
        },
      }),
      files: (files) => ({
        ...files,
        async take(path, key) {
          if (fault === 'no files') throw new Error('no room');
          await files.take(path, key);
        },
      }),
      ledger: (ledger) => ({
        ...ledger,
        async finishAll(written, next) {
          if (fault === 'no finish') throw new Error('no room');
          return await ledger.finishAll(written, next);
        },
      }),
    },
    shared.engine,
  );
});

afterEach(async () => {
  await bench.close();
  await shared.empty();
  await rm(folder, { recursive: true, force: true });
});

const spooled = async () => (await readdir(join(folder, 'spool'))).length;
const now = () => bench.ledger.snapshot('a');
const visible = async () => await seen(bench, await now());
const failsWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('64 batches at a time: each once, few inserts, all files there', async () => {
  const batches = await Promise.all(Array.from({ length: 64 }, (_, index) => crash(bench.ingest, index)));
  const stored = await Promise.all(batches.map((batch) => bench.ingest.store(batch)));
  assert.deepEqual(
    stored.map(({ seq }) => seq).sort((a, b) => a - b),
    Array.from({ length: 64 }, (_, index) => index + 1),
  );
  assert.ok(stored.every(({ duplicate }) => !duplicate));
  assert.ok(inserts <= 4, `${inserts} inserts`);
  assert.equal((await visible()).length, 64);
  const files = await storedFiles(folder);
  for (const { batchId, files: own } of batches) {
    assert.equal(files[own[0]?.key.split('/').at(-1) ?? ''], batchId);
  }
  assert.equal(await spooled(), 0);

  const again = await Promise.all(
    Array.from({ length: 64 }, async (_, index) => bench.ingest.store(await crash(bench.ingest, index))),
  );
  assert.deepEqual(
    again,
    stored.map(({ seq }) => ({ seq, duplicate: true })),
  );
  assert.equal((await visible()).length, 64);
  assert.equal(await spooled(), 0);
});

test('the same batch many times at once is stored once', async () => {
  const batches = await Promise.all(Array.from({ length: 20 }, () => crash(bench.ingest, 1)));
  const stored = await Promise.all(batches.map((batch) => bench.ingest.store(batch)));
  assert.deepEqual(new Set(stored.map(({ seq }) => seq)), new Set([1]));
  assert.equal(stored.filter(({ duplicate }) => !duplicate).length, 1);
  assert.deepEqual(await visible(), ['device 1 Name']);
  assert.deepEqual(await storedFiles(folder), { [`${guid(1)}.cab`]: 'batch-1' });
  assert.equal(await spooled(), 0);
});

test('another body under the same id is a conflict, and its file is dropped', async () => {
  await bench.ingest.store(await crash(bench.ingest, 1));
  const other = await crash(bench.ingest, 2);
  await assert.rejects(bench.ingest.store({ ...other, batchId: 'batch-1' }), failsWith('conflict'));
  assert.equal(await spooled(), 0);
  assert.deepEqual(Object.values(await storedFiles(folder)), ['batch-1']);
});

for (const lost of ['before', 'after', 'no files', 'no finish'] as const) {
  for (const way of ['retry', 'housekeeping', 'start'] as const) {
    test(`a group that broke (${lost}) is settled by ${way}, whole`, async () => {
      // The first one goes alone; the others gather behind it.
      const batches = await Promise.all([1, 2, 3, 4].map((number) => crash(bench.ingest, number)));
      fault = lost;
      const stored = await Promise.allSettled(batches.map((batch) => bench.ingest.store(batch)));
      assert.ok(stored.every(({ status }) => status === 'rejected'));
      assert.equal(await now(), 0);
      assert.deepEqual(await visible(), []);
      fault = undefined;
      if (way === 'retry') {
        const one = await bench.ingest.store(await crash(bench.ingest, 4));
        assert.equal(one.duplicate, true, 'what was kept is stored, not what came again');
        assert.equal(one.seq, 4);
        const all = await Promise.all(
          [1, 2, 3, 4].map(async (number) => bench.ingest.store(await crash(bench.ingest, number))),
        );
        assert.deepEqual(
          all.map(({ seq }) => seq),
          [1, 2, 3, 4],
        );
      } else if (way === 'housekeeping') await bench.ingest.purge();
      else await bench.restart();
      assert.deepEqual(
        await visible(),
        [1, 2, 3, 4].map((number) => `device ${number} Name`),
      );
      assert.equal(await now(), 4);
      assert.deepEqual(
        Object.values(await storedFiles(folder)).sort(),
        [1, 2, 3, 4].map((number) => `batch-${number}`),
      );
      assert.equal(await spooled(), 0);
      assert.deepEqual(await bench.ledger.unfinished(), []);
    });
  }
}

test('one batch that the engine does not take harms no other of its group', async () => {
  const bad = await crash(bench.ingest, 3);
  const rows = [{ ...bad.rows[0], frames: 'none' }];
  const batches = await Promise.all([1, 2, 4, 5].map((number) => crash(bench.ingest, number)));
  const stored = await Promise.allSettled(
    [...batches.slice(0, 2), { ...bad, rows }, ...batches.slice(2)].map((batch) => bench.ingest.store(batch)),
  );
  assert.deepEqual(
    stored.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.deepEqual(
    await visible(),
    [1, 2, 4, 5].map((number) => `device ${number} Name`),
  );
  assert.equal(Object.keys(await storedFiles(folder)).length, 4);
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.equal(await spooled(), 0);
});

test('a group that is not stored whole is taken back, and its halves are stored', async () => {
  const batches = await Promise.all([1, 2, 3].map((number) => crash(bench.ingest, number)));
  fault = 'fewer';
  const stored = await Promise.all(batches.map((batch) => bench.ingest.store(batch)));
  assert.deepEqual(
    stored.map(({ seq }) => seq),
    [4, 5, 6],
  );
  assert.equal(inserts, 3);
  assert.equal((await visible()).length, 3);
  assert.equal(Object.keys(await storedFiles(folder)).length, 3);

  fault = 'fewer';
  await assert.rejects(
    bench.ingest.store(await crash(bench.ingest, 4)),
    /commit 7 of failures: 1 rows were sent, 0 are stored/,
  );
  assert.equal(Object.keys(await storedFiles(folder)).length, 3);
  assert.equal((await visible()).length, 3);
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.equal(await spooled(), 0);
});

test('rows take the place of others: snapshots on both sides of the commit', async () => {
  for (const number of [1, 2]) await bench.ingest.store(await crash(bench.ingest, number));
  const renamed = await crash(bench.ingest, 1, { file: false, name: 'New', supersedes: [guid(1)] });
  const { seq } = await bench.ingest.store(renamed);
  assert.equal(seq, 3);
  assert.deepEqual(await seen(bench, 2), ['device 1 Name', 'device 2 Name']);
  assert.deepEqual(await seen(bench, 3), ['device 1 New', 'device 2 Name']);
  assert.deepEqual(await storedFiles(folder), {
    [`${guid(1)}.cab`]: 'batch-1',
    [`${guid(2)}.cab`]: 'batch-2',
  });
  // And once more: the newest stays.
  await bench.ingest.store(
    await crash(bench.ingest, 1, { file: false, name: 'Newer', supersedes: [guid(1), guid(2)] }),
  );
  assert.deepEqual(await seen(bench, 2), ['device 1 Name', 'device 2 Name']);
  assert.deepEqual(await seen(bench, 3), ['device 1 New', 'device 2 Name']);
  assert.deepEqual(await seen(bench, 4), ['device 1 Newer']);
});

test('accounts share nothing: batch ids, numbers and superseding are their own', async () => {
  const own = await crash(bench.ingest, 1, { file: false });
  const others = { ...own, accountId: 'b' };
  const stored = await Promise.all([own, others].map((batch) => bench.ingest.store(batch)));
  assert.deepEqual(stored, [
    { seq: 1, duplicate: false },
    { seq: 1, duplicate: false },
  ]);
  const change = await crash(bench.ingest, 1, { file: false, name: 'New', supersedes: [guid(1)] });
  await bench.ingest.store({ ...change, accountId: 'b' });
  assert.deepEqual(await visible(), ['device 1 Name']);
  assert.equal(await now(), 1);
  assert.equal(await bench.ledger.snapshot('b'), 2);
});

test('two that supersede the same row in one group: the later one stays', async () => {
  await bench.ingest.store(await crash(bench.ingest, 1));
  const changes = await Promise.all(
    ['A', 'B', 'C'].map((name) => crash(bench.ingest, 1, { file: false, name, supersedes: [guid(1)] })),
  );
  await Promise.all(changes.map((batch) => bench.ingest.store(batch)));
  assert.deepEqual(await seen(bench, 2), ['device 1 A']);
  assert.deepEqual(await seen(bench, 3), ['device 1 B']);
  assert.deepEqual(await visible(), ['device 1 C']);
});

test('a change that is not settled holds later ones of the same rows back', async () => {
  await bench.ingest.store(await crash(bench.ingest, 1));
  const change = async (name: string) =>
    bench.ingest.store(await crash(bench.ingest, 1, { file: false, name, supersedes: [guid(1)] }));
  for (const broken of ['before', 'after', 'no superseding'] as const) {
    fault = broken;
    await assert.rejects(change(broken), failsWith('unavailable'));
    await assert.rejects(change('later'), failsWith('unavailable'));
    assert.equal(new Set(await visible()).size, 1);
    fault = undefined;
    await change(`after ${broken}`);
    assert.deepEqual(await visible(), [`device 1 after ${broken}`]);
  }
  assert.equal(await spooled(), 0);
});

test('a change that is given up is undone', async () => {
  for (const number of [1, 2]) await bench.ingest.store(await crash(bench.ingest, number));
  fault = 'no finish';
  const change = await crash(bench.ingest, 1, { file: false, name: 'New', supersedes: [guid(1), guid(2)] });
  await assert.rejects(bench.ingest.store(change), /no room/);
  assert.deepEqual(await seen(bench, 2), ['device 1 Name', 'device 2 Name']);
  assert.deepEqual(await seen(bench, 3), ['device 1 New'], 'all but done');
  fault = 'fault';
  await bench.ingest.purge();
  assert.deepEqual(bench.warnings, ['a kept batch was given up']);
  fault = undefined;
  assert.equal(await now(), 3);
  assert.deepEqual(await visible(), ['device 1 Name', 'device 2 Name']);
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.equal((await bench.ingest.store({ ...change })).seq, 4);
  assert.deepEqual(await visible(), ['device 1 New']);
});

test('a batch that is given up after its file was taken leaves neither row nor file', async () => {
  fault = 'no finish';
  await assert.rejects(bench.ingest.store(await crash(bench.ingest, 1)), /no room/);
  assert.equal(Object.keys(await storedFiles(folder)).length, 1);
  fault = 'fault';
  await bench.ingest.purge();
  fault = undefined;
  assert.deepEqual(await storedFiles(folder), {});
  assert.deepEqual(await seen(bench, 1), []);
  assert.equal(await spooled(), 0);
  assert.equal((await bench.ingest.store(await crash(bench.ingest, 1))).seq, 2);
  assert.deepEqual(Object.values(await storedFiles(folder)), ['batch-1']);
});

test('a removal that is ended later takes no file of a batch that came again meanwhile', async () => {
  fault = 'no finish';
  await assert.rejects(bench.ingest.store(await crash(bench.ingest, 1)), /no room/);
  fault = undefined;
  // As if the process had ended while it gave the batch up; a new one waits until no insert can be under way.
  for (const { commit } of await bench.ledger.unfinished()) await bench.ledger.giveUp(commit);
  elsewhere = true;
  await bench.restart();
  bench.pass(15 * 60_000);
  const staged = (await readdir(join(folder, 'spool'))).find((name) => name.endsWith('.json')) ?? '';
  const obstacle = join(folder, 'spool', staged.replace('.json', '.complete'));
  await mkdir(obstacle);
  await assert.rejects(bench.ingest.purge(), /housekeeping failed/);
  assert.deepEqual(await bench.ledger.unfinished(), []);
  await rm(obstacle, { recursive: true });
  assert.equal((await bench.ingest.store(await crash(bench.ingest, 1))).seq, 2);
  await bench.ingest.purge();
  assert.deepEqual(await visible(), ['device 1 Name']);
  assert.deepEqual(Object.values(await storedFiles(folder)), ['batch-1']);
});

test('a file whose time was over before its commit was done holds nothing up', async () => {
  fault = 'no finish';
  await assert.rejects(bench.ingest.store(await crash(bench.ingest, 1)), /no room/);
  await rm(join(folder, 'files', 'crashes'), { recursive: true });
  fault = undefined;
  await bench.ingest.purge();
  assert.deepEqual(await visible(), ['device 1 Name']);
  assert.deepEqual(await bench.ledger.unfinished(), []);
});

test('an open commit whose group is lost is removed and begins anew', async () => {
  fault = 'after';
  await assert.rejects(bench.ingest.store(await crash(bench.ingest, 1)), failsWith('unavailable'));
  for (const name of await readdir(join(folder, 'spool'))) await rm(join(folder, 'spool', name));
  fault = undefined;
  // On a server the lost insert may still be under way for a while.
  await bench.restart(15 * 60_000);
  assert.deepEqual(await seen(bench, 1), []);
  assert.equal((await bench.ingest.store(await crash(bench.ingest, 1))).seq, 2);
  assert.deepEqual(await visible(), ['device 1 Name']);
});

test('files that belong to no batch are swept at a start, those of kept batches are not', async () => {
  fault = 'before';
  await assert.rejects(bench.ingest.store(await crash(bench.ingest, 1)), failsWith('unavailable'));
  const stray = bench.ingest.newFile();
  await writeFile(stray, 'half an upload');
  assert.equal(await spooled(), 4);
  await bench.restart();
  await assert.rejects(access(stray));
  assert.equal(await spooled(), 3);
  fault = undefined;
  await bench.restart();
  assert.equal(await spooled(), 0);
  assert.deepEqual(Object.values(await storedFiles(folder)), ['batch-1']);
});

test('a closed ingestion refuses, drops the file, and has let running batches end', async () => {
  const running = bench.ingest.store(await crash(bench.ingest, 1));
  const late = await crash(bench.ingest, 2);
  await bench.ingest.close();
  assert.equal((await running).seq, 1);
  await assert.rejects(bench.ingest.store(late), failsWith('unavailable'));
  assert.equal(await spooled(), 0);
});
