import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MirrorType, mirrorTables } from '@storelens/contract';
import { readSchema, splitStatements } from '../engine/migrate.js';

const types: Readonly<Record<MirrorType, readonly string[]>> = {
  text: ['LowCardinality(String)', 'String'],
  integer: ['Int64'],
  amount: ['Decimal(38, 18)'],
  boolean: ['Bool'],
  time: ["DateTime64(3, 'UTC')"],
};

test('the mirrors of reports have the tables that the contract asks for', async () => {
  const steps = await readSchema();
  const made = steps.flatMap(({ sql }) => splitStatements(sql)).filter((text) => / mirror_\w+ \(/.test(text));
  const tables = new Map(
    made.map((text) => [
      /EXISTS (\w+)/.exec(text)?.[1],
      new Map(
        [...text.matchAll(/^ {2}(\w+) (.*?),?$/gm)].map(([, name, type]) => [
          name,
          type?.replace(/ CODEC.*/, ''),
        ]),
      ),
    ]),
  );
  for (const { name, columns, formerValues, report } of Object.values(mirrorTables)) {
    const table = tables.get(name);
    assert.ok(table, `${name} has a schema step`);
    for (const column of columns) {
      const type = table.get(column.name) ?? 'none';
      assert.ok(types[column.type].includes(type), `${name}.${column.name} is ${type}`);
    }
    const former = formerValues === undefined ? undefined : table.get(formerValues);
    assert.equal(former, formerValues && "Array(String) ALIAS CAST([], 'Array(String)')", report.name);
    for (const own of ['scope', 'isDay', 'date', 'level', 'grouping', 'dayRows', 'storedAt', 'seq']) {
      assert.ok(table.has(own), `${name}.${own}`);
    }
  }
});
