/**
 * `npm start`: compiles if a source is newer than the last build, then runs `storelens serve --demo` with the
 * arguments it was given, in this very process, so that signals and the exit code need no forwarding.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = ['contract', 'client', 'server', 'cli'];

/** Time of change of a file, 0 if it does not exist. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether a source of a package, or what says how to compile it, is newer than its build, or there is no build. */
function isStale(name) {
  const built = changedAt(join(root, name, 'dist', '.tsbuildinfo'));
  const sources = readdirSync(join(root, name, 'src'), { recursive: true }).map((path) =>
    join('src', String(path)),
  );
  return ['../tsconfig.base.json', 'tsconfig.json', ...sources].some(
    (path) => changedAt(join(root, name, path)) > built,
  );
}

if (packages.some(isStale)) {
  process.stderr.write('compiling ...\n');
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}
// npm hands SIGTERM to its shell alone, which ends without passing it on: then the parent of this process changes.
// Without npm there is no shell in between, and a server may well outlive who started it.
if (process.env.npm_command !== undefined) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

const { runProcess } = await import('../cli/dist/src/main.js');
await runProcess(['serve', '--demo', ...process.argv.slice(2)]);
