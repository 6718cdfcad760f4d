/**
 * The gate (scanner and engine) and the explanation are written apart and must agree: random rows of every dataset,
 * good and odd ones, in all formats. The seed is printed.
 */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { type DatasetEntry, datasets } from '@storelens/contract';
import { completeFailures } from '../../src/crashes/complete-failures.js';
import { completeRows } from '../../src/ingest/complete.js';
import { csvRows } from '../../src/ingest/csv-rows.js';
import { csvScanner } from '../../src/ingest/csv-scanner.js';
import { explainRows } from '../../src/ingest/explain.js';
import { jsonRows } from '../../src/ingest/json-rows.js';
import { jsonScanner } from '../../src/ingest/json-scanner.js';
import type { RowFormat } from '../../src/ingest/media.js';
import { RowRules } from '../../src/ingest/row-rules.js';
import type { Reading } from '../../src/ingest/stored-values.js';
import { systemRandom } from '../../src/system.js';
import { Dice } from '../oracle/random.js';
import { type Judge, oddFacts, openJudge, rowsEach, seed } from './odd-judge.js';
import { csvLine, flatColumns, oddCells, oddJson, oddProducts } from './odd-rows.js';

let judge: Judge;

before(async () => {
  judge = await openJudge();
});

after(() => judge.close());

/** The scanner's problem with a body, or undefined. */
function scan(entry: DatasetEntry, format: RowFormat, body: string): string | undefined {
  const scanner =
    format === 'csv' ? csvScanner() : jsonScanner(entry, format === 'array' ? 'array' : 'lines');
  const bytes = Buffer.from(body);
  // In two pieces, so that the state is carried over.
  const cut = bytes.length >> 1;
  scanner.push(bytes.subarray(0, cut));
  scanner.push(bytes.subarray(cut));
  return scanner.end().problem?.text;
}

/** The explanation's problems by row. */
async function explain(entry: DatasetEntry, format: RowFormat, body: string): Promise<string[][]> {
  const rules = new RowRules(entry, oddFacts);
  const stream = Readable.from([Buffer.from(body)]);
  const found: string[][] = [];
  for await (const row of format === 'csv' ? csvRows(stream) : jsonRows(stream, format)) {
    found.push('entries' in row ? rules.problems(row.entries) : [row.problem]);
  }
  return found;
}

/** For every row of a body that the scanner passed, whether the engine's check calls it bad. */
async function judgeBody(entry: DatasetEntry, reading: Reading, body: string): Promise<boolean[]> {
  const file = judge.file('rows');
  await writeFile(file, body);
  if (entry.completed !== undefined) return await judgeCompleted(entry, reading, body);
  return await judge.isBad(entry, reading, file);
}

const complete = completeFailures(systemRandom);

/** The same for rows that are completed first: what the completion refuses never comes before the engine. */
async function judgeCompleted(entry: DatasetEntry, reading: Reading, body: string): Promise<boolean[]> {
  const [header = '', ...lines] = csvRecords(body, reading);
  const bad: boolean[] = [];
  const good: string[] = [];
  for (const line of lines) {
    const [from, to] = [judge.file('one'), judge.file('one.complete')];
    await writeFile(from, `${header}${line}`);
    await rm(to, { force: true });
    const passed = await completeRows(from, to, entry, reading === 'csv' ? 'csv' : 'lines', complete);
    bad.push(!passed);
    if (passed) good.push(await readFile(to, 'utf8'));
  }
  if (good.length === 0) return bad;
  const file = judge.file('completed');
  await writeFile(file, good.join(''));
  const judged = await judge.isBad(entry, 'json', file);
  assert.equal(judged.length, good.length);
  return bad.map((one) => one || judged.shift() === true);
}

/** The header, empty for JSON, and the rows of a body. */
function csvRecords(body: string, reading: Reading): string[] {
  if (reading === 'json') return ['', ...body.split('\n')];
  const records: string[] = [];
  let quoted = false;
  let record = '';
  for (const char of body) {
    record += char;
    if (char === '"') quoted = !quoted;
    if (char !== '\n' || quoted) continue;
    records.push(record);
    record = '';
  }
  return records;
}

for (const entry of Object.values(datasets)) {
  test(`JSON rows of ${entry.name}`, async () => {
    const dice = new Dice(seed);
    const passed: string[] = [];
    let refused = 0;
    for (let count = 0; count < rowsEach(400); count += 1) {
      const row = oddJson(entry, dice);
      const problem = scan(entry, 'lines', row);
      assert.equal(
        scan(entry, 'array', `\ufeff [\n${row}\r\n] `) === undefined,
        problem === undefined,
        `array and lines differ: ${row}`,
      );
      if (problem === undefined) {
        passed.push(row);
        continue;
      }
      refused += 1;
      const [found = []] = await explain(entry, 'lines', row);
      assert.notDeepEqual(found, [], `the scanner says '${problem}': ${row}`);
    }
    // At a key that is given twice the engine does not judge the row but ends.
    const all = await explain(entry, 'lines', passed.join('\n'));
    const twice = passed.filter((_, index) => all[index]?.some((one) => one.endsWith(': given twice')));
    const single = passed.filter((row) => !twice.includes(row));
    const bad = await judgeBody(entry, 'json', single.join('\n'));
    assert.equal(bad.length, single.length);
    const found = await explain(entry, 'lines', single.join('\n'));
    const inArray = await explain(entry, 'array', `[${single.join(', ')}]`);
    single.forEach((row, index) => {
      assert.equal(bad[index], found[index]?.length !== 0, `${bad[index]}, but ${found[index]}: ${row}`);
    });
    assert.deepEqual(inArray, found);
    for (const row of twice.slice(0, 5)) {
      if (entry.completed === undefined)
        await assert.rejects(judgeBody(entry, 'json', row), /INCORRECT_DATA/, row);
      else assert.deepEqual(await judgeBody(entry, 'json', row), [true], row);
    }
    const good = bad.filter((one) => !one).length;
    assert.ok(refused > 20 && good > 50 && bad.length - good > 5, `${refused}, ${good} of ${bad.length}`);
  });

  test(`CSV rows of ${entry.name}`, async () => {
    const dice = new Dice(seed);
    const header = flatColumns(entry)
      .map(({ name }) => name)
      .join(',');
    const lines: string[] = [];
    for (let count = 0; count < rowsEach(400); count += 1) {
      const line = csvLine(oddCells(entry, dice), dice);
      if (line.includes('\0')) assert.ok(scan(entry, 'csv', `${header}\n${line}`));
      else {
        assert.equal(scan(entry, 'csv', `${header}\r\n${line}\r\n`), undefined, line);
        lines.push(line);
      }
    }
    const body = `\ufeff${header}\n${lines.join('\n')}\n`;
    const bad = await judgeBody(entry, 'csv', body);
    const found = await explain(entry, 'csv', body);
    assert.equal(bad.length, lines.length);
    lines.forEach((line, index) => {
      assert.equal(bad[index], found[index]?.length !== 0, `${bad[index]}, but ${found[index]}: ${line}`);
    });
    const good = bad.filter((one) => !one).length;
    assert.ok(good > 50 && bad.length - good > 5, `${good} of ${bad.length}`);
  });
}

test('a good batch explains as nothing', async () => {
  const file = judge.file('good');
  const row = JSON.stringify({ date: '2024-02-29', applicationId: oddProducts.app[0], campaignId: '1' });
  await writeFile(file, `${row}\n\n${row}\n`);
  const { campaigns } = datasets;
  assert.ok(campaigns);
  assert.deepEqual(await explainRows(file, campaigns, 'lines', oddFacts), []);
});
