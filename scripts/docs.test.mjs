/** The generated pages follow their tables: drift, missing and orphaned pages fail the check by name. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./docs.mjs', import.meta.url));

function run(...args) {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  return { status, stderr };
}

test('written pages pass the check, changed ones do not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-docs-'));
  try {
    const empty = run('--check', folder);
    assert.equal(empty.status, 1);
    assert.match(empty.stderr, /^settings\.md: missing/m);

    assert.deepEqual(run(folder), { status: 0, stderr: '' });
    assert.deepEqual(run('--check', folder), { status: 0, stderr: '' });
    assert.match(readFileSync(join(folder, 'reports/funnel.md'), 'utf8'), /"UserCount": 3/);

    appendFileSync(join(folder, 'errors.md'), 'by hand\n');
    copyFileSync(join(folder, 'reports/funnel.md'), join(folder, 'reports/tunnel.md'));
    const drifted = run('--check', folder);
    assert.equal(drifted.status, 1);
    assert.match(drifted.stderr, /^errors\.md: differs/m);
    assert.match(drifted.stderr, /^reports\/tunnel\.md: nothing generates/m);
    assert.doesNotMatch(drifted.stderr, /settings/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
