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

test('settings that cannot work are refused by name, value and what would be right', async () => {
  const refused = (args: readonly string[], message: RegExp) =>
    assert.rejects(startServer({ args }), (error) => {
      assert.ok(error instanceof SettingError, String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  const origin = /expected an origin such as https:/;
  await refused(['--public-url', 'https://analytics.example.org/path'], origin);
  await refused(['--public-url', 'https://analytics example.org'], origin);
  await refused(['--public-url', 'https://operator:hunter2@analytics.example.org'], origin);
  await refused(['--token-issuer', 'sts.example.org'], /--token-issuer is 'sts.example.org'; expected a URL/);
  await refused(['--token-issuer', 'https://sts.example.org/{tenant}/'], /expected a URL such as .*\{tid\}/);
});
