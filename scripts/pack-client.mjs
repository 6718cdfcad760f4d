/**
 * Packs `@storelens/client` as it is published: compiled as a module and for `require`, and standing alone. The contract
 * is private, so its types of reports go along, and the client's types name that copy. Works in `client/dist/package`,
 * away from what the other workspaces read. Expects a finished build.
 *
 * node scripts/pack-client.mjs [folder for the tarball]          prints the path of the tarball
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { argv, execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const client = join(root, 'client');
const staged = join(client, 'dist', 'package');

/** What the types of the client name of the contract, directly or not. */
const contractTypes = ['reports/index.d.ts', 'report.d.ts'];

function write(name, text) {
  mkdirSync(dirname(join(staged, name)), { recursive: true });
  writeFileSync(join(staged, name), text);
}

const withoutMap = (text) => text.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');

/** The contract's types; for both kinds of modules, so CommonJS: a module may import these, not the other way round. */
function copyContract() {
  for (const name of contractTypes) {
    const text = readFileSync(join(root, 'contract', 'dist', 'src', name), 'utf8');
    write(`dist/contract/${name}`, withoutMap(text));
  }
  write('dist/contract/package.json', '{ "type": "commonjs" }\n');
}

/** Compiled sources, without tests and maps. */
function copyCode(folder) {
  for (const name of readdirSync(join(client, 'dist', folder))) {
    if (!/\.js$|\.d\.ts$/.test(name) || name.includes('.test.')) continue;
    const text = readFileSync(join(client, 'dist', folder, name), 'utf8');
    write(
      `dist/${folder}/${name}`,
      withoutMap(text).replaceAll(/(['"])@storelens\/contract\1/g, "'../contract/reports/index.js'"),
    );
  }
}

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(execPath, [tsc, '-b', join(client, 'tsconfig.cjs.json')], {
  stdio: ['ignore', 2, 2],
});
if (status !== 0) exit(1);

rmSync(staged, { recursive: true, force: true });
copyContract();
copyCode('src');
copyCode('cjs');
write('dist/cjs/package.json', '{ "type": "commonjs" }\n');
// `private` keeps the workspace itself from being published: it does not stand alone.
const { private: _, ...manifest } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8'));
write('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
cpSync(join(client, 'README.md'), join(staged, 'README.md'));
cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE'));

const folder = resolve(argv[2] ?? '.');
mkdirSync(folder, { recursive: true });
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const options = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
const [{ filename }] = JSON.parse(execFileSync(npm, options, { cwd: staged, encoding: 'utf8' }));
console.log(join(folder, filename));
