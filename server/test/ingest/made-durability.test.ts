/**
 * Made batches with files in a process of its own that is killed at every step and at random: afterwards every row
 * that can be seen has its file, every file its row, what was acknowledged is there, and everything may be sent again.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crash, guid, type MadeBench, openMade, seen, storedFiles } from './made-bench.js';
import { Chance } from './odd-rows.js';

const script = fileURLToPath(new URL('./made-process.js', import.meta.url));
const seed = Number(process.env.STORELENS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const randomRounds = Number(process.env.STORELENS_TEST_ROUNDS ?? 3);

let folder: string;
/** Acknowledged batches and their numbers, over all rounds. */
const acknowledged = new Map<string, number>();
let first = 0;

before(async () => {
  console.log(`STORELENS_TEST_SEED=${seed}`);
  folder = await mkdtemp(join(tmpdir(), 'storelens-killed-'));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Runs the process until it is killed: by itself at a step, or here after so many acknowledgements. */
async function killed(step: string, occurrence: number, acknowledgements = Number.POSITIVE_INFINITY) {
  const child = spawn(process.execPath, [script, folder, String(first), step, String(occurrence)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_code, signal) => resolve(signal));
  });
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') continue;
    const [batch = '', seq = ''] = line.split(' ');
    acknowledged.set(batch, Number(seq));
    count += 1;
    if (count === acknowledgements) child.kill('SIGKILL');
  }
  assert.equal(await ended, 'SIGKILL');
}

async function count(bench: MadeBench, where: string): Promise<number> {
  const bytes = await bench.engine.query({
    account: 'a',
    sql: `SELECT count() FROM failures WHERE ${where}`,
    format: 'TSV',
  });
  return Number(Buffer.from(bytes).toString('utf8'));
}

/** What a start finds: nothing half, nothing lost. Numbers of devices that are there. */
async function check(bench: MadeBench): Promise<void> {
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.deepEqual(await readdir(join(folder, 'spool')), []);
  const snapshot = await bench.ledger.snapshot('a');
  const rows = await seen(bench, snapshot);
  const devices = rows.map((row) => Number(row.split(' ')[1]));
  assert.equal(new Set(devices).size, devices.length, 'a row came twice');
  assert.equal(await count(bench, `supersededBy = 0`), rows.length, 'rows that nobody will ever see');
  const files = await storedFiles(folder);
  assert.deepEqual(
    Object.fromEntries(Object.entries(files).sort()),
    Object.fromEntries(devices.map((number) => [`${guid(number)}.cab`, `batch-${number}`]).sort()),
    'files and rows differ',
  );
  for (const [batch, seq] of acknowledged) {
    assert.ok(seq <= snapshot, `${batch} cannot be seen`);
    const number = Number(/\d+/.exec(batch)?.[0]);
    const row = rows.find((one) => one.startsWith(`device ${number} `));
    assert.ok(row !== undefined, `${batch} is lost`);
    if (batch.endsWith('New')) assert.equal(row, `device ${number} New`);
  }
}

/** Sends everything of this round again: what was acknowledged keeps its number, the rest is stored now. */
async function again(bench: MadeBench, upTo: number): Promise<void> {
  const numbers = Array.from({ length: upTo - first }, (_, index) => first + index);
  await Promise.all(
    numbers.map(async (number) => {
      for (const options of [{}, { file: false, name: 'New', supersedes: [guid(number)] }]) {
        const batch = await crash(bench.ingest, number, options);
        const { seq, duplicate } = await bench.ingest.store(batch);
        const known = acknowledged.get(batch.batchId);
        if (known !== undefined) assert.deepEqual({ seq, duplicate }, { seq: known, duplicate: true });
        acknowledged.set(batch.batchId, seq);
      }
    }),
  );
  await check(bench);
}

async function round(step: string, occurrence: number, acknowledgements?: number): Promise<void> {
  await killed(step, occurrence, acknowledgements);
  const numbers = [...acknowledged.keys()].map((batch) => Number(/\d+/.exec(batch)?.[0]));
  // Every writer may have been one batch further.
  const upTo = Math.max(first, ...numbers) + 7;
  const bench = await openMade(folder);
  try {
    await check(bench);
    await again(bench, upTo);
  } finally {
    await bench.close();
  }
  first = upTo;
}

const chance = new Chance(seed);

for (const step of [
  'file written',
  'before begin',
  'after begin',
  'before insert',
  'after insert',
  'before take',
  'after take',
  'before superseding',
  'after superseding',
  'before finish',
  'after finish',
]) {
  test(`killed: ${step}`, async () => {
    await round(step, 2 + chance.below(5));
  });
}

test('killed at random', async () => {
  for (let count = 0; count < randomRounds; count += 1) await round('never', 1, 3 + chance.below(25));
});
