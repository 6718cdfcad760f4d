/** Every dataset stands where its URL says, and its columns make sense. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { reports } from '../reports/index.js';
import { datasets } from './index.js';

const all = Object.entries(datasets);

test('file paths equal dataset names', () => {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(folder)
    .filter((path) => path.endsWith('.js') && !path.endsWith('.test.js'))
    .map((path) => path.slice(0, -3))
    .filter((path) => path !== 'index' && path !== 'columns');
  assert.deepEqual(files.sort(), Object.keys(datasets).sort());
  for (const [name, entry] of all) assert.equal(entry.name, name);
});

for (const [name, entry] of all) {
  test(`${name} has consistent columns`, () => {
    const names = entry.columns.map((column) => column.name);
    assert.equal(new Set(names.map((one) => one.toLowerCase())).size, names.length);
    const time = entry.columns.find((column) => column.name === entry.time);
    assert.ok(time?.required && (time.type === 'timestamp' || time.type === 'day'));
    for (const column of entry.columns) {
      assert.equal(column.range !== undefined, column.type === 'integer', `${column.name}: range`);
      const kind = column.kind !== undefined || column.depends !== undefined;
      assert.equal(kind, column.type === 'product', `${column.name}: kind`);
      assert.equal(column.kind !== undefined && column.depends !== undefined, false, column.name);
      if (column.required) assert.equal(column.missing, undefined, column.name);
      const nested = column.type === 'object' || column.type === 'list';
      assert.equal(column.columns !== undefined, nested, `${column.name}: columns`);
      assert.equal(column.most !== undefined, column.type === 'list', `${column.name}: most`);
      if (nested) assert.ok(entry.completed, `${column.name}: only completed rows have members`);
      for (const member of column.columns ?? []) {
        assert.ok(member.type === 'text' || member.type === 'code', `${column.name}.${member.name}`);
        assert.equal(member.required, undefined, `${column.name}.${member.name}`);
      }
      if (column.depends) {
        const other = entry.columns.find((one) => one.name === column.depends?.column);
        assert.ok(other?.required && other.only, `${column.name} depends on a listed value`);
        assert.deepEqual(Object.keys(column.depends.kinds).sort(), [...other.only].sort());
        assert.ok(column.depends.requiredFor.every((one) => other.only?.includes(one)));
      }
      if (column.values) assert.equal(column.type, 'text', column.name);
      if (column.valuesWhenPresent) assert.ok(names.includes(column.valuesWhenPresent.column), column.name);
      for (const list of [column.values ?? [], column.valuesWhenPresent?.values ?? []]) {
        assert.equal(new Set(list.map((one) => one.toLowerCase())).size, list.length, column.name);
      }
      if (column.range && typeof column.missing === 'number') {
        assert.ok(column.missing >= column.range[0] && column.missing <= column.range[1], column.name);
      }
    }
    for (const column of entry.replaces ?? []) assert.ok(names.includes(column), column);
  });
}

test('listed values of grouped and filtered fields are known at ingestion', () => {
  for (const report of Object.values(reports)) {
    for (const field of report.fields) {
      if (field.origin?.from !== 'column') continue;
      const { column } = field.origin;
      for (const source of report.sources) {
        const stored = datasets[source.table]?.columns.find((one) => one.name === column);
        const addOns = source.where.some((one) => 'is' in one && one.is === 'present');
        const known = (addOns ? stored?.valuesWhenPresent?.values : undefined) ?? stored?.values ?? [];
        for (const value of [...(field.values ?? []), ...(field.olderValues ?? [])]) {
          assert.ok(known.includes(value), `${source.table}.${column} lists ${value} of ${report.name}`);
        }
      }
    }
  }
});
