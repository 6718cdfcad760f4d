/** The comparison with the oracle at length: `npm run test:long`. */
import { test } from 'node:test';
import { compareServer } from '../oracle/run.js';

// Requests get dearer with every batch that arrives meanwhile: 20,000 of them did not end within an hour beside other work.
test('8,000 random valid and as many invalid requests are answered as the oracle says', async (t) => {
  await compareServer(t, { valid: 8000, invalid: 8000, batchEvery: 100 });
});

test('in the form of 2022, 3,000 random valid and 1,000 invalid requests are answered so, too', async (t) => {
  await compareServer(t, { valid: 3000, invalid: 1000, batchEvery: 50, shape: '2022' });
});
