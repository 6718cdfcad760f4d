/** Every report of the contract is copied, or the page on mirrors says why it is not. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mirrorTables, type ReportEntry, reports } from '@storelens/contract';
import { keysOf, lostOf } from './source.js';

test('the page on mirrors has every report, how it is copied, and what is lost of it', async () => {
  const page = await readFile(new URL('../../../../docs/mirror.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w/]+)` \| (by day|by failure|not) \| (.*?) ?\|$/gm)];
  assert.deepEqual(
    rows.map(([, name]) => name),
    Object.keys(reports),
  );
  for (const [, name = '', how, remark = ''] of rows) {
    const entry: ReportEntry | undefined = reports[name];
    assert.ok(entry);
    const single = entry.kind === 'frames' || entry.kind === 'file';
    assert.equal(how, name in mirrorTables ? 'by day' : single ? 'by failure' : 'not', name);
    if (how === 'not') assert.match(remark, /\w/, `${name} is not copied, and nobody says why`);
    const lost = [...(/(?<=from groups without ).*/.exec(remark)?.[0].matchAll(/\w+/g) ?? [])];
    assert.deepEqual(
      lost.map(([field]) => field),
      lostOf(entry),
      name,
    );
    assert.equal(keysOf(entry) !== undefined, lost.length > 0, name);
  }
});
