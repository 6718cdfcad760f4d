import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { openFolder } from './folder.js';
import { crashFileKey, type Files, symbolFileKey } from './index.js';

const account = '4f2f6ab5-7a4e-4c55-b6b4-5b8fd3d7e7b1';
const key = crashFileKey(account, '2026-11-22', '0d2a3c11-0d5e-4a3e-9c1b-7a6f0f5d2c3b');

/** A store in a new folder, and a folder beside it for what is to be stored. */
async function store(context: TestContext): Promise<{
  files: Files;
  folder: string;
  /** Writes a file to be taken and returns its path. */
  local(content: string): Promise<string>;
}> {
  const base = mkdtempSync(join(tmpdir(), 'storelens-files-'));
  context.after(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, 'files');
  const files = await openFolder(folder);
  let number = 0;
  return {
    files,
    folder,
    async local(content) {
      number += 1;
      const path = join(base, `local-${number}`);
      await writeFile(path, content);
      return path;
    },
  };
}

/** The bytes of a stored file as text; undefined if there is none. */
async function read(files: Files, wanted: string, range?: { start: number; end: number }) {
  const opened = await files.open(wanted, range);
  return opened === undefined ? undefined : (await buffer(opened.stream)).toString();
}

const mode = (path: string) => statSync(path).mode & 0o777;

/** Number of files that this process has open. */
const openFiles = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);

test('a taken file stands under its key, for its owner only, and is gone from its path', async (context) => {
  const { files, folder, local } = await store(context);
  const path = await local('a cabinet');
  chmodSync(path, 0o644);
  await files.take(path, key);
  assert.equal(existsSync(path), false);
  assert.equal(await files.size(key), 9);
  assert.equal(await read(files, key), 'a cabinet');
  assert.equal(await readFile((await files.localPath(key)) ?? '', 'utf8'), 'a cabinet');
  assert.equal(mode(join(folder, key)), 0o600);
  for (const above of ['', 'crashes', `crashes/${account}`, `crashes/${account}/2026-11-22`]) {
    assert.equal(mode(join(folder, above)), 0o700, above);
  }
});

test('ranges are inclusive, and the size is that of the whole file', async (context) => {
  const { files, local } = await store(context);
  await files.take(await local('0123456789'), key);
  assert.equal(await read(files, key, { start: 0, end: 0 }), '0');
  assert.equal(await read(files, key, { start: 3, end: 5 }), '345');
  const opened = await files.open(key, { start: 9, end: 9 });
  assert.equal(opened?.size, 10);
  assert.equal((await buffer(opened.stream)).toString(), '9');
});

test('a file under the key is replaced, and taking once more does nothing', async (context) => {
  const { files, local } = await store(context);
  await files.take(await local('first'), key);
  const path = await local('second');
  await files.take(path, key);
  assert.equal(await read(files, key), 'second');
  await files.take(path, key);
  assert.equal(await read(files, key), 'second');
  await assert.rejects(files.take(path, symbolFileKey(account, 'A1')), /there is no file .*local-2/);
});

test('what is not there is undefined, and removing it is nothing', async (context) => {
  const { files, local } = await store(context);
  await files.take(await local('x'), key);
  for (const missing of ['crashes/nothing', `crashes/${account}`, `${key}/deeper`]) {
    assert.equal(await files.size(missing), undefined, missing);
    assert.equal(await files.localPath(missing), undefined, missing);
    assert.equal(await files.open(missing), undefined, missing);
    assert.deepEqual(await files.list(`${missing}/none`), [], missing);
  }
  await files.remove('crashes/nothing');
  assert.equal(await read(files, key), 'x');
});

test('removing the last file of a day removes the day, others stay', async (context) => {
  const { files, folder, local } = await store(context);
  const other = crashFileKey(account, '2026-11-23', 'b');
  await files.take(await local('x'), key);
  await files.take(await local('y'), other);
  assert.deepEqual(await files.list(`crashes/${account}`), ['2026-11-22/', '2026-11-23/']);
  await files.remove(key);
  assert.deepEqual(await files.list(`crashes/${account}`), ['2026-11-23/']);
  assert.deepEqual(await files.list(`crashes/${account}/2026-11-23`), ['b.cab']);
  await files.remove(other);
  assert.deepEqual(readdirSync(folder), []);
});

test('no key leads out of the folder or to a name of the store itself', async (context) => {
  const { files, folder, local } = await store(context);
  const path = await local('x');
  for (const bad of [
    '',
    '/',
    '..',
    '../files2/x',
    'a/../../x',
    'a//b',
    'a/',
    '/etc/passwd',
    'a\\..\\b',
    'a/.hidden',
    'a b',
    'a\0',
    'a\n',
    'é',
    `${'a'.repeat(129)}`,
    Array.from({ length: 9 }, () => 'a').join('/'),
  ]) {
    const refused = { name: 'TypeError', message: /is no key of a file/ };
    await assert.rejects(files.take(path, bad), refused, bad);
    await assert.rejects(files.open(bad), refused, bad);
    await assert.rejects(files.size(bad), refused, bad);
    await assert.rejects(files.localPath(bad), refused, bad);
    await assert.rejects(files.remove(bad), refused, bad);
    await assert.rejects(files.list(bad), refused, bad);
  }
  assert.equal(existsSync(path), true);
  assert.deepEqual(readdirSync(folder), []);
});

test('taking and removing files of the same day at once loses none', async (context) => {
  const { files, folder, local } = await store(context);
  const day = `crashes/${account}/2026-11-22`;
  await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      await files.take(await local(`content ${index}`), `${day}/${index}.cab`);
      assert.equal(await read(files, `${day}/${index}.cab`), `content ${index}`);
      if (index % 3 !== 0) await files.remove(`${day}/${index}.cab`);
    }),
  );
  assert.equal((await files.list(day)).length, 20);
  for (let index = 0; index < 60; index += 3) await files.remove(`${day}/${index}.cab`);
  assert.deepEqual(readdirSync(folder), []);
});

test('a stream that is given up closes its file', async (context) => {
  const { files, local } = await store(context);
  await files.take(await local('x'.repeat(1_000_000)), key);
  const before = openFiles();
  for (let round = 0; round < 50; round += 1) {
    const opened = await files.open(key);
    assert.ok(opened);
    if (round % 2 === 0) opened.stream.read();
    const closed = new Promise((resolve) => opened.stream.once('close', resolve));
    opened.stream.destroy();
    await closed;
  }
  assert.ok(openFiles() <= before + 2, `${openFiles()} open files, ${before} before`);
});

test('a file that is removed while it is read is read to its end', async (context) => {
  const { files, local } = await store(context);
  await files.take(await local('x'.repeat(500_000)), key);
  const opened = await files.open(key);
  assert.ok(opened);
  await files.remove(key);
  assert.equal((await buffer(opened.stream)).length, 500_000);
  assert.equal(await files.open(key), undefined);
});

test('files come over from another file system', { skip: otherFileSystem() }, async (context) => {
  const { files, folder } = await store(context);
  const elsewhere = await mkdtemp('/dev/shm/storelens-files-');
  context.after(() => rm(elsewhere, { recursive: true, force: true }));
  const path = join(elsewhere, 'local');
  await writeFile(path, 'from afar', { mode: 0o644 });
  await files.take(path, key);
  assert.equal(existsSync(path), false);
  assert.equal(await read(files, key), 'from afar');
  assert.equal(mode(join(folder, key)), 0o600);
  assert.deepEqual(await files.list(`crashes/${account}/2026-11-22`), [key.split('/').at(-1)]);
  await files.take(path, key);
  assert.equal(await read(files, key), 'from afar');
});

/** False if /dev/shm is a file system other than that of temporary files; else why the test is skipped. */
function otherFileSystem(): string | false {
  if (!existsSync('/dev/shm')) return 'there is no /dev/shm';
  return statSync('/dev/shm').dev === statSync(tmpdir()).dev
    ? '/dev/shm and temporary files are one file system'
    : false;
}

test('ping answers while files can be written', async (context) => {
  const { files, folder } = await store(context);
  await files.ping();
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
  await assert.rejects(files.ping(), { code: 'ENOENT' });
  mkdirSync(folder);
  await files.ping();
});
