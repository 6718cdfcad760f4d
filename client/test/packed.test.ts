/**
 * The package as its users get it: packed, installed into a folder of its own far from this repository, type-checked
 * from a module and from CommonJS under both of Node's module modes, and run.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { startServer, type TestAccount, type TestServer } from '@storelens/server/test-harness';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const applicationId = '9NBLGGGZ5QDR';

let folder: string;
let server: TestServer;
let account: TestAccount;

/** Runs a command in the folder and returns what it prints; a failure shows all that it printed. */
async function run(command: string, args: readonly string[], env = process.env): Promise<string> {
  try {
    return (await execute(command, args, { cwd: folder, env })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    assert.fail(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-consumer-'));
  const tarball = (await run(process.execPath, [join(root, 'scripts', 'pack-client.mjs'), folder])).trim();
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball]);
  await cp(join(root, 'client', 'test', 'consumers'), folder, { recursive: true });

  server = await startServer({ now: Date.UTC(2018, 5, 1, 12) });
  account = await server.account({ products: [{ kind: 'app', id: applicationId, name: 'Contoso' }] });
  await account.ingest(
    'installs',
    ['US', 'DE', 'DE', 'FR'].map((market) => ({
      timestamp: '2018-05-20T10:00:00Z',
      applicationId,
      market,
    })),
  );
});

after(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the package needs nothing and holds nothing but itself', async () => {
  const installed = (await readdir(join(folder, 'node_modules'), { recursive: true })).filter((path) =>
    path.endsWith('package.json'),
  );
  assert.ok(
    installed.every((path) => path.startsWith(join('@storelens', 'client'))),
    String(installed),
  );
  const home = join(folder, 'node_modules', '@storelens', 'client');
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  for (const key of ['dependencies', 'peerDependencies', 'optionalDependencies', 'scripts', 'private']) {
    assert.equal(manifest[key], undefined, key);
  }
  const files = await readdir(home, { recursive: true });
  assert.ok(files.includes('README.md') && files.includes('LICENSE'));
  for (const file of files.filter((name) => /\.(js|ts|json)$/.test(name))) {
    assert.doesNotMatch(file, /\.test\.|\.map$|tsbuildinfo/);
    const text = await readFile(join(home, file), 'utf8');
    assert.doesNotMatch(text, /@storelens\/contract|sourceMappingURL|(from|require\() ?['"]node:/, file);
  }
});

// The standard library is ES2022 and the DOM: older compilers and browsers have it. Node's types are what programs use.
const options = [
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--target',
  'es2022',
];
const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];

for (const mode of ['nodenext', 'node16']) {
  test(`programs of both kinds are type-checked (${mode}) and run`, async () => {
    const out = join(folder, `out-${mode}`);
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const files = ['types.mts', 'module.mts', 'required.cts'];
    await run(process.execPath, [
      tsc,
      ...['--module', mode, '--outDir', out, '--lib', 'es2022,dom,dom.iterable'],
      ...options,
      ...types,
      ...files,
    ]);
    const env = {
      ...process.env,
      URL: server.url,
      TENANT: account.tenantId,
      CLIENT: account.clientId,
      SECRET: account.clientSecret,
    };
    for (const program of ['module.mjs', 'required.cjs']) {
      const said = await run(process.execPath, [join(out, program)], env);
      assert.deepEqual(JSON.parse(said), { seen: ['DE 2', 'FR 1'], refused: true }, program);
    }
  });
}

test('it runs where there is nothing but what browsers have', async () => {
  const context = createContext({
    ...{ fetch, URL, URLSearchParams, Headers, Response, AbortController, AbortSignal },
    ...{ ReadableStream, TextDecoder, Blob, FormData, setTimeout, clearTimeout },
  });
  const home = join(folder, 'node_modules', '@storelens', 'client', 'dist', 'cjs');
  const loaded = new Map<string, object>();
  const load = (name: string): object => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const exported = {};
    loaded.set(name, exported);
    const text = readFileSync(join(home, name), 'utf8');
    const run = runInContext(`(function (exports, require) {${text}\n})`, context, { filename: name });
    run(exported, (other: string) => load(other.replace('./', '')));
    return exported;
  };
  const { connect } = load('index.js') as typeof import('@storelens/client');
  const { tenantId, clientId, clientSecret } = account;
  const rows = await connect({ url: server.url, tenantId, clientId, clientSecret })
    .rows('installs', { applicationId, startDate: '2018-05-20', groupby: ['market'], orderby: 'market' })
    .toArray();
  // Arrays of another realm are not deeply equal to ours.
  assert.equal(rows.map((row) => row.market).join(), 'DE,FR,US');
});

test('the examples of README.md are programs', async () => {
  const readme = await readFile(join(root, 'client', 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = '']) => text);
  assert.ok(examples.length >= 8);
  const names = 'connect, field, InvalidRequestError, unlisted, type Client';
  const given = `import { ${names} } from '@storelens/client';
import { writeFile } from 'node:fs/promises';
declare const client: Client;
declare const [tenantId, clientId, clientSecret]: [string, string, string];\n`;
  const files = examples.map((_, index) => `readme-${index}.mts`);
  for (const [index, text] of examples.entries()) {
    const whole = text.startsWith('import ') ? text : `${given}${text}`;
    await writeFile(join(folder, `readme-${index}.mts`), whole);
  }
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const node = ['--module', 'nodenext', '--lib', 'es2022,dom,dom.iterable,dom.asynciterable'];
  await run(process.execPath, [tsc, '--noEmit', ...node, ...options, ...types, ...files]);
});

test('without the types of Node it is type-checked as well, and with looser options: nothing in it is of Node', async () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const browser = ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable'];
  const loose = options.filter((option) => option !== '--exactOptionalPropertyTypes');
  await run(process.execPath, [
    tsc,
    ...['--noEmit', '--types', '', ...browser, ...loose, 'types.mts', 'optional.mts'],
  ]);
});
