/** Many damaged minidumps: a walked stack or a MinidumpError, never another error, none slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzMinidumps } from '../crashes/minidump-fuzz.js';

test('two hundred thousand damaged minidumps', { timeout: 900_000 }, (context) => {
  const result = fuzzMinidumps(200_000, 20_261_122);
  context.diagnostic(JSON.stringify({ ...result, failures: result.failures.length }));
  assert.deepEqual(result.failures.slice(0, 3), []);
  assert.ok(result.slowest < 2000, `the slowest took ${result.slowest} ms`);
  assert.ok(result.grown < 256 * 1024 * 1024, `memory grew by ${result.grown} bytes`);
});
