/** Many damaged minidumps: a result or a MinidumpError, never another error, none slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzMinidumps } from '../crashes/minidump-fuzz.js';

test('two hundred thousand damaged minidumps', { timeout: 400_000 }, () => {
  const result = fuzzMinidumps(200_000, 20_261_122);
  assert.deepEqual(result.failures.slice(0, 3), []);
  assert.ok(result.slowest < 2000, `the slowest took ${result.slowest} ms`);
});
