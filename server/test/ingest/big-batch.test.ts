/** A big batch whose last row is bad leaves nothing behind; `long/big-batch.test.ts` sends the biggest. */
import { test } from 'node:test';
import { refuseBig } from './big-refused.js';

test('all or nothing, of 40 MB', { timeout: 400_000 }, () => refuseBig(40_000_000));
