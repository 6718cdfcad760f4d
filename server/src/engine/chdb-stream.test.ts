import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Session } from 'chdb';
import { ask } from './chdb-session.js';
import { openStreams } from './chdb-stream.js';

test('a stream shows nothing of what failed before on its session', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-stream-'));
  const [session, killer] = [new Session(join(folder, 'engine')), new Session(join(folder, 'engine'))];
  try {
    const failing =
      "SELECT 'theirs', throwIf(number = 200000) FROM numbers(300000) SETTINGS max_block_size = 1000, max_threads = 1 FORMAT CSV";
    await assert.rejects(ask(session, failing));
    const { stream, close } = await openStreams([session, killer], 1, join(folder, 'streams'));
    const pieces: Uint8Array[] = [];
    for await (const piece of stream({
      account: 'a',
      sql: "SELECT 'ours' AS x",
      format: 'Template',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
      settings: { format_template_row_format: '${x:Raw}' },
    }))
      pieces.push(piece);
    assert.equal(Buffer.concat(pieces).toString().trim(), 'ours');
    await close();
  } finally {
    session.close();
    killer.close();
    await rm(folder, { recursive: true });
  }
});
