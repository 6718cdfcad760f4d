import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guidsOf, newGuid, systemRandom } from './system.js';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('GUIDs of one supply differ, across its refills as well, and are what single ones are', () => {
  let taken = 0;
  const counted = {
    bytes(count: number) {
      taken += 1;
      return systemRandom.bytes(count);
    },
  };
  const next = guidsOf(counted, 8);
  const made = Array.from({ length: 100 }, next);
  assert.equal(new Set(made).size, 100);
  for (const one of made) assert.match(one, guid);
  assert.equal(taken, 13);
  const bytes = Buffer.from(Array.from({ length: 16 }, (_, index) => index * 15));
  const same = { bytes: () => Buffer.from(bytes) };
  assert.equal(guidsOf(same, 1)(), newGuid(same));
});
