/** What a run says: lines while it goes on, and docs/benchmarks.md when it was a full one. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { programs } from './contenders/postgres.mjs';
import { place } from './folder.mjs';
import { median, quantile } from './measure.mjs';
import { measures, verdict } from './measures.mjs';
import { root } from './server.mjs';

const versionOf = (path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).version;
const output = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', cwd: root }).trim();

const commit = () => output('git', 'describe', '--always', '--dirty');

/** Machine and versions, by name. */
export async function environment() {
  const postgres = await programs();
  const ask = "console.log(String(require('chdb').query('SELECT version()', 'TSV')).trim())";
  return {
    Storelens: commit(),
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    Node: process.version,
    engine: `${output(process.execPath, '-e', ask)} in chdb ${versionOf('node_modules/chdb')}`,
    PostgreSQL: postgres === undefined ? 'not installed' : output(join(postgres, 'postgres'), '--version'),
    DuckDB: versionOf('bench/node_modules/@duckdb/node-api'),
  };
}

/** A number with as many digits as tell something. */
const short = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const units = { x: '', ms: ' ms', MB: ' MB', '/s': '/s' };
const shown = ({ unit }, value) => `${short(value)}${units[unit]}`;
const size = (rows = '') => (rows >= 1e6 ? `${rows / 1e6}M` : rows >= 1e3 ? `${rows / 1e3}k` : String(rows));

/** A figure as it is kept: of its times, what is printed, on what commit, and how many processors others kept busy. */
export function summary(figure, others) {
  const { id, rows, shape = '', value, times, processor, of = 'ms', remark = '' } = figure;
  const numbers = Object.entries(times).map(([name, list]) => ({
    name,
    median: median(list),
    p99: quantile(list, 0.99),
    count: list.length,
  }));
  const at = new Date().toISOString().slice(0, 16);
  return { id, rows, shape, value, processor, numbers, of, remark, others, at, commit: commit() };
}

const details = ({ numbers, of }) =>
  numbers
    .map(({ name, median: middle, p99, count }) =>
      of === 'ms'
        ? `${name} ${short(middle)} (p99 ${short(p99)}, ${count} runs)`
        : `${name} ${short(middle)} (${count} runs)`,
    )
    .join(', ');

/** What stands behind a figure: the numbers that it is the ratio of, and a remark. */
const behind = (figure) => [details(figure), figure.remark].filter(Boolean).join('; ');
const processorOf = ({ processor }) => (processor === undefined ? '' : short(processor));

/** One line for the terminal. */
export function line(figure) {
  const measure = measures[figure.id];
  const judged = verdict(measure, figure.value);
  const about = `${size(figure.rows)} ${figure.shape}`.trim();
  const value = `${shown(measure, figure.value)}${judged && ` [${judged}]`}`;
  const processor = figure.processor === undefined ? '' : `, processor time ${processorOf(figure)}`;
  const what = [measure.what, about].filter(Boolean).join(', ');
  return `${measure.goal.padStart(2)}  ${what}: ${value}${processor}   ${figure.of}: ${behind(figure)}`;
}

const resultsFile = join(place, 'results.json');

/** Keeps figures between runs, so that a part may be measured again without the others. */
export async function keep(figures) {
  await mkdir(place, { recursive: true });
  const kept = existsSync(resultsFile) ? JSON.parse(await readFile(resultsFile, 'utf8')) : {};
  for (const figure of figures) kept[`${figure.id} ${figure.rows ?? ''} ${figure.shape}`] = figure;
  await writeFile(resultsFile, JSON.stringify(kept, null, 1));
  return Object.values(kept);
}

const row = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const words = { aim: 'aim reached', must: 'reached', missed: '**missed**', '': '' };

/** Writes the page; `figures` are all that are kept. */
export async function writePage(figures) {
  const order = Object.keys(measures);
  const sorted = figures
    .filter(({ id }) => order.includes(id))
    .sort((left, right) => order.indexOf(left.id) - order.indexOf(right.id) || left.rows - right.rows);
  const limit = (measure, value) =>
    value === undefined ? '' : `${measure.more ? '≥' : '≤'} ${value}${units[measure.unit]}`;
  const goals = sorted.map((figure) => {
    const measure = measures[figure.id];
    const about = `${size(figure.rows)} ${figure.shape}`.trim();
    const judged = words[verdict(measure, figure.value)];
    return [
      measure.goal,
      measure.what,
      about,
      limit(measure, measure.must),
      limit(measure, measure.aim),
      shown(measure, figure.value),
      judged,
    ];
  });
  const numbers = sorted.map((figure) => [
    measures[figure.id].goal,
    figure.id,
    `${size(figure.rows)} ${figure.shape}`.trim(),
    figure.of,
    behind(figure),
    processorOf(figure),
    figure.others?.toFixed(1) ?? '?',
    figure.at.replace('T', ' '),
    figure.commit,
  ]);
  const about = table(['', ''], Object.entries(await environment()));
  const disturbed = sorted.filter(({ others = 0 }) => others > 0.2).length;
  const care =
    disturbed === 0
      ? ''
      : `Other programs worked beside ${disturbed} of these ${sorted.length} figures (see \`others\` below): until they are taken again on a quiet machine, believe their processor time rather than their times, and no "missed" or "reached" among them.\n\n`;
  const measured = new Set(sorted.map(({ id }) => measures[id].goal));
  const goalsLeft = [...new Set(Object.values(measures).map(({ goal }) => goal))].filter(
    (goal) => goal !== '' && !measured.has(goal),
  );
  const left =
    goalsLeft.length === 0 ? '' : `Not measured yet at this size: goals ${goalsLeft.join(', ')}.\n\n`;
  const text = await readFile(new URL('page.md', import.meta.url), 'utf8');
  const page = text
    .replace('{care}', () => care + left)
    .replace('{environment}', () => about)
    .replace('{goals}', () => table(['#', 'what', 'rows', 'must', 'aim', 'measured', ''], goals))
    .replace('{numbers}', () =>
      table(
        [
          '#',
          'figure',
          'rows',
          'unit',
          'medians (99th percentiles)',
          'others',
          'measured at (UTC)',
          'commit',
        ],
        numbers,
      ),
    );
  await writeFile(join(root, 'docs', 'benchmarks.md'), page);
}
