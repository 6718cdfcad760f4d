/**
 * Runs transcripts: files of `$ command` lines, each followed by what a user sees. Lines of standard error begin
 * with `! `, an exit code other than 0 stands in brackets at the end. `{guid}`, `{time}`, `{secret}`, `{digits}` and
 * `{any}` match what changes from run to run; `{name:guid}` also remembers it, and `{name}` stands for it later.
 * Commands run in a shell, with `storelens` on the path; those that are nothing but `storelens` and words run in
 * this process, which saves the start of one, and `serve` never does.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { readEnvironment } from '../src/environment.js';
import { run } from '../src/main.js';

/** The command line as users start it. */
export const storelens = fileURLToPath(new URL('../../bin/storelens.mjs', import.meta.url));

const patterns: Readonly<Record<string, string>> = {
  guid: '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  secret: '[A-Za-z0-9_-]{43}',
  digits: '\\d+',
  any: '.*',
};

interface Step {
  readonly line: number;
  readonly command: string;
  readonly expected: readonly string[];
}

/** A place to run commands as a user: an empty folder, and an environment with nothing of ours but the path. */
export interface Place {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Prepares a folder for a user; `storelens` is on the path. */
export async function placeIn(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const bin = join(folder, '.bin');
  await mkdir(bin, { recursive: true });
  await symlink(storelens, join(bin, 'storelens'));
  const path = [bin, join(process.execPath, '..'), process.env.PATH].join(delimiter);
  return { folder, environment: { PATH: path, HOME: folder, ...variables } };
}

/** What a command printed, and its exit code. */
export interface Printed {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs a shell line. */
export async function shell(place: Place, line: string): Promise<Printed> {
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: place.folder,
    env: place.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { out, err, code };
}

/** The words of a line that a shell would pass to `storelens` as they are; undefined if it has more to do. */
function plainWords(line: string): readonly string[] | undefined {
  if (!/^storelens(?: (?:[\w./:=@,-]+|'[^']*'))*$/.test(line)) return undefined;
  const words = line.match(/'[^']*'|[^ ']+/g) ?? [];
  return words[1] === 'serve' ? undefined : words.slice(1).map((word) => word.replace(/^'|'$/g, ''));
}

/** Runs a line as a shell would, in this process if it needs none. */
export async function perform(place: Place, line: string): Promise<Printed> {
  const words = plainWords(line);
  if (words === undefined) return shell(place, line);
  const [out, err] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(out), text(err)]);
  const before = process.cwd();
  process.chdir(place.folder);
  try {
    const environment = readEnvironment(place.environment);
    const wait = () => Promise.reject(new Error('no line of a transcript waits'));
    const code = await run(words, { environment, out, err, in: Readable.from([]), now: Date.now, wait });
    out.end();
    err.end();
    const [told, complained] = await printed;
    return { out: told, err: complained, code };
  } finally {
    process.chdir(before);
  }
}

/** Runs a transcript of the source folder and compares every line. `known` are names that it may use. */
export async function replay(
  name: string,
  place: Place,
  known: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = new URL(`../../test/transcripts/${name}.txt`, import.meta.url);
  const remembered = new Map(Object.entries(known));
  for (const step of parse(await readFile(file, 'utf8'))) {
    const command = step.command.replace(
      /\{(\w+)\}/g,
      (whole, word: string) => remembered.get(word) ?? whole,
    );
    const { out, err, code } = await perform(place, command);
    const seen = [...linesOf(out), ...linesOf(err).map((line) => `! ${line}`.trimEnd())];
    if (code !== 0) seen.push(`[${code}]`);
    const at = `${name}.txt:${step.line}: $ ${command}\n${seen.join('\n')}\n--- expected\n${step.expected.join('\n')}`;
    assert.equal(seen.length, step.expected.length, at);
    step.expected.forEach((expected, index) => {
      const names: string[] = [];
      const match = lineMatcher(expected, remembered, names).exec(seen[index] ?? '');
      assert.ok(match, `line ${index + 1}: ${seen[index]}\nis not:  ${expected}\n${at}`);
      names.forEach((word, group) => {
        remembered.set(word, match[group + 1] ?? '');
      });
    });
  }
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function parse(text: string): readonly Step[] {
  const steps: { line: number; command: string; expected: string[] }[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.startsWith('$ ')) steps.push({ line: index + 1, command: line.slice(2), expected: [] });
    else if (!line.startsWith('#')) steps.at(-1)?.expected.push(line);
  });
  // Blank lines separate steps; those within an answer stay.
  for (const { expected } of steps) while (expected.at(-1) === '') expected.pop();
  return steps;
}

function lineMatcher(expected: string, remembered: ReadonlyMap<string, string>, names: string[]): RegExp {
  const source = expected
    .split(/(\{\w+(?::\w+)?\})/)
    .map((part) => {
      const [, name = '', kind] = /^\{(\w+)(?::(\w+))?\}$/.exec(part) ?? [];
      if (name === '') return escaped(part);
      const pattern = patterns[kind ?? name];
      if (kind !== undefined && pattern !== undefined) {
        names.push(name);
        return `(${pattern})`;
      }
      const value = remembered.get(name);
      return value !== undefined ? escaped(value) : (pattern ?? escaped(part));
    })
    .join('');
  return new RegExp(`^${source}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
