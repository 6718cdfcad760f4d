/** Numbers in JSON that keep their digits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoteRounded } from './exact.js';

test('numbers that would be rounded become the text of their digits, all else stays', () => {
  for (const [json, value] of [
    ['[1, -2.5, 10.0, 1e-7, 0, -0.0, 123456789012345]', [1, -2.5, 10, 1e-7, 0, -0, 123456789012345]],
    ['[123456789012.123456,-1234567890123456789]', ['123456789012.123456', '-1234567890123456789']],
    ['{"a":0.1000000000000000055511151231257827}', { a: '0.1000000000000000055511151231257827' }],
    ['{"a":12345678901234500000,"b":0.000000000000000001}', { a: 12345678901234500000, b: 1e-18 }],
    ['[1e400,1e-400,0e9]', ['1e400', '1e-400', 0]],
    [
      '["1234567890123456789","a\\"1234567890123456789\\\\",1234567890123456789]',
      ['1234567890123456789', 'a"1234567890123456789\\', '1234567890123456789'],
    ],
  ] as const) {
    assert.deepEqual(JSON.parse(quoteRounded(json)), value, json);
  }
});

test('what is no JSON stays none', () => {
  for (const text of [
    '01234567890123456789',
    '1.23456789012345678.9',
    '[1234567890123456789',
    '"1234567890123456',
  ])
    assert.throws(() => JSON.parse(quoteRounded(text)), SyntaxError, text);
});

test('a text of many megabytes is no trouble', () => {
  const long = `"${'\\u0031x'.repeat(2_000_000)}"`;
  assert.equal(quoteRounded(`[${long},12345678901234567890]`), `[${long},"12345678901234567890"]`);
});
