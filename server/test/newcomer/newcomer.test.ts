/**
 * The newcomer's way: clones the committed state of this repository into an empty folder, runs the commands that
 * README.md gives, to the letter but for port and folder, and pastes what the server prints into a shell. The
 * README's command for the tests is run by continuous integration itself, which starts from a fresh clone too.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** A started demo: what its ready line says and what it wrote to standard error until then and shortly after. */
interface Started {
  readonly ready: {
    readonly url: string;
    readonly demo: Readonly<Record<'tenantId' | 'clientId' | 'clientSecret' | 'applicationId', string>>;
  };
  /** The two commands that get a token and a report. */
  readonly lines: readonly string[];
  readonly seconds: number;
  /** Ends it as Ctrl-C does, checks that it drained, and returns what it wrote to standard output. */
  stop(): Promise<readonly string[]>;
}

let folder: string;
let clone: string;
let readme: string;
let running: ChildProcess | undefined;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-newcomer-'));
  clone = join(folder, 'storelens');
  await execute('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
  readme = await readFile(join(clone, 'README.md'), 'utf8');
});

after(async () => {
  running?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** The shell blocks of README.md. */
const blocks = () => [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** Runs a command in a shell of its own, in the clone, and resolves when the server it starts is ready. A demo prints two commands. */
async function start(command: string, demo = true): Promise<Started> {
  const begun = performance.now();
  const child = spawn('bash', ['-c', command], {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running = child;
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const ended = once(child, 'exit');
  const ready = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      stdout.push(line);
      if (line.startsWith('storelens ready ')) resolve(line.slice('storelens ready '.length));
    });
    void ended.then(() => reject(new Error(`ended before it was ready:\n${stderr.join('\n')}`)));
  });
  const printed = new Promise<readonly string[]>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      stderr.push(line);
      const lines = stderr.filter((text) => /^(TOKEN=\$\()?curl /.test(text));
      if (lines.length === 2) resolve(lines);
    });
  });
  const facts = JSON.parse(await ready);
  const seconds = (performance.now() - begun) / 1000;
  return {
    ready: facts,
    lines: demo ? await printed : [],
    seconds,
    async stop() {
      // The whole group gets the signal, so the shell's own status says nothing of the server's.
      process.kill(-(child.pid ?? 0), 'SIGINT');
      await ended;
      running = undefined;
      assert.ok(
        stderr.some((line) => line.includes('"msg":"stopping"')),
        stderr.slice(-5).join('\n'),
      );
      await assert.rejects(fetch(`${facts.url}/healthz`));
      return stdout;
    },
  };
}

/** Runs a script in bash and returns what it prints. */
async function paste(script: string): Promise<string> {
  const { stdout } = await execute('bash', ['-c', script], { cwd: folder });
  return stdout;
}

/** How much slower than an idle one a machine is that has other work: the promised times are those of an idle one. */
const slowness = () => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

/** Follows the chapter on the first script, with the values of the ready line in place of its examples. */
async function firstScript({ url, demo }: Started['ready']): Promise<void> {
  const [, script = ''] = /^```js\n(.*?)^```$/ms.exec(readme) ?? [];
  const [install = '', use = ''] = blocks().filter((block) => block.includes('first-script'));
  await execute('bash', ['-c', install], { cwd: clone });
  await writeFile(join(folder, 'first-script', 'markets.mjs'), script);
  const filled = use
    .replace('http://127.0.0.1:4700', url)
    .replace('=TENANT', `=${demo.tenantId}`)
    .replace('=CLIENT', `=${demo.clientId}`)
    .replace('=SECRET', `=${demo.clientSecret}`);
  assert.ok(filled.includes(demo.applicationId), 'the script asks for the product of the demo');
  const { stdout } = await execute('bash', ['-c', filled], { cwd: clone });
  assert.match(stdout, /^│ 0 .*│ *'?US'? *│ *\d+ *│$/m);
}

const data = () => join(folder, 'demo');
const options = () => ` -- --port 0 --data '${data()}'`;

test('README gives one command to start and one to test', async () => {
  const [first] = blocks();
  assert.equal(first, 'npm ci && npm start\n');
  assert.ok(blocks().includes('npm cit\n'));
  assert.match(await readFile(join(clone, '.ci', 'run'), 'utf8'), /^step npm cit$/m);
});

test('the first command brings up a server whose printed lines work when pasted, and so do the examples', async (context) => {
  const [first = ''] = blocks();
  const server = await start(first.trim() + options());
  context.diagnostic(`install, build and first start: ${server.seconds.toFixed(1)} s`);
  const report = JSON.parse(await paste(server.lines.join('\n')));
  assert.ok(report.Value.length > 0, JSON.stringify(report));
  assert.ok(
    report.Value.every(
      (row: { applicationId: string }) => row.applicationId === server.ready.demo.applicationId,
    ),
  );

  const [token] = server.lines;
  const [post = '', ask = ''] = blocks()
    .filter((block) => block.startsWith('curl '))
    .map((block) => block.replaceAll('http://127.0.0.1:4700', server.ready.url));
  const posted = JSON.parse(await paste(`${token}\n${post}`));
  assert.deepEqual([posted.dataset, posted.accepted, posted.duplicate], ['acquisitions', 2, false]);
  const again = JSON.parse(await paste(`${token}\n${post}`));
  assert.deepEqual([again.accepted, again.duplicate], [2, true]);
  const answer = JSON.parse(await paste(`${token}\n${ask}`));
  assert.deepEqual(
    answer.Value.map((row: { market: string; acquisitionQuantity: number }) => [
      row.market,
      row.acquisitionQuantity,
    ]),
    [['IS', 2]],
  );

  const walk = blocks().find((block) => block.startsWith('ask() ')) ?? '';
  const stack = await paste(`${token}\n${walk.replaceAll('http://127.0.0.1:4700', server.ready.url)}`);
  assert.match(stack, /^(?:[\w.]+![\w:]*\+0x[0-9A-F]+\n){6,}$/);
  assert.match(stack, /^KestrelKart\.exe!kart::/);
  const cab = await readFile(join(folder, 'crash.cab'));
  assert.equal(cab.toString('latin1', 0, 4), 'MSCF');

  await firstScript(server.ready);

  const stdout = await server.stop();
  assert.equal(stdout.filter((line) => line.startsWith('storelens ready')).length, 1);
});

test('a first start takes less than 15 seconds after the build, a later one less than 3', async (context) => {
  const fresh = await start(`npm start -- --port 0 --data '${join(folder, 'another')}'`);
  context.diagnostic(`first start after the build: ${fresh.seconds.toFixed(1)} s`);
  await fresh.stop();
  assert.ok(fresh.seconds < 15 * slowness(), `${fresh.seconds} s`);

  const later = await start(`npm start${options()}`);
  context.diagnostic(`later start: ${later.seconds.toFixed(1)} s`);
  assert.ok(JSON.parse(await paste(later.lines.join('\n'))).Value.length > 0);
  await later.stop();
  assert.ok(later.seconds < 3 * slowness(), `${later.seconds} s`);
});

test('the commands for a server of your own make a publisher that gets a token', async () => {
  const own = join(folder, 'own');
  assert.ok(blocks().includes('npx storelens serve\n'));
  const server = await start(`npx storelens serve --port 0 --data '${own}'`, false);
  const commands = blocks().find((block) => block.startsWith('npx storelens tenant')) ?? '';
  const [tenant = '', application = '', key = '', product = ''] = commands.trim().split('\n');
  const operate = async (command: string) => {
    const target = `--json --url ${server.ready.url} --operator-key-file '${own}/operator.key'`;
    const { stdout } = await execute('bash', ['-c', `${command} ${target}`], { cwd: clone });
    return JSON.parse(stdout);
  };
  const { tenantId } = await operate(tenant);
  const { clientId } = await operate(application.replace('TENANT', tenantId));
  const { clientSecret } = await operate(key.replace('TENANT', tenantId).replace('CLIENT', clientId));
  assert.equal((await operate(product.replace('TENANT', tenantId))).id, '9NBLGGGZ5QDR');
  const answer = await fetch(`${server.ready.url}/${tenantId}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      resource: 'https://manage.devcenter.microsoft.com',
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
  await server.stop();
});
