/** Every entry stands where its URL says, and its flags agree with each other and with the datasets. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { datasets } from '../datasets/index.js';
import type { Aggregate, Condition, Field, ReportEntry } from '../report.js';
import { reports } from './index.js';

const all = Object.entries(reports);

test('file paths equal report names', async () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(folder, { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.js') && !path.endsWith('.test.js') && path !== 'index.js')
    .map((path) => path.slice(0, -3));
  assert.deepEqual(files.sort(), Object.keys(reports).sort());
  for (const [name, entry] of all) {
    assert.equal(entry.name, name);
    const module: Record<string, unknown> = await import(`./${name}.js`);
    assert.ok(Object.values(module).includes(entry), `${name}.ts exports the entry of its name`);
  }
});

/** Columns that tables of completed rows have besides those of their dataset. */
const completed = [
  'exceptionCode',
  'exceptionClass',
  'nameGiven',
  'hashGiven',
  'namingVersion',
  'formerHashes',
  'cabId',
  'cabIdHash',
  'cabBytes',
  'processed',
  'frames',
  'supersededBy',
];

/** Column names of a table, its derived day included. */
function columnsOf(table: string): string[] {
  const dataset = datasets[table];
  assert.ok(dataset, `${table} is a dataset`);
  const given = dataset.columns.filter(({ type }) => type !== 'object' && type !== 'list');
  return [...given.map((column) => column.name), ...(dataset.completed ? completed : [])];
}

/** Tables that feed a report, with the columns that conditions and aggregates read. */
function readsOf(entry: ReportEntry): { table: string; columns: string[] }[] {
  const conditions = (list: readonly Condition[] | undefined) => (list ?? []).map((one) => one.column);
  const aggregate = (one: Aggregate) => [
    ...(one.aggregate === 'count' ? [] : [one.column]),
    ...conditions(one.where),
  ];
  return [
    ...entry.sources.map((source) => ({
      table: source.table,
      columns: [...conditions(source.where), ...Object.values(source.measures).flatMap(aggregate)],
    })),
    ...(entry.steps ?? []).map((step) => ({
      table: step.source.table,
      columns: [...conditions(step.source.where), ...aggregate(step.aggregate)],
    })),
  ];
}

/** The stored columns behind a field. */
function columnsOfField(field: Field): string[] {
  const { origin, formerValues } = field;
  const former = formerValues === undefined ? [] : [formerValues];
  if (origin?.from === 'column' || origin?.from === 'productName') return [origin.column, ...former];
  if (origin?.from === 'frame') return ['frames'];
  if (origin?.from === 'fileExpiry' || origin?.from === 'fileAvailable') return ['timestamp', 'cabBytes'];
  return former;
}

/** The stored columns behind the lookups of a report. */
function columnsOfLookups(entry: ReportEntry): string[] {
  return (entry.lookups ?? []).flatMap(({ column, formerValues }) => [
    column,
    ...(formerValues === undefined ? [] : [formerValues]),
  ]);
}

for (const [name, entry] of all) {
  test(`${name} reads columns that its tables have`, () => {
    const fields = [...entry.fields, ...(entry.queryOnly ?? [])].flatMap(columnsOfField);
    const reads = readsOf(entry);
    assert.ok(reads.length > 0);
    for (const { table, columns } of reads) {
      const known = columnsOf(table);
      for (const column of [...fields, ...columns, ...columnsOfLookups(entry)]) {
        assert.ok(known.includes(column), `${table} has ${column}`);
      }
    }
  });

  test(`${name} has consistent flags`, () => {
    const names = [...entry.fields, ...(entry.queryOnly ?? [])].map((field) => field.name.toLowerCase());
    assert.equal(new Set(names).size, names.length, 'names differ by more than case');
    for (const field of entry.fields) {
      if (field.groupby) assert.ok(entry.groupby, `${field.name} is groupable in a report without groupby`);
      if (field.orderby) assert.ok(entry.orderby, `${field.name} is sortable in a report without orderby`);
      if (!entry.groupby) assert.ok(field.alwaysReturned, `${field.name} is in every row`);
      if (field.ungroupedLevels) assert.ok(field.ungroupedLevels.every((one) => entry.levels.includes(one)));
      if (field.olderValues) assert.ok(field.olderValues.every((one) => !field.values?.includes(one)));
      if (field.role === 'measure') assert.ok(!field.origin && !field.filter && !field.groupby);
      if (field.ungroupedOnly) assert.ok(field.role === 'measure' && !field.alwaysReturned, field.name);
      if (field.nullWhenEmpty) assert.equal(field.type, 'text', field.name);
      if (field.type === 'time') assert.ok(!entry.groupby, `${field.name}: times stand in no bucket`);
      if (field.filter?.includes('contains')) assert.equal(field.type, 'text');
      if (field.filter?.includes('gt')) assert.ok(field.type === 'integer' || field.type === 'decimal');
    }
    for (const field of entry.queryOnly ?? []) {
      assert.ok(field.filter || field.orderby, field.name);
      assert.ok(!field.groupby && !field.alwaysReturned, field.name);
      if (field.orderby) assert.ok(entry.orderby, field.name);
    }
    assert.equal(new Set(entry.levels).size, entry.levels.length);
  });

  test(`${name} has what its kind needs`, () => {
    const rows = entry.kind === 'grouped' || entry.kind === 'records';
    assert.equal(entry.kind === 'steps', entry.steps !== undefined);
    assert.equal(entry.kind === 'steps', entry.sources.length === 0);
    assert.equal(rows, entry.paging !== undefined);
    assert.equal(rows || entry.kind === 'steps', entry.dates !== undefined);
    assert.equal(entry.kind === 'file', entry.fields.length === 0);
    const dates = entry.fields.filter(({ role }) => role === 'date');
    assert.deepEqual(
      dates.map((field) => field.name),
      rows ? ['date'] : [],
    );
    const frames = entry.fields.filter(({ origin }) => origin?.from === 'frame');
    assert.equal(frames.length, entry.kind === 'frames' ? entry.fields.length : 0);
    const one = entry.kind === 'frames' || entry.kind === 'file';
    if (one) assert.ok(entry.lookups && entry.lookups.length > 0 && entry.sources.length === 1);
    if (one) assert.ok(!entry.orderby && !entry.groupby && entry.levels.length === 0);
    assert.equal(entry.identity.parameters.length === 0 && entry.identity.needs === 'one', false);
    for (const source of entry.sources) {
      if (!datasets[source.table]?.supersedable) continue;
      assert.ok(
        source.where.some((condition) => condition.column === 'source' && 'equals' in condition),
        'reads the rows of one programme',
      );
    }
  });

  test(`${name} feeds every measure once`, () => {
    const fed = entry.sources.flatMap((source) => Object.keys(source.measures)).sort();
    const measures = entry.fields.filter((field) => field.role === 'measure').map((field) => field.name);
    if (entry.kind === 'steps') assert.equal(measures.length, 1);
    else assert.deepEqual(fed, measures.sort());
    for (const field of entry.fields) {
      const needsOrigin = field.role !== 'measure' && entry.kind !== 'steps';
      assert.equal(field.origin !== undefined, needsOrigin, field.name);
    }
  });
}

test('the steps of a funnel are the listed values of its first field', () => {
  for (const [, entry] of all.filter(([, one]) => one.kind === 'steps')) {
    assert.deepEqual(
      entry.steps?.map((step) => step.name),
      entry.fields[0]?.values,
    );
  }
});
