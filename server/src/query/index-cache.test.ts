import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IndexCache } from './index-cache.js';

const value = (bytes: number) => ({ bytes });

test('what is being made is shared, and kept', async () => {
  const cache = new IndexCache<{ bytes: number }>(1000);
  let made = 0;
  const make = async () => {
    made += 1;
    return value(made);
  };
  const both = await Promise.all([cache.of('a', make, undefined), cache.of('a', make, undefined)]);
  assert.deepEqual([...both, await cache.of('a', make, undefined)], [value(1), value(1), value(1)]);
});

test('others begin anew when the request that it was made for has gone, and hear of other errors', async () => {
  const cache = new IndexCache<{ bytes: number }>(1000);
  const gone = new AbortController();
  const failing = () => Promise.reject(new Error('no'));
  const first = cache.of('a', failing, gone.signal);
  gone.abort();
  const second = cache.of('a', async () => value(2), undefined);
  await assert.rejects(first, /no/);
  assert.deepEqual(await second, value(2));

  const third = cache.of('b', failing, undefined);
  const fourth = cache.of('b', async () => value(4), undefined);
  await assert.rejects(third, /no/);
  await assert.rejects(fourth, /no/);
  assert.deepEqual(await cache.of('b', async () => value(5), undefined), value(5), 'errors are not kept');
});

test('the least recently used goes first', async () => {
  const cache = new IndexCache<{ bytes: number }>(1000);
  const ask = (key: string, bytes: number) => cache.of(key, async () => value(bytes), undefined);
  await ask('a', 400);
  await ask('b', 401);
  await ask('a', 0);
  await ask('c', 402);
  assert.deepEqual(await ask('a', 0), value(400), 'used since');
  assert.deepEqual(await ask('b', 0), value(0), 'made anew');
});
