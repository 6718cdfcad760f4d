import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFolder } from './folder.js';
import { crashFileKey, symbolFileKey } from './index.js';
import { crashFileExpiry, sweepCrashFiles } from './retention.js';

test('the sweep removes days whose last moment is past, to the millisecond, and nothing else', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'storelens-retention-'));
  context.after(() => rmSync(base, { recursive: true, force: true }));
  const files = await openFolder(join(base, 'files'));
  const put = async (key: string) => {
    writeFileSync(join(base, 'local'), key);
    await files.take(join(base, 'local'), key);
  };
  const keys = ['a', 'b'].flatMap((account) =>
    ['2026-10-22', '2026-10-23', '2026-10-24'].flatMap((day) =>
      ['1', '2'].map((id) => crashFileKey(account, day, id)),
    ),
  );
  for (const key of keys) await put(key);
  const symbols = symbolFileKey('a', 'FF01');
  await put(symbols);
  await put('crashes/a/notes');
  await put('crashes/a/2026-99-99/odd');
  mkdirSync(join(base, 'files', 'crashes', 'c'));

  // Thirty days after the end of 23 October.
  const moment = Date.parse('2026-11-23T00:00:00Z');
  const sweep = (days: number, now: number) => sweepCrashFiles(files, days, { now: () => now });
  assert.equal(await sweep(0, moment * 2), 0);
  assert.equal(await sweep(30, moment - 1), 4);
  assert.deepEqual(await files.list('crashes/a'), ['2026-10-23/', '2026-10-24/', '2026-99-99/', 'notes']);
  assert.equal(await sweep(30, moment - 1), 0);
  assert.equal(await sweep(30, moment), 4);
  assert.deepEqual(await files.list('crashes/b'), ['2026-10-24/']);
  assert.equal(await sweep(1, moment * 2), 4);
  assert.deepEqual(await files.list('crashes/a'), ['2026-99-99/', 'notes']);
  assert.ok(await files.size(symbols));
});

test('a file goes its days after the event, or never', () => {
  assert.equal(crashFileExpiry(1000, 1), 86_401_000);
  assert.equal(crashFileExpiry(1000, 0), undefined);
});
