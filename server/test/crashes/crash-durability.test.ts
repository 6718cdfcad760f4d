/** A few kills of a server that receives crashes; `long/kills.test.ts` has many. */
import { test } from 'node:test';
import { killWhileUploading } from './kills.js';

test('no kill loses, doubles or orphans a crash', { timeout: 400_000 }, () =>
  killWhileUploading(Number(process.env.STORELENS_TEST_ROUNDS ?? 4)),
);
