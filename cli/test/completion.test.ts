/** Completion in the shells themselves, as far as this machine has them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { placeIn, shell } from './transcript.js';

const has = (name: string) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Lines as somebody types them, and words that must and must not be offered. */
const cases: readonly (readonly [line: string, offered: readonly string[], others: readonly string[]])[] = [
  ['storelens ', ['report', 'serve', 'tenant', 'completion'], ['create']],
  ['storelens re', ['report'], ['tenant']],
  ['storelens tenant ', ['create', 'list', 'delete'], ['report']],
  ['storelens tenant create --t', ['--tenant-id'], ['--name']],
  ['storelens report ', ['appacquisitions', 'desktop/failurehits'], ['cabdownload']],
  ['storelens report ratings --fo', ['--format'], ['--filter']],
  ['storelens report ratings --format ', ['chart', 'parquet'], ['ratings']],
  ['storelens report ratings --app X --level ', ['week'], ['chart']],
  ['storelens ingest u', ['usage'], ['installs']],
  ['storelens crash list --source d', ['desktop', 'driver'], ['app']],
  ['storelens serve --log-l', ['--log-level'], ['--port']],
  ['storelens help in', ['ingest'], ['login']],
];

function check(complete: (line: string) => readonly string[]): void {
  for (const [line, offered, others] of cases) {
    const words = complete(line);
    for (const word of offered) assert.ok(words.includes(word), `${line}: ${word} is not in ${words}`);
    for (const word of others) assert.ok(!words.includes(word), `${line}: ${word} is in ${words}`);
  }
}

async function scriptOf(context: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-completion-'));
  context.after(() => rm(folder, { recursive: true }));
  const { out, err, code } = await shell(await placeIn(folder), `storelens completion ${name}`);
  assert.equal(code, 0, err);
  const file = join(folder, `script.${name}`);
  await writeFile(file, out);
  return file;
}

/** The words of a line as bash hands them to a completion function; the last may be empty. */
const bashCall = (file: string, line: string) => {
  const words = line.split(' ').map((word) => `'${word}'`);
  return `source ${file}; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _storelens; printf '%s\\n' "\${COMPREPLY[@]}"`;
};

test('bash', { skip: has('bash') ? false : 'no bash here' }, async (context) => {
  const file = await scriptOf(context, 'bash');
  const run = (line: string) =>
    execFileSync('bash', ['-eu', '-c', bashCall(file, line)])
      .toString()
      .split('\n');
  check(run);
  assert.deepEqual(run('storelens ingest usage '), ['', ''], 'files are left to the shell');
  assert.deepEqual(run('storelens tenant create --name '), ['', ''], 'and so are values that nobody knows');
});

test('zsh', { skip: has('zsh') ? false : 'no zsh here' }, async (context) => {
  const file = await scriptOf(context, 'zsh');
  // Subscripts begin at 1 in zsh itself, at 0 where it completes as bash does; it leaves out what does not fit later.
  check((line) =>
    execFileSync('zsh', [
      '-f',
      '-c',
      `autoload -Uz compinit && compinit -D; source ${file}; setopt ksharrays shwordsplit; COMP_WORDS=(${line
        .split(' ')
        .map((word) => `'${word}'`)
        .join(' ')}); COMP_CWORD=${line.split(' ').length - 1}; _storelens; print -l -- "\${COMPREPLY[@]}"`,
    ])
      .toString()
      .split('\n')
      .filter((word) => word.startsWith(line.split(' ').at(-1) ?? '')),
  );
});

test('fish', { skip: has('fish') ? false : 'no fish here' }, async (context) => {
  const file = await scriptOf(context, 'fish');
  check((line) =>
    execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
      env: { ...process.env, HOME: join(file, '..') },
    })
      .toString()
      .split('\n')
      .map((found) => found.split('\t')[0] ?? ''),
  );
});

test('every command and option is in the scripts', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-completion-'));
  context.after(() => rm(folder, { recursive: true }));
  const place = await placeIn(folder);
  const { out: script } = await shell(place, 'storelens completion fish');
  const { out: overview } = await shell(place, 'storelens help');
  const names = [...overview.matchAll(/^ {2}([a-z-]+) {2,}[A-Z]/gm)].map(([, name]) => name ?? '');
  assert.ok(names.length > 10, overview);
  for (const name of names) assert.ok(script.includes(`-a '${name}' -d`), name);
});
