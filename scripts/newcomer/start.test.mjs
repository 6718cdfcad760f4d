/**
 * `npm start` in a copy of the sources: it compiles when there is no build or a source is newer, and not otherwise;
 * arguments, signals and exit codes pass through. The newcomer's test runs it from a clone with an install.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = {
  contract: '@storelens/contract',
  client: '@storelens/client',
  server: '@storelens/server',
  cli: 'storelens',
};

let folder;
let copy;

/** Copies what is compiled and run; installed packages are linked, but for our own, which are those of the copy. */
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'storelens-start-')));
  copy = join(folder, 'storelens');
  await mkdir(join(copy, 'node_modules', '@storelens'), { recursive: true });
  const files = ['package.json', 'tsconfig.json', 'tsconfig.base.json', 'scripts', ...Object.keys(packages)];
  for (const name of files) {
    await cp(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !['dist', 'node_modules'].includes(basename(path)),
    });
  }
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@storelens' || name === 'storelens') continue;
    await symlink(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const [name, as] of Object.entries(packages)) {
    await symlink(join(copy, name), join(copy, 'node_modules', as));
  }
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs a command in the copy, as the leader of a process group. */
function start(command, ...args) {
  const child = spawn(command, args, { cwd: copy, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { child, out: '', err: '', ended: once(child, 'close').then(([code]) => code) };
  child.stdout.on('data', (text) => {
    run.out += text;
  });
  child.stderr.on('data', (text) => {
    run.err += text;
  });
  run.ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('storelens ready ')) resolve(JSON.parse(line.slice('storelens ready '.length)));
    });
    run.ended.then((code) => reject(new Error(`ended with ${code} before it was ready:\n${run.err}`)));
  });
  // Whoever does not wait for it is not concerned by its end.
  run.ready.catch(() => {});
  return run;
}

const script = (...args) => start(process.execPath, join('scripts', 'start.mjs'), ...args);
const options = () => ['--port', '0', '--data', join(folder, 'data')];

test('without a build it compiles, serves the demo, and ends with 0 on SIGINT to the group', async () => {
  const run = script(...options());
  const ready = await run.ready;
  assert.match(run.err, /^compiling/);
  assert.equal(ready.data, join(folder, 'data'));
  assert.match(ready.demo.applicationId, /^9[A-Z0-9]{11}$/);
  assert.equal((await fetch(`${ready.url}/readyz`)).status, 200);
  process.kill(-run.child.pid, 'SIGINT');
  assert.equal(await run.ended, 0, run.err);
  assert.match(run.out, /^storelens ready \{.*\}\n$/);
});

test('with a build it does not compile, and ends with 0 on SIGTERM to its process alone', async () => {
  const run = script(...options());
  await run.ready;
  assert.doesNotMatch(run.err, /compiling/);
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 0, run.err);
});

test('npm start passes arguments on; neither Ctrl-C nor SIGTERM to npm alone leaves the server behind', async () => {
  for (const [signal, all] of [
    ['SIGINT', true],
    ['SIGTERM', false],
  ]) {
    const run = start('npm', 'start', '--', ...options());
    const ready = await run.ready;
    assert.equal(ready.data, join(folder, 'data'));
    process.kill(all ? -run.child.pid : run.child.pid, signal);
    // Its pipes close when the last process that has them ends. Its own exit code is the shell's: dash dies of the
    // signal that the server handles.
    await run.ended;
    assert.match(run.err, /"signal":"SIG(INT|TERM)","msg":"stopping"/, signal);
  }
});

test('wrong usage ends with 2 and says why', async () => {
  const run = script('--prot', '0');
  assert.equal(await run.ended, 2);
  assert.match(run.err, /unknown option '--prot'/);
  assert.equal(run.out, '');
});

test('a newer source is compiled first, and one with a mistake is not served', async () => {
  const source = join(copy, 'cli', 'src', 'commands', 'version.ts');
  await appendFile(source, '\n// newer\n');
  const first = script('--prot', '0');
  assert.equal(await first.ended, 2);
  assert.match(first.err, /^compiling/);
  const second = script('--prot', '0');
  assert.equal(await second.ended, 2);
  assert.doesNotMatch(second.err, /compiling/);
  await writeFile(source, 'const mistake: number = "text";\n');
  const broken = script(...options());
  assert.notEqual(await broken.ended, 0);
  assert.match(broken.err, /version\.ts/);
  assert.equal(broken.out, '');
});
