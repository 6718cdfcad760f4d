import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RefusedError } from './command.js';
import { readEnvironment } from './environment.js';
import { readProfiles, storeProfile } from './profiles.js';

const account = { tenantId: 'contoso.example', clientId: 'nightly', clientSecret: 'secret' };

async function home(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-profiles-'));
  context.after(() => rm(folder, { recursive: true }));
  return { folder, environment: readEnvironment({ XDG_CONFIG_HOME: folder }) };
}

test('logins at the same time store all of their profiles, for their owner alone', async (context) => {
  const { folder, environment } = await home(context);
  const names = Array.from({ length: 12 }, (_, index) => `account${index}`);
  await Promise.all(names.map((name) => storeProfile(environment, name, account)));
  assert.deepEqual(Object.keys(await readProfiles(environment)).sort(), [...names].sort());
  assert.deepEqual(await readdir(join(folder, 'storelens')), ['profiles.json'], 'nothing else is left');
  assert.equal((await stat(join(folder, 'storelens', 'profiles.json'))).mode & 0o777, 0o600);
});

test('a link to the file stays a link', async (context) => {
  const { folder, environment } = await home(context);
  const kept = join(folder, 'kept.json');
  await writeFile(kept, '{"profiles":{}}', { mode: 0o600 });
  await mkdir(join(folder, 'storelens'));
  await symlink(kept, join(folder, 'storelens', 'profiles.json'));
  await storeProfile(environment, '__proto__', account);
  assert.ok((await lstat(join(folder, 'storelens', 'profiles.json'))).isSymbolicLink());
  assert.deepEqual(Object.keys(await readProfiles(environment)), ['__proto__']);
});

test('a damaged file, or one that others can read, is refused and stays as it is', async (context) => {
  const { folder, environment } = await home(context);
  const file = join(folder, 'storelens', 'profiles.json');
  await mkdir(join(folder, 'storelens'));
  for (const text of ['', '{"profiles":{"a":', '[]', '{"profiles":{"a":{"tenantId":"only"}}}']) {
    await writeFile(file, text, { mode: 0o600 });
    await assert.rejects(storeProfile(environment, 'b', account), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, /is no list of profiles; move it away and log in again$/);
      return true;
    });
  }
  await chmod(file, 0o640);
  await assert.rejects(readProfiles(environment), /can be read by others, and holds secrets/);
});
