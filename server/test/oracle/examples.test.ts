/** The oracle answers the wire examples of all reports, as the server does. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { datasets, type ReportEntry, reports } from '@storelens/contract';
import { answer, type Scope } from './answer.js';
import { Num, type PostedRow, type PostedValue } from './posted.js';
import { dayOfTime, type OracleProduct, Store } from './store.js';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonRow = Readonly<Record<string, Json>>;

/** The parts of a wire example file that the oracle replays. */
interface ExampleFile {
  readonly today: string;
  readonly sellerId?: string;
  readonly products: readonly OracleProduct[];
  readonly batches: readonly { readonly dataset: string; readonly rows: readonly JsonRow[] }[];
  readonly crashes?: readonly {
    readonly event: JsonRow;
    readonly stands: { readonly cabId?: string; readonly cabIdHash?: string };
  }[];
  readonly bind?: readonly {
    readonly stands: string;
    readonly report: string;
    readonly query: string;
    readonly row: number;
    readonly key: string;
  }[];
  readonly examples: readonly {
    readonly name: string;
    readonly shape?: '2022';
    readonly query?: string;
    readonly target?: string;
    readonly status?: number;
    readonly body?: unknown;
    readonly bodyText?: string;
    readonly pages?: readonly unknown[];
  }[];
}

const examples = new URL('../../../../contract/examples/', import.meta.url);
const names = readdirSync(examples, { recursive: true })
  .map((path) => String(path).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.json'))
  .map((path) => path.replace(/\.json$/, ''));

function entry(name: string): ReportEntry {
  const found = reports[name];
  assert.ok(found, name);
  return found;
}

/** A query as an HTTP stack sends it. */
function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
}

function posted(row: JsonRow): PostedRow {
  const value = (given: Json): PostedValue => {
    if (typeof given === 'number') return new Num(String(given));
    if (typeof given !== 'object' || given === null) return given;
    return Array.isArray(given) ? given.map((one: JsonRow) => posted(one)) : posted(given as JsonRow);
  };
  return Object.fromEntries(Object.entries(row).map(([key, given]) => [key, value(given)]));
}

/** The oracle's copy of what an example file posts; the ids that a server makes up are those of the file. */
function storeOf(given: ExampleFile): Scope {
  const store = new Store(given.products, datasets, given.sellerId);
  for (const { dataset, rows } of given.batches) store.ingest(dataset, rows.map(posted));
  for (const { event, stands } of given.crashes ?? []) store.crash(posted(event), stands);
  const scope = { store, today: dayOfTime(given.today), snapshot: store.commits };
  const rows = store.rows('failures', store.commits);
  for (const [number, { cells }] of rows.entries()) {
    for (const key of ['cabId', 'cabIdHash']) if (cells.get(key) === '') cells.set(key, `${key} ${number}`);
  }
  for (const { stands, report, query, row, key } of given.bind ?? []) {
    const got = answer(entry(report), escaped(query), scope);
    assert.equal(got.status, 200);
    const page = JSON.parse(got.body) as { readonly Value: readonly Readonly<Record<string, string>>[] };
    const known = rows.find(({ cells }) => cells.get(key) === page.Value[row]?.[key]);
    assert.ok(known, `row ${row} of ${report}?${query}`);
    known.cells.set(key, stands);
  }
  return scope;
}

assert.ok(names.length >= Object.keys(reports).length);

for (const name of names) {
  test(`the oracle answers the wire examples of ${name}`, () => {
    const given = JSON.parse(readFileSync(new URL(`${name}.json`, examples), 'utf8')) as ExampleFile;
    const scope = storeOf(given);
    assert.ok(given.examples.length >= 6);
    for (const example of given.examples) {
      const target = example.target ?? escaped(example.query ?? '');
      let query = target.slice(target.indexOf('?') + 1);
      for (const page of example.pages ?? [example.body]) {
        const { shape = '2018' } = example;
        const got = answer(entry(name), query, { ...scope, shape, fresh: given.today.slice(0, 19) });
        assert.equal(got.status, example.status ?? 200, example.name);
        if (got.status !== 200) break;
        if (example.bodyText !== undefined) assert.equal(got.body, example.bodyText, example.name);
        else assert.equal(JSON.stringify(JSON.parse(got.body)), JSON.stringify(page), example.name);
        if (got.next !== null) query = escaped(got.next.slice(got.next.indexOf('?') + 1));
      }
    }
  });
}
