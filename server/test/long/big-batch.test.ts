/** A good batch of 250 MB is stored in one piece, which is what makes it atomic; a bad one not at all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigBody, bigBytes } from '../ingest/big-body.js';
import { refuseBig } from '../ingest/big-refused.js';
import { startBench } from '../ingest/posting.js';

test('one batch, one part', { timeout: 400_000 }, async () => {
  const bench = await startBench();
  try {
    const { size, stream } = bigBody({});
    const answer = await bench.post('usage', stream, { 'content-encoding': 'gzip' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(
      await bench.rows(
        'SELECT count() AS count, uniqExact(deviceId) AS devices, uniqExact(_part) AS parts FROM usage',
      ),
      [{ count: size.rows, devices: size.rows, parts: 1 }],
    );
  } finally {
    await bench.server.close();
  }
});

test('all or nothing, whatever the size', { timeout: 400_000 }, () => refuseBig(bigBytes));
