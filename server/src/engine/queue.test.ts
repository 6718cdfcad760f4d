import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from './index.js';
import { Queue } from './queue.js';

/** A promise that the test settles. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const unavailable = (error: unknown) => error instanceof EngineError && error.kind === 'unavailable';

test('calls run on the slots, wait in order, and are refused beyond the length', async () => {
  const queue = new Queue(['a', 'b'], 2);
  const gates = [gate(), gate(), gate(), gate()];
  const started: string[] = [];
  const calls = gates.map(({ opened }, index) =>
    queue.run(async (slot) => {
      started.push(`${index} on ${slot}`);
      await opened;
      return index;
    }),
  );
  await assert.rejects(
    queue.run(async () => 4),
    unavailable,
  );
  assert.deepEqual(started, ['0 on b', '1 on a']);
  gates[1]?.open();
  await calls[1];
  gates[0]?.open();
  await calls[0];
  for (const { open } of gates) open();
  assert.deepEqual(await Promise.all(calls), [0, 1, 2, 3]);
  assert.deepEqual(started, ['0 on b', '1 on a', '2 on a', '3 on b']);
});

test('a failed call frees its slot', async () => {
  const queue = new Queue(['a'], 0);
  await assert.rejects(
    queue.run(() => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await queue.run(async (slot) => slot), 'a');
});

test('after a failure a slot is used last', async () => {
  const queue = new Queue(['a', 'b', 'c'], 0);
  const next = () => queue.run(async (slot) => slot);
  assert.equal(await next(), 'c');
  await assert.rejects(
    queue.run((slot) => Promise.reject(new Error(slot))),
    /c/,
  );
  assert.equal(await next(), 'b');
});

test('closing waits for running and waiting calls and refuses further ones', async () => {
  const queue = new Queue(['a'], 1);
  const { opened, open } = gate();
  const done: number[] = [];
  const calls = [1, 2].map((index) =>
    queue.run(async () => {
      await opened;
      done.push(index);
    }),
  );
  const closed = queue.close();
  await assert.rejects(
    queue.run(async () => 3),
    unavailable,
  );
  assert.deepEqual(done, []);
  open();
  await closed;
  assert.deepEqual(done, [1, 2]);
  await Promise.all(calls);
  await queue.close();
});

test('who aborts while waiting leaves the line and makes room; what runs goes on', async () => {
  const queue = new Queue(['a'], 1);
  const first = gate();
  const [running, waiting, late] = [new AbortController(), new AbortController(), new AbortController()];
  const ran: string[] = [];
  const call = (name: string, opened: Promise<void>, signal?: AbortSignal) =>
    queue.run(
      async () => {
        await opened;
        ran.push(name);
      },
      { signal },
    );
  const done = call('running', first.opened, running.signal);
  const left = call('waiting', first.opened, waiting.signal);
  waiting.abort();
  await assert.rejects(left, unavailable);
  const next = call('next', first.opened, late.signal);
  running.abort();
  first.open();
  await Promise.all([done, next]);
  late.abort();
  assert.deepEqual(ran, ['running', 'next']);
  await assert.rejects(call('gone before', first.opened, late.signal), unavailable);
  await call('last', first.opened);
  assert.deepEqual(ran, ['running', 'next', 'last']);
  await queue.close();
});

test('work that had a slot before goes next and is never refused for a full line', async () => {
  const queue = new Queue(['a'], 1);
  const first = gate();
  const ran: string[] = [];
  const waited: number[] = [];
  const call = (name: string, goesOn: boolean) =>
    queue.run(
      async (_slot, waiting) => {
        await first.opened;
        ran.push(name);
        waited.push(waiting);
      },
      { goesOn },
    );
  const calls = [call('first', false), call('waits', false)];
  await assert.rejects(call('too many', false), unavailable);
  calls.push(call('goes on', true));
  first.open();
  await Promise.all(calls);
  assert.deepEqual(ran, ['first', 'goes on', 'waits']);
  assert.deepEqual(waited, [0, 1, 0]);
});
