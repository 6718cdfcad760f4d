import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainAmount } from './mirrored-values.js';

test('amounts keep 18 decimals, half away from zero', () => {
  const amounts: readonly (readonly [string, string | undefined])[] = [
    ['10.0', '10'],
    ['-0.5e-18', '-0.000000000000000001'],
    ['0.49e-18', '0'],
    ['-0.1e-400', '0'],
    ['0.1234567890123456785', '0.123456789012345679'],
    ['1.9999999999999999995', '2'],
    ['1.5E+3', '1500'],
    ['999999999999999999', '999999999999999999'],
    ['1e18', undefined],
    ['1e999999999999', undefined],
  ];
  for (const [literal, expected] of amounts) assert.equal(plainAmount(literal), expected, literal);
});

test('a million digits are cut before they are counted with', () => {
  const literal = `0.${'7'.repeat(1_000_000)}`;
  plainAmount(literal);
  const began = performance.now();
  for (let count = 0; count < 20; count += 1) plainAmount(literal);
  assert.ok(
    performance.now() - began < 5000,
    'some milliseconds each are expected; as numbers they took 14 s',
  );
  assert.equal(plainAmount(literal), '0.777777777777777778');
});
