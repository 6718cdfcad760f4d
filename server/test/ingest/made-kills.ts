/**
 * Groups of batches, made ones with files and small ones that come in, in a process of its own that is killed at every
 * step and at random. The next process finds every row that can be seen with its file, every file with its row, what was
 * acknowledged there once and whole, and everything may be sent again.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Dice } from '../oracle/random.js';
import type { Task } from './made-process.js';

const script = fileURLToPath(new URL('./made-process.js', import.meta.url));
const seed = Number(process.env.STORELENS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

let folder: string;
/** Acknowledged batches and their numbers, over all rounds. */
const acknowledged = new Map<string, number>();
let from = 0;
let first = 0;

before(async () => {
  console.log(`STORELENS_TEST_SEED=${seed}`);
  folder = await mkdtemp(join(tmpdir(), 'storelens-killed-'));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Runs the process until it is killed: by itself at a step, or here after so many acknowledgements. */
async function round(step: string, occurrence = 1, acknowledgements = Number.POSITIVE_INFINITY) {
  const task: Task = { step, occurrence, from, first, acknowledged: [...acknowledged] };
  const file = `${folder}.json`;
  await writeFile(file, JSON.stringify(task));
  const child = spawn(process.execPath, [script, folder, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<unknown>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  let ready = false;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') {
      ready = true;
      continue;
    }
    const [batch = '', seq = ''] = line.split(' ');
    acknowledged.set(batch, Number(seq));
    if (!ready) continue;
    count += 1;
    if (count === acknowledgements) child.kill('SIGKILL');
  }
  await rm(file);
  assert.equal(await ended, step === 'end' ? 0 : 'SIGKILL');
  assert.ok(ready, 'what the last process left was not in order');
  from = first;
  // Every writer may have been one batch further.
  first = Math.max(first, ...[...acknowledged.keys()].map((batch) => Number(/\d+/.exec(batch)?.[0]))) + 4;
}

/** The tests: one kill at every step, then so many at random. */
export function killsOfGroups(randomRounds: number): void {
  const dice = new Dice(seed);
  // Whatever lies between two of them leaves the same behind.
  for (const step of [
    'file written',
    'after begin',
    'before insert',
    'after insert',
    'after take',
    'after superseding',
    'after finish',
  ]) {
    test(`killed: ${step}`, async () => {
      await round(step, 2 + dice.below(5));
    });
  }

  test('killed at random', async () => {
    for (let count = 0; count < randomRounds; count += 1) {
      await round('never', 1, 3 + dice.below(25));
    }
  });

  test('what the last one left behind', async () => {
    await round('end');
  });
}
