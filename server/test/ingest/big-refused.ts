/** A big batch whose last row is bad leaves nothing behind. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bigBody } from './big-body.js';
import { problems, startBench } from './posting.js';

/** Sends such a batch of so many bytes to a server of its own. */
export async function refuseBig(bytes: number): Promise<void> {
  const bench = await startBench();
  try {
    // The scanner sees no more than a text, so that it is the engine that refuses, at the end of its one block.
    const { size, stream } = bigBody({ timestamp: '2024-02-31T00:00:00Z' }, bytes);
    const answer = await bench.post('usage', stream, { 'content-encoding': 'gzip' });
    assert.equal(answer.status, 400, answer.text);
    assert.ok(size.bytes >= bytes && size.rows < 500_000, `${size.rows} rows`);
    assert.equal(problems(answer).length, 1);
    assert.match(problems(answer)[0] ?? '', new RegExp(`^row ${size.rows}: timestamp: '2024-02-31`));
    assert.deepEqual(await bench.rows('SELECT count() AS count FROM usage'), [{ count: 0 }]);
    assert.deepEqual(await readdir(join(bench.server.folder, 'spool')), []);
  } finally {
    await bench.server.close();
  }
}
