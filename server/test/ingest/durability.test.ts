/** A few kills of a server that stores batches; `long/kills.test.ts` has many. */
import { test } from 'node:test';
import { killWhileWriting } from './kills.js';

test('no kill loses, doubles or halves a batch', { timeout: 400_000 }, () =>
  killWhileWriting(Number(process.env.STORELENS_TEST_ROUNDS ?? 5)),
);
