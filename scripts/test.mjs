/**
 * Runs compiled tests with Node's own runner. Without arguments: every `*.test.js` of the packages and scripts but
 * those in folders named `long`, `clickhouse` or `newcomer`; with arguments: the files whose path contains one of them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);

/** Test files below a folder, as paths relative to the root. */
function testsBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => join(folder, String(path)))
    .filter((path) => /\.test\.m?js$/.test(path) && !path.includes('node_modules'));
}

const all = ['contract/dist', 'client/dist', 'server/dist', 'cli/dist', 'scripts'].flatMap(testsBelow).sort();
const chosen =
  wanted.length > 0
    ? all.filter((path) => wanted.some((part) => path.includes(part)))
    : all.filter((path) => !/[\\/](long|clickhouse|newcomer)[\\/]/.test(path));
if (chosen.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', ...chosen],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
