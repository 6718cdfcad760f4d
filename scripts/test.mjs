/**
 * Runs compiled tests with Node's own runner. Without arguments: every `*.test.js` of the packages and scripts but
 * those in folders named `long`, `clickhouse` or `newcomer` and those of the command that mirrors, the ones beside the
 * source in one process (`units.mjs`); with arguments: the files whose path contains one of them, each in a process of
 * its own.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { compiled, root, testsBelow } from './test-files.mjs';

const wanted = process.argv.slice(2);
const apart =
  /[\\/](long|clickhouse|newcomer)[\\/]|[\\/]dist[\\/]src[\\/]|^cli[\\/]dist[\\/]test[\\/]mirror[\\/]/;
const all = [...compiled, 'scripts'].flatMap(testsBelow);
const chosen =
  wanted.length > 0
    ? all.filter((path) => wanted.some((part) => path.includes(part)))
    : ['scripts/units.mjs', ...all.filter((path) => !apart.test(path))];
if (chosen.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
// A third of the time of a file is waiting: for disks, and for processes that are killed.
const concurrency = availableParallelism() + 1;
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`, ...chosen],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
