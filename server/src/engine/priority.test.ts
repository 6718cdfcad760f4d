import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { favourEventLoop } from './priority.js';

test('threads beside the event loop go after it', {
  skip: process.platform !== 'linux' && 'Linux alone has priorities of threads',
}, async () => {
  const worker = new Worker('setInterval(() => {}, 1e6)', { eval: true });
  await once(worker, 'online');
  const before = getPriority();
  favourEventLoop();
  assert.equal(getPriority(), before);
  const others = readdirSync('/proc/self/task')
    .map(Number)
    .filter((thread) => thread !== process.pid);
  assert.ok(others.length > 1);
  for (const thread of others) assert.equal(getPriority(thread), before + 2);
  await worker.terminate();
});
