/**
 * A process of its own that stores batches, made ones and small ones that come in, until it is killed, by its parent or
 * by itself at a given step. Before that it looks at what the last one left behind and sends all of it again. It writes
 * `ready` and one line for every batch that is acknowledged: `<batchId> <seq>`; a batch that came in has no number.
 *
 * node made-process.js <folder> <file with a Task as JSON>
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, pid, stdout } from 'node:process';
import { Readable } from 'node:stream';
import { datasets } from '@storelens/contract';
import type { Product } from '../../src/products/index.js';
import { crash, guid, openMade, seen as seenRows, storedFiles } from './made-bench.js';
import { event, ndjson, products } from './posting.js';

/** What the process is to do. */
export interface Task {
  /** Where it kills itself, and at which occurrence; `end`: it ends once it has looked at everything. */
  readonly step: string;
  readonly occurrence: number;
  /** Numbers of the batches of the last process, `from` to below `first`; its own begin there. */
  readonly from: number;
  readonly first: number;
  /** Acknowledged batches and their numbers, of all processes so far. */
  readonly acknowledged: readonly (readonly [string, number])[];
}

const [, , folder = '', file = ''] = argv;
const task = JSON.parse(await readFile(file, 'utf8')) as Task;
const acknowledged = new Map(task.acknowledged);
const writers = 3;
let occurrences = 0;
let writing = false;

/** Ends the process without a warning at the wanted occurrence of the wanted step. */
function reached(name: string): void {
  if (!writing || name !== task.step) return;
  occurrences += 1;
  if (occurrences >= task.occurrence) process.kill(pid, 'SIGKILL');
}

const bench = await openMade(folder, {
  engine: (engine) => ({
    ...engine,
    async insert(batch) {
      reached('before insert');
      await engine.insert(batch);
      reached('after insert');
    },
    async command(statement) {
      await engine.command(statement);
      reached('after superseding');
    },
  }),
  files: (files) => ({
    ...files,
    async take(path, key) {
      await files.take(path, key);
      reached('after take');
    },
  }),
  ledger: (ledger) => ({
    ...ledger,
    async beginAll(requests) {
      const begun = await ledger.beginAll(requests);
      reached('after begin');
      return begun;
    },
    async finishAll(written, next) {
      const begun = await ledger.finishAll(written, next);
      reached('after finish');
      return begun;
    },
  }),
});

const numberOf = (batch: string) => Number(/\d+/.exec(batch)?.[0]);
const rowsOf = (number: number) => 1 + (number % 40);
const known: readonly Product[] = products.map((product) => ({ parentId: null, ...product }));

/** Sends a small batch; whether it is a duplicate. */
async function send(number: number): Promise<boolean> {
  const { usage } = datasets;
  assert.ok(usage);
  const userId = `sent-${number}`;
  const rows = Array.from({ length: rowsOf(number) }, (_, place) => ({
    ...event,
    userId,
    deviceId: `${place}`,
  }));
  const { duplicate } = await bench.ingest.accept({
    dataset: usage,
    accountId: 'a',
    products: { find: () => undefined, ofKind: (kind) => known.filter((one) => one.kind === kind) },
    body: Readable.from([Buffer.from(ndjson(rows))]),
    contentType: 'application/x-ndjson',
    contentEncoding: undefined,
    idempotencyKey: userId,
  });
  return duplicate;
}

async function lines(sql: string): Promise<readonly string[]> {
  const bytes = await bench.engine.query({ account: 'a', sql, format: 'TSV' });
  return Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
}

/** What is there: nothing half, nothing twice, nothing lost, every row with its file and every file with its row. */
async function check(): Promise<void> {
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.deepEqual(await readdir(join(folder, 'spool')), []);
  const snapshot = await bench.ledger.snapshot('a');
  const rows = await seenRows(bench, snapshot);
  const devices = rows.map((row) => numberOf(row));
  assert.equal(new Set(devices).size, devices.length, 'a row came twice');
  const [visible] = await lines('SELECT count() FROM failures WHERE supersededBy = 0');
  assert.equal(Number(visible), rows.length, 'rows that nobody will ever see');
  assert.deepEqual(
    Object.fromEntries(Object.entries(await storedFiles(folder)).sort()),
    Object.fromEntries(devices.map((number) => [`${guid(number)}.cab`, `batch-${number}`]).sort()),
    'files and rows differ',
  );
  const sent = new Set<string>();
  for (const line of await lines(
    `SELECT userId, count(), uniqExact(deviceId), uniqExact(seq), max(seq) <= ${snapshot} FROM usage GROUP BY userId`,
  )) {
    const [batch = '', ...counts] = line.split('\t');
    const all = rowsOf(numberOf(batch));
    assert.deepEqual(counts.map(Number), [all, all, 1, 1], `${batch} is not there once and whole`);
    sent.add(batch);
  }
  for (const [batch, seq] of acknowledged) {
    if (batch.startsWith('sent')) {
      assert.ok(sent.has(batch), `${batch} is lost`);
      continue;
    }
    assert.ok(seq <= snapshot, `${batch} cannot be seen`);
    const row = rows.find((one) => one.startsWith(`device ${numberOf(batch)} `));
    assert.ok(row !== undefined, `${batch} is lost`);
    if (batch.endsWith('New')) assert.equal(row, `device ${numberOf(batch)} New`);
  }
}

function acknowledge(batch: string, seq: number): void {
  acknowledged.set(batch, seq);
  stdout.write(`${batch} ${seq}\n`);
}

function changeOf(number: number) {
  return crash(bench.ingest, number, { file: false, name: 'New', supersedes: [guid(number)] });
}

/** Sends all of the last process again: what was acknowledged keeps its number, the rest is stored now. */
async function again(number: number): Promise<void> {
  const one = `sent-${number}`;
  const before = acknowledged.has(one);
  const duplicate = await send(number);
  if (before) assert.ok(duplicate, one);
  acknowledge(one, 0);
  for (const batch of [await crash(bench.ingest, number), await changeOf(number)]) {
    const stored = await bench.ingest.store(batch);
    const seq = acknowledged.get(batch.batchId);
    if (seq !== undefined) assert.deepEqual(stored, { seq, duplicate: true });
    acknowledge(batch.batchId, stored.seq);
  }
}

async function write(writer: number): Promise<void> {
  for (let number = task.first + writer; ; number += writers) {
    const batch = await crash(bench.ingest, number);
    reached('file written');
    acknowledge(batch.batchId, (await bench.ingest.store(batch)).seq);
    const change = await changeOf(number);
    acknowledge(change.batchId, (await bench.ingest.store(change)).seq);
  }
}

async function post(writer: number): Promise<void> {
  for (let number = task.first + writer; ; number += writers) {
    assert.equal(await send(number), false);
    acknowledge(`sent-${number}`, 0);
  }
}

await check();
const numbers = Array.from({ length: task.first - task.from }, (_, index) => task.from + index);
await Promise.all(numbers.map(again));
await check();
stdout.write('ready\n');
if (task.step === 'end') await bench.close();
else {
  writing = true;
  const each = Array.from({ length: writers }, (_, writer) => writer);
  await Promise.all([...each.map(write), ...each.map(post)]);
}
