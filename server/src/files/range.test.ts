import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WantedBytes, wantedBytes } from './range.js';

const etag = '"a"';

test('ranges as RFC 9110 has them', () => {
  const cases: readonly [range: string | undefined, wanted: WantedBytes][] = [
    [undefined, 'all'],
    ['bytes=0-99', { start: 0, end: 99 }],
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=99-99', { start: 99, end: 99 }],
    ['bytes=10-', { start: 10, end: 99 }],
    ['bytes=10-4711', { start: 10, end: 99 }],
    ['bytes=-1', { start: 99, end: 99 }],
    ['bytes=-100', { start: 0, end: 99 }],
    ['bytes=-4711', { start: 0, end: 99 }],
    ['Bytes= 5-6 ', { start: 5, end: 6 }],
    ['bytes=100-', 'none'],
    ['bytes=100-200', 'none'],
    ['bytes=-0', 'none'],
    // No range, a wrong one, or several: the whole file.
    ['bytes=5-3', 'all'],
    ['bytes=-', 'all'],
    ['bytes=', 'all'],
    ['bytes=a-b', 'all'],
    ['bytes=1.5-3', 'all'],
    ['bytes=0x1-5', 'all'],
    ['bytes=-5-6', 'all'],
    ['bytes=0-1,5-6', 'all'],
    ['lines=0-1', 'all'],
    ['0-1', 'all'],
    [`bytes=${'9'.repeat(400)}-`, 'all'],
  ];
  for (const [range, wanted] of cases) {
    assert.deepEqual(wantedBytes(range, undefined, 100, etag), wanted, range);
  }
});

test('a range counts only for the state that If-Range names', () => {
  const range = { start: 1, end: 2 };
  assert.deepEqual(wantedBytes('bytes=1-2', etag, 100, etag), range);
  assert.equal(wantedBytes('bytes=1-2', '"b"', 100, etag), 'all');
  assert.equal(wantedBytes('bytes=1-2', 'W/"a"', 100, etag), 'all');
  assert.equal(wantedBytes('bytes=1-2', 'Sun, 22 Nov 2026 00:00:00 GMT', 100, etag), 'all');
  assert.equal(wantedBytes('bytes=200-', '"b"', 100, etag), 'all');
});

test('an empty file has no ranges', () => {
  assert.equal(wantedBytes('bytes=0-', undefined, 0, etag), 'none');
  assert.equal(wantedBytes('bytes=-1', undefined, 0, etag), 'none');
  assert.equal(wantedBytes(undefined, undefined, 0, etag), 'all');
});
