/** The wire examples have the agreed shape and cover what every report must show. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { datasets } from './datasets/index.js';
import type { ReportEntry } from './report.js';
import { reports } from './reports/index.js';

type Json = Readonly<Record<string, unknown>>;

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));

function read(name: string): Json {
  return object(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')), name);
}

function object(value: unknown, where: string): Json {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is an object`);
  return value as Json;
}

function list(value: unknown, where: string): readonly unknown[] {
  assert.ok(Array.isArray(value), `${where} is a list`);
  return value;
}

function text(value: unknown, where: string): string {
  assert.ok(typeof value === 'string' && value !== '', `${where} is a text`);
  return value;
}

function texts(value: unknown, where: string): readonly string[] {
  return list(value, where).map((one) => text(one, where));
}

function onlyKeys(value: Json, where: string, allowed: readonly string[]): void {
  for (const key of Object.keys(value)) assert.ok(allowed.includes(key), `${where} knows no key ${key}`);
}

/** Rows carry fields of the report, in its order; groups leave out those that groupby does not name. */
function checkPage(value: unknown, entry: ReportEntry, shape: unknown, where: string): void {
  const page = object(value, where);
  const linked = entry.paging !== undefined || entry.kind === 'frames';
  const keys = linked ? ['Value', '@nextLink', 'TotalCount'] : ['Value', 'TotalCount'];
  if (shape === '2022' && entry.freshness) keys.push('DataFreshnessTimestamp');
  assert.deepEqual(Object.keys(page), keys, `${where}: keys of the envelope`);
  assert.equal(typeof page.TotalCount, 'number', where);
  const names = entry.fields.map((field) => field.name);
  for (const row of list(page.Value, where)) {
    const present = Object.keys(object(row, where));
    assert.deepEqual(
      present,
      names.filter((name) => present.includes(name)),
      `${where}: keys of a row`,
    );
    for (const field of entry.fields) {
      const kept = shape !== '2022' || field.role !== 'attribute';
      if (field.alwaysReturned && kept) assert.ok(present.includes(field.name), `${where}: ${field.name}`);
    }
  }
}

function checkExample(value: unknown, entry: ReportEntry, file: string): void {
  const example = object(value, file);
  const where = `${file}: ${text(example.name, file)}`;
  const common = ['name', 'cites', 'shape', 'query', 'target', 'status', 'noticeIncludes'];
  assert.equal([example.query, example.target].filter((one) => one !== undefined).length, 1, where);
  text(example.query ?? example.target, where);
  if (example.target !== undefined) {
    assert.match(text(example.target, where), /^[\x21-\x7e]+$/, `${where}: sent to the letter`);
  }
  if (example.shape !== undefined) assert.equal(example.shape, '2022', `${where}: the other form of rows`);
  if (example.cites !== undefined) text(example.cites, where);
  if (example.noticeIncludes !== undefined) texts(example.noticeIncludes, where);
  if (entry.kind === 'file' && example.status === 302) {
    onlyKeys(example, where, [...common, 'file']);
    const file = object(example.file, where);
    onlyKeys(file, where, ['name', 'type']);
    for (const one of [file.name, file.type]) text(one, where);
  } else if (example.status === 200) {
    assert.notEqual(entry.kind, 'file', where);
    onlyKeys(example, where, [...common, 'body', 'bodyText', 'pages']);
    const answers = [example.body, example.bodyText, example.pages].filter((one) => one !== undefined);
    assert.equal(answers.length, 1, `${where}: one answer`);
    if (example.body !== undefined) checkPage(example.body, entry, example.shape, where);
    if (example.bodyText !== undefined)
      checkPage(JSON.parse(text(example.bodyText, where)), entry, example.shape, where);
    if (example.pages !== undefined) {
      const pages = list(example.pages, where);
      for (const page of pages) checkPage(page, entry, example.shape, where);
      pages.forEach((page, index) => {
        const last = index === pages.length - 1;
        assert.equal(object(page, where)['@nextLink'] === null, last, `${where}: page ${index + 1}`);
      });
    }
  } else {
    onlyKeys(example, where, [...common, 'data', 'dataIncludes']);
    const statuses: readonly unknown[] = entry.kind === 'file' ? [400, 403, 404] : [400, 403];
    assert.ok(statuses.includes(example.status), `${where}: status`);
    texts(example.data ?? example.dataIncludes, where);
  }
}

/** Text that stands for what the server makes up, and where the replay finds what it made up. */
function checkStandIns(file: Json, name: string): void {
  if (file.sellerId !== undefined) assert.match(text(file.sellerId, name), /^\d{8}$/);
  for (const one of list(file.bind ?? [], name)) {
    const bind = object(one, name);
    onlyKeys(bind, name, ['stands', 'report', 'query', 'row', 'key']);
    const entry = reports[text(bind.report, name)];
    assert.ok(
      entry?.fields.some((field) => field.name === bind.key),
      `${name}: ${String(bind.key)}`,
    );
    for (const part of [bind.stands, bind.query]) text(part, name);
    assert.ok(Number.isInteger(bind.row), name);
  }
  for (const one of list(file.crashes ?? [], name)) {
    const crash = object(one, name);
    onlyKeys(crash, name, ['file', 'event', 'stands']);
    text(crash.file, name);
    onlyKeys(object(crash.event, name), name, datasets.failures?.columns.map((column) => column.name) ?? []);
    const stands = object(crash.stands, name);
    onlyKeys(stands, name, ['cabId', 'cabIdHash']);
    for (const stand of Object.values(stands)) text(stand, name);
  }
}

test('every report has its example file', () => {
  const files = readdirSync(folder, { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.json'))
    .map((path) => path.slice(0, -'.json'.length));
  assert.deepEqual(files.sort(), Object.keys(reports).sort());
});

for (const [name, entry] of Object.entries(reports)) {
  test(`examples of ${name} are well formed`, () => {
    const file = read(name);
    const keys = ['source', 'today', 'documented', 'products', 'batches', 'examples'];
    onlyKeys(file, name, [...keys, 'sellerId', 'bind', 'crashes']);
    checkStandIns(file, name);
    text(file.source, name);
    assert.ok(!Number.isNaN(Date.parse(text(file.today, name))));
    for (const product of list(file.products, name)) {
      const { kind, id, name: label } = object(product, name);
      for (const one of [kind, id, label]) text(one, `${name}: product`);
    }
    for (const batch of list(file.batches, name)) {
      const { dataset, rows } = object(batch, name);
      const known = datasets[text(dataset, name)]?.columns.map((column) => column.name);
      assert.ok(known, `${name}: ${String(dataset)} is a dataset`);
      for (const row of list(rows, name)) onlyKeys(object(row, name), `${name}: ${String(dataset)}`, known);
    }
    for (const example of list(file.examples, name)) checkExample(example, entry, name);
  });

  test(`examples of ${name} cover the report`, () => {
    const { documented, examples } = read(name);
    const all = list(examples, name).map((one) => object(one, name));
    assert.ok(all.length >= 6);
    const nameable = [...entry.fields, ...(entry.queryOnly ?? [])];
    const names = all.map((one) => one.name);
    assert.equal(new Set(names).size, names.length, 'names are told apart');
    const queries = all.map((one) => one.query);
    for (const query of texts(documented, name)) assert.ok(queries.includes(query), query);
    const needed = ['plain page'];
    if (nameable.some((field) => field.filter)) needed.push('filter');
    if (entry.groupby) needed.push('groupby with week');
    if (entry.orderby) needed.push('orderby');
    if (entry.paging !== undefined) needed.push('paging to the end');
    for (const one of needed) assert.ok(names.includes(one), `${name} shows ${one}`);
    assert.ok(all.some((one) => one.status !== 200));
  });
}
