import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { claimFolder, FolderError, readMark, writeMark } from './folder.js';

const top = mkdtempSync(join(tmpdir(), 'storelens-folder-'));
after(() => rm(top, { recursive: true }));
const temporary = () => mkdtemp(join(top, 'data-'));
const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof FolderError && pattern.test(error.message);

test('a new folder is made for its owner only and marked', async () => {
  const folder = join(await temporary(), 'deep', 'data');
  await claimFolder(folder, true);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.deepEqual(await readMark(folder), { demo: true });
  await claimFolder(folder, true);
});

test('a demo folder is refused without --demo, and the other way round', async () => {
  const [demo, real] = [await temporary(), await temporary()];
  await claimFolder(demo, true);
  await claimFolder(real, false);
  await assert.rejects(claimFolder(demo, false), refused(/holds demo data; start with --demo/));
  await assert.rejects(claimFolder(real, true), refused(/has data of its own, which --demo never touches/));
});

test('a demo never touches a folder with files of somebody else', async () => {
  const folder = await temporary();
  await writeFile(join(folder, 'registry.db'), 'precious');
  await assert.rejects(claimFolder(folder, true), refused(/has data of its own/));
  assert.equal(await readFile(join(folder, 'registry.db'), 'utf8'), 'precious');
  assert.equal(await readMark(folder), undefined);
  await claimFolder(folder, false);
});

test('a file in the place of the folder and a damaged mark are told in one sentence', async () => {
  const folder = await temporary();
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    claimFolder(join(folder, 'file'), true),
    refused(/cannot be a data folder \(EEXIST\)/),
  );
  await writeFile(join(folder, 'storelens.json'), '{"demo": tr');
  await assert.rejects(claimFolder(folder, false), refused(/storelens\.json is no JSON/));
  await writeFile(join(folder, 'storelens.json'), '[]');
  await assert.rejects(claimFolder(folder, false), refused(/does not say whether/));
});

test('the mark is replaced in one step and readable by its owner only', async () => {
  const folder = await temporary();
  await writeMark(folder, { demo: true, filledTo: 5 });
  await writeMark(folder, { demo: true, filledTo: 6 });
  assert.deepEqual(await readMark(folder), { demo: true, filledTo: 6 });
  assert.equal((await stat(join(folder, 'storelens.json'))).mode & 0o777, 0o600);
});

test('a place where no folder can be made is refused and not tried for ever', {
  skip: process.platform === 'linux' ? false : 'only Linux has /proc',
}, async () => {
  await assert.rejects(claimFolder('/proc/nope/data', false), refused(/cannot be a data folder \(ENOENT\)/));
});
