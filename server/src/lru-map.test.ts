import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LruMap } from './lru-map.js';

function keysOf(map: LruMap<string>, keys: string): string {
  return [...keys].filter((key) => map.get(key) !== undefined).join('');
}

test('what was used longest ago goes first', () => {
  const map = new LruMap<string>(3);
  for (const key of 'abc') map.set(key, key);
  assert.equal(map.get('a'), 'a');
  map.set('d', 'd');
  assert.equal(keysOf(map, 'abcd'), 'acd');
  map.set('a', 'again');
  map.set('e', 'e');
  assert.equal(keysOf(map, 'abcde'), 'ade');
  assert.equal(map.get('a'), 'again');
});

test('values are weighed when they are set, and what is deleted weighs nothing', () => {
  const map = new LruMap<string>(10, (value, key) => value.length + key.length);
  map.set('a', '123');
  map.set('b', '12345');
  assert.equal(keysOf(map, 'ab'), 'ab');
  map.set('b', '123456');
  assert.equal(keysOf(map, 'ab'), 'b', 'too heavy for both since it has grown');
  map.delete('b');
  map.delete('nothing');
  map.set('c', '123456789');
  assert.equal(keysOf(map, 'bc'), 'c');
  map.set('d', '1234567890');
  assert.equal(keysOf(map, 'cd'), '', 'too heavy for the map');
});
