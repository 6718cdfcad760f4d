/** The comparison with the oracle at length: `npm run test:long`. */
import { test } from 'node:test';
import { compareServer } from '../oracle/run.js';

test('20,000 random valid and as many invalid requests are answered as the oracle says', async (t) => {
  await compareServer(t, { valid: 20_000, invalid: 20_000, batchEvery: 100 });
});
