/** The engine's side of a batch, as exact text and bound values; that it runs is shown over HTTP and by agreement. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetEntry } from '@storelens/contract';
import { parquetReading } from './parquet-columns.js';
import { factsOf } from './rules.js';
import { madeStatementOf, statementOf } from './statement.js';

const entry: DatasetEntry = {
  name: 'things',
  summary: '',
  time: 'date',
  columns: [
    { name: 'date', type: 'day', required: true, note: '' },
    { name: 'applicationId', type: 'product', kind: 'app', required: true, note: '' },
    { name: 'colour', type: 'text', missing: 'Unknown', values: ['Red', 'Blue'], note: '' },
    { name: 'size', type: 'integer', missing: 1, range: [1, 9], note: '' },
    { name: 'weight', type: 'integer', range: [0, 9], note: '' },
  ],
  replaces: ['date', 'applicationId', 'colour'],
};
const facts = factsOf(Date.UTC(2024, 1, 29), {
  find: () => undefined,
  ofKind: (kind) => (kind === 'app' ? [{ id: '9Abc', kind, parentId: null, name: '' }] : []),
});
const commit = { accountId: 'account', seq: 7 };

test('JSON: typed columns, bound values', () => {
  const statement = statementOf(entry, 'json', facts, commit);
  assert.equal(
    statement.structure,
    'date String, applicationId String, colour String, size Nullable(Int64), weight Int64',
  );
  assert.deepEqual(statement.columns, [
    'accountId',
    'seq',
    'date',
    'applicationId',
    'colour',
    'size',
    'weight',
    'line',
  ]);
  assert.deepEqual(statement.params, {
    account: 'account',
    seq: 7,
    latestDay: '2024-03-01',
    lower_app: ['', '9abc'],
    spelt_app: ['', '9Abc'],
    lower_colour: ['', 'red', 'blue'],
    spelt_colour: ['Unknown', 'Red', 'Blue'],
  });
  const app = `transform(lower(i.applicationId), {lower_app:Array(String)}, {spelt_app:Array(String)}, '')`;
  assert.deepEqual(statement.expressions, [
    '{account:String}',
    '{seq:UInt64}',
    'assumeNotNull(toDateOrNull(i.date))',
    'read_applicationId',
    'transform(lower(i.colour), {lower_colour:Array(String)}, {spelt_colour:Array(String)}, i.colour)',
    'ifNull(i.size, 1)',
    'i.weight',
    'toUInt32(rowNumberInAllBlocks() + 1)',
  ]);
  assert.equal(
    statement.bad,
    [
      `NOT match(i.date, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')`,
      `toString(toDate32OrNull(i.date)) != i.date`,
      `i.date < '1970-01-01'`,
      `i.date > {latestDay:String}`,
      `(${app} AS read_applicationId) = ''`,
      'ifNull(i.size, 1) < 1',
      'ifNull(i.size, 1) > 9',
      'i.weight < 0',
      'i.weight > 9',
      'length(i.colour) > 4096',
    ].join(' OR '),
  );
  assert.equal(statement.settings?.max_threads, 1, 'lines are numbered');
});

test('CSV: every cell is text and is read by its column', () => {
  const statement = statementOf(entry, 'csv', facts, commit);
  assert.equal(
    statement.structure,
    'date String, applicationId String, colour String, size String, weight String',
  );
  assert.equal(statement.expressions[5], 'ifNull(toInt64OrNull(i.size), 1)');
  assert.ok(
    statement.bad.includes(
      `(i.size != '' AND (NOT match(i.size, '^-?(0|[1-9][0-9]{0,17})$') OR toInt64OrNull(i.size) < 1 OR toInt64OrNull(i.size) > 9))`,
    ),
  );
});

test('what the check reads is stored under its name', () => {
  const { bad, expressions } = statementOf(completed, 'json', facts, commit);
  assert.ok(bad.includes("parseDateTime64BestEffortOrNull(i.timestamp, 3, 'UTC') AS read_timestamp"));
  assert.deepEqual(expressions.slice(2, 4), [
    'assumeNotNull(read_timestamp)',
    'toDate(assumeNotNull(read_timestamp))',
  ]);
  assert.equal(bad.match(/parseDateTime64BestEffortOrNull/g)?.length, 1);
});

test('texts of one limit are measured together', () => {
  const text = { type: 'text', note: '' } as const;
  const columns = [
    { ...text, name: 'a' },
    { ...text, name: 'b', maxBytes: 9 },
    { ...text, name: 'c' },
  ] as const;
  const { bad } = statementOf({ ...entry, columns: [...entry.columns, ...columns] }, 'json', facts, commit);
  assert.ok(
    bad.endsWith('greatest(length(i.colour), length(i.a), length(i.c)) > 4096 OR length(i.b) > 9'),
    bad,
  );
});

test('columns that a Parquet file neither has nor needs are stored without a look', () => {
  const type = { kind: 'text', engine: 'String' } as const;
  const reading = parquetReading(entry, [{ name: 'date', type, optional: true, chunks: [] }], 1, new Map());
  const { bad, expressions } = statementOf(entry, reading, facts, commit);
  assert.deepEqual(reading.absent, ['colour', 'size', 'weight']);
  assert.deepEqual(expressions.slice(4, 7), [`'Unknown'`, '1', '0']);
  assert.ok(bad.includes('read_applicationId'), 'what is needed is looked for');
  assert.ok(!/colour|size|weight/.test(bad), bad);
});

test('columns of a Parquet file whose texts are known to be good are not looked at, and corrected by name', () => {
  const type = { kind: 'text', engine: 'String' } as const;
  const columns = ['date', 'applicationId', 'colour'].map((name) => ({
    name,
    type,
    optional: true,
    chunks: [],
  }));
  const proven = new Map([
    ['applicationId', { corrections: [], mayLack: true }],
    ['colour', { corrections: [['RED', 'Red'] as const], mayLack: false }],
  ]);
  const statement = statementOf(entry, parquetReading(entry, columns, 1, proven), facts, commit);
  const { bad, expressions, params, structure, selection = '' } = statement;
  assert.equal(structure, 'date String, applicationId LowCardinality(String), colour LowCardinality(String)');
  assert.ok(expressions.includes('i.applicationId'), expressions.join());
  assert.ok(
    expressions.includes('transform(i.colour, {given_colour:Array(String)}, {spelt_colour:Array(String)})'),
    expressions.join(),
  );
  assert.deepEqual([params?.given_colour, params?.spelt_colour], [['RED'], ['Red']]);
  assert.match(bad, /(^|OR )i.applicationId = ''( OR|$)/);
  assert.ok(!bad.includes('colour'), bad);
  assert.ok(selection.includes('isValidUTF8((r.date AS allTexts))'), selection);
});

test('rows that add need no order', () => {
  const { replaces: _, ...adding } = entry;
  const statement = statementOf(adding, 'json', facts, commit);
  assert.equal(statement.settings?.max_threads, undefined);
  assert.ok(!statement.columns.includes('line'));
});

const completed: DatasetEntry = {
  name: 'things',
  summary: '',
  time: 'timestamp',
  completed: 'failure',
  supersedable: true,
  columns: [
    { name: 'timestamp', type: 'timestamp', required: true, note: '' },
    { name: 'source', type: 'text', required: true, only: ['App', 'Driver', 'Other'], note: '' },
    {
      name: 'applicationId',
      type: 'product',
      depends: {
        column: 'source',
        requiredFor: ['App'],
        kinds: { App: 'app', Driver: 'driver', Other: 'driver' },
      },
      note: '',
    },
    { name: 'frames', type: 'list', columns: [], note: '' },
  ],
};

test('completed rows: columns of the table in place of nested ones, values that depend on others', () => {
  const { columns, expressions, bad, structure, params } = statementOf(completed, 'json', facts, commit);
  assert.deepEqual(columns.slice(0, 6), ['accountId', 'seq', 'timestamp', 'date', 'source', 'applicationId']);
  assert.deepEqual(columns.slice(-2), ['frames', 'supersededBy']);
  assert.equal(expressions.at(-2), 'i.frames');
  assert.equal(expressions.at(-1), 'toUInt64(0)');
  assert.match(structure, /^timestamp String, source String, applicationId String, exceptionCode String, /);
  const spelt = (kind: string) =>
    `transform(lower(i.applicationId), {lower_${kind}:Array(String)}, {spelt_${kind}:Array(String)}, '')`;
  const product = `multiIf(lower(i.source) IN ('app'), ${spelt('app')}, lower(i.source) IN ('driver', 'other'), ${spelt('driver')}, '')`;
  assert.equal(expressions[5], 'read_applicationId');
  assert.ok(
    bad.endsWith(
      `(i.applicationId != '' AND ((${product} AS read_applicationId) = '')) OR (i.applicationId = '' AND lower(i.source) IN ('app')) OR length(i.source) > 4096`,
    ),
    bad,
  );
  assert.ok(bad.includes("i.source = '' OR NOT has({only_source:Array(String)}, lower(i.source))"));
  assert.deepEqual(params?.only_source, ['app', 'driver', 'other']);
  assert.deepEqual(params?.lower_driver, ['']);
});

test('made rows carry their number, and are not checked again', () => {
  const { expressions, bad, structure, params } = madeStatementOf(completed, 'account');
  assert.equal(bad, 'false');
  assert.equal(expressions[1], 'i.seq');
  assert.equal(expressions[5], 'i.applicationId');
  assert.ok(structure.endsWith(', seq UInt64'));
  assert.equal(params?.seq, undefined);
});
