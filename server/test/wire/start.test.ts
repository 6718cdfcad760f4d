/** A start that cannot work ends with one sentence that says what to change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingError } from '../../src/config.js';
import { startServer } from '../harness.js';

test('a folder that another server uses is refused in a sentence', async (context) => {
  const server = await startServer();
  context.after(() => server.close());
  await assert.rejects(startServer({ folder: server.folder }), (error) => {
    assert.ok(error instanceof SettingError, String(error));
    assert.match(
      error.message,
      /^another Storelens server uses the data folder .*; stop it, or choose another/,
    );
    return true;
  });
});
