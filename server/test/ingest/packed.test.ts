/**
 * Rows of small bodies are packed here or read by the engine, and both must store the same: random rows of every
 * dataset, good and odd ones. What the engine calls bad is never packed. The seed is printed.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { type DatasetEntry, datasets } from '@storelens/contract';
import { jsonRows } from '../../src/ingest/json-rows.js';
import { type Framing, jsonScanner } from '../../src/ingest/json-scanner.js';
import { packedFile, packedStatementOf, packRows } from '../../src/ingest/packed.js';
import { RowRules } from '../../src/ingest/row-rules.js';
import { groupStatementOf, type Statement } from '../../src/ingest/statement.js';
import { Dice } from '../oracle/random.js';
import { type Judge, oddFacts, openJudge, rowsEach, seed } from './odd-judge.js';
import { oddJson, oddProducts } from './odd-rows.js';

let judge: Judge;

before(async () => {
  judge = await openJudge();
});

after(() => judge.close());

function scanned(entry: DatasetEntry, row: string): boolean {
  const scanner = jsonScanner(entry, 'lines');
  scanner.push(Buffer.from(row));
  return scanner.end().problem === undefined;
}

const newGuid = () => '00000000-0000-4000-8000-000000000000';
const pack = (entry: DatasetEntry, text: string, framing: Framing = 'lines') => {
  const body = Buffer.from(text);
  const scanner = jsonScanner(entry, framing, body.length);
  scanner.push(body);
  return packRows(entry, body, scanner.end(), { ...oddFacts, newGuid });
};

/** Whether the engine makes an id for a row, another one each time. */
function isDerived(entry: DatasetEntry, row: string): boolean {
  const { id } = JSON.parse(row) as { id?: unknown };
  return entry.name === 'reviews' && (id ?? '') === '';
}

/** What the explanation says of rows; the engine ends at a key that is given twice, and judges none. */
async function explained(entry: DatasetEntry, rows: readonly string[]): Promise<string[][]> {
  const rules = new RowRules(entry, oddFacts);
  const found: string[][] = [];
  for await (const row of jsonRows(Readable.from([Buffer.from(rows.join('\n'))]), 'lines')) {
    found.push('entries' in row ? rules.problems(row.entries) : [row.problem]);
  }
  return found;
}

/** For every row of a body, whether the engine's check calls it bad. */
async function judged(entry: DatasetEntry, rows: readonly string[]): Promise<boolean[]> {
  const file = judge.file('rows');
  await writeFile(file, rows.join('\n'));
  return await judge.isBad(entry, 'json', file);
}

/** Stores a file and returns what the table then holds of the account. */
async function stored(accountId: string, statement: Statement, body: string | Uint8Array): Promise<string> {
  const file = judge.file('rows');
  await writeFile(file, body);
  await judge.engine.insert({ ...statement, account: accountId, token: accountId, file });
  const line = statement.columns.includes('line') ? ' REPLACE (0 AS line)' : '';
  const bytes = await judge.engine.query({
    account: accountId,
    sql: `SELECT * EXCEPT (accountId)${line} FROM ${statement.table} WHERE accountId = '${accountId}' ORDER BY seq`,
    format: 'TSV',
  });
  return Buffer.from(bytes).toString('utf8');
}

for (const entry of Object.values(datasets).filter(({ completed }) => completed === undefined)) {
  test(`rows of ${entry.name} are stored alike`, async () => {
    const dice = new Dice(seed);
    const odd = Array.from({ length: rowsEach(800) }, () => oddJson(entry, dice));
    const passed = odd.filter((row) => scanned(entry, row));
    const bodies = passed.map((row) => ({ row, packed: pack(entry, row) }));
    const packed = bodies.flatMap(({ row, packed }) => (packed === undefined ? [] : [{ row, packed }]));
    const rows = packed.map(({ row }) => row);
    const bad = await judged(entry, rows);
    rows.forEach((row, index) => {
      assert.equal(bad[index], false, `packed, but bad: ${row}`);
    });
    const seqs = rows.map((_, index) => index + 5);
    const numbers = { starts: rows.map((_, index) => index), seqs };
    const read = groupStatementOf(entry, 'json', oddFacts, { accountId: 'read', numbers });
    const files = packed.map((one, index) => ({ packed: one.packed, seq: seqs[index] ?? 0 }));
    const expected = (await stored('read', read, rows.join('\n'))).split('\n');
    const statement = packedStatementOf(entry, 'packed');
    const found = (await stored('packed', statement, packedFile(entry, files))).split('\n');
    assert.equal(found.length, expected.length);
    found.forEach((line, index) => {
      if (!isDerived(entry, rows[index] ?? '{}')) assert.equal(line, expected[index], rows[index]);
    });
    // In one body the same as one by one.
    const columns = pack(entry, rows.join(' \n\n'))?.columns;
    const inArray = pack(entry, `\ufeff[ ${rows.join(' ,\n')}]`, 'array')?.columns;
    assert.ok(columns !== undefined);
    assert.deepEqual(inArray, columns);
    columns.forEach((column, index) => {
      const one = Buffer.concat(packed.map(({ packed: { columns } }) => columns[index] ?? Buffer.alloc(0)));
      assert.ok(column.equals(one), `column ${index}`);
    });
    // Few good ones are left to the engine.
    const left = passed.filter((_, index) => bodies[index]?.packed === undefined);
    const good = (await explained(entry, left)).filter((problems) => problems.length === 0).length;
    assert.ok(rows.length > 10 * good, `${rows.length} packed, ${good} good ones left`);
  });
}

test('a key given twice, an amount beyond doubles and bad rows are left to the engine', () => {
  const { acquisitions } = datasets;
  assert.ok(acquisitions);
  const start = `{"timestamp":"2024-02-29T10:00:00Z","applicationId":${JSON.stringify(oddProducts.app[0])}`;
  assert.equal(pack(acquisitions, `${start}}\n${start}}`)?.rows, 2);
  assert.equal(pack(acquisitions, `${start},"userId":"\\"a\\\\","market":"\\u0041"}`)?.rows, 1);
  assert.equal(pack(acquisitions, `${start},"market":"a","market":"b"}`), undefined);
  assert.equal(pack(acquisitions, `${start},"market":"a","market":null}`), undefined);
  assert.equal(pack(acquisitions, `${start},"purchasePriceUSDAmount":1000000000}`), undefined);
  assert.equal(pack(acquisitions, `${start}}\n${start},"quantity":0}`), undefined);
  assert.equal(pack(acquisitions, start), undefined);
  assert.deepEqual(pack(acquisitions, `${start}}\n${start.replace('02-29', '01-31')}}`)?.days, [
    '2024-01-31',
    '2024-02-29',
  ]);
});
