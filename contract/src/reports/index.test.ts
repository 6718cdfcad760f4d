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

/** Column names of a table, its derived day included. */
function columnsOf(table: string): string[] {
  const dataset = datasets[table];
  assert.ok(dataset, `${table} is a dataset`);
  return dataset.columns.map((column) => column.name);
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

/** The stored column behind a field, if there is one. */
function columnOf(field: Field): string[] {
  const origin = field.origin;
  return origin?.from === 'column' || origin?.from === 'productName' ? [origin.column] : [];
}

for (const [name, entry] of all) {
  test(`${name} reads columns that its tables have`, () => {
    const fields = [...entry.fields, ...(entry.queryOnly ?? [])].flatMap(columnOf);
    const reads = readsOf(entry);
    assert.ok(reads.length > 0);
    for (const { table, columns } of reads) {
      const known = columnsOf(table);
      for (const column of [...fields, ...columns]) {
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
      if (field.filter?.includes('contains')) assert.equal(field.type, 'text');
      if (field.filter?.includes('gt')) assert.ok(field.type === 'integer' || field.type === 'decimal');
    }
    for (const field of entry.queryOnly ?? []) {
      assert.ok(field.filter && !field.orderby && !field.groupby && !field.alwaysReturned, field.name);
    }
    assert.equal(entry.kind === 'steps', entry.steps !== undefined);
    assert.equal(entry.kind === 'steps', entry.paging === undefined);
    if (entry.kind === 'steps') assert.equal(entry.sources.length, 0);
    else assert.equal(entry.fields[0]?.name, 'date');
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
