import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSlice } from './turns.js';

function busy(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

test('short work is done in order, and others get their turn in between', async () => {
  const done: string[] = [];
  const works = ['first', 'second', 'third', 'last'].map((name) =>
    inSlice(() => {
      busy(3);
      done.push(name);
      return name.length;
    }),
  );
  setImmediate(() => done.push('another'));
  assert.deepEqual(await Promise.all(works), [5, 6, 5, 4]);
  assert.deepEqual(done.toSorted(), ['another', 'first', 'last', 'second', 'third']);
  assert.deepEqual(
    done.filter((name) => name !== 'another'),
    ['first', 'second', 'third', 'last'],
  );
  assert.ok(done.indexOf('another') < done.indexOf('last'), done.join(', '));
});

test('work that fails tells its own caller, and nobody else', async () => {
  const works = [1, 2, 3].map((number) =>
    inSlice(() => {
      if (number === 2) throw new RangeError('two');
      return number;
    }),
  );
  const [first, second, third] = await Promise.allSettled(works);
  assert.deepEqual(first, { status: 'fulfilled', value: 1 });
  assert.ok(second?.status === 'rejected' && second.reason instanceof RangeError);
  assert.deepEqual(third, { status: 'fulfilled', value: 3 });
});
