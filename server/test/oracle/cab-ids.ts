/**
 * Learns the random ids of stored failures. Each is printed by one report of details; the oracle finds the row that it
 * belongs to by everything else that is printed, checks its shape, and that no two failures anywhere share one.
 */
import assert from 'node:assert/strict';
import { type ReportEntry, reports } from '@storelens/contract';
import { timeText } from './dates.js';
import { fold } from './filter.js';
import type { Store, StoredRow } from './store.js';
import { analyticsBase, type Wire } from './wire.js';

const shapes = { cabId: /^[1-9]\d{12}$/, cabIdHash: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ } as const;

/** Reports of single failures, by the source whose failures they show. */
const details: ReadonlyMap<string, ReportEntry> = new Map(
  Object.values(reports)
    .filter(({ kind, lookups }) => kind === 'records' && lookups?.[0]?.parameter === 'failureHash')
    .map((report) => [sourceOf(report), report]),
);

/** The source of the failures that a report shows; empty for reports of something else. */
export function sourceOf(report: ReportEntry): string {
  const condition = report.sources[0]?.where.find(({ column }) => column === 'source');
  return condition !== undefined && 'equals' in condition ? String(condition.equals) : '';
}

/** All ids seen so far, in all accounts. */
const seen = new Set<string>();

/** What a report prints of a row besides ids: equal for rows that look alike. */
function looks(report: ReportEntry, row: StoredRow): string {
  const texts = report.fields.map(({ name, origin }) => {
    if (origin?.from !== 'column' || name in shapes) return '';
    if (origin.column === 'timestamp') return timeText(row.second);
    return String(row.cells.get(origin.column));
  });
  return JSON.stringify(texts);
}

/** The same of an answer's row. */
function looksOf(report: ReportEntry, row: Readonly<Record<string, unknown>>): string {
  const texts = report.fields.map(({ name, origin }) =>
    origin?.from !== 'column' || name in shapes ? '' : String(row[name] ?? ''),
  );
  return JSON.stringify(texts);
}

const hidden = ['symbol', 'packageVersion', 'osBuild'];

/**
 * Learns the ids of the failures with a hash at a snapshot that the server has reached; those of one application, or of
 * the whole account where the report of details takes none.
 */
export async function learnIds(
  store: Store,
  wire: Wire,
  source: string,
  application: string | undefined,
  hash: string,
  snapshot: number,
): Promise<void> {
  const report = details.get(source);
  if (report === undefined) throw new Error(`no report of details for ${source}`);
  const id = report.fields.find(({ name }) => name in shapes)?.name as keyof typeof shapes | undefined;
  if (id === undefined) throw new Error(`${report.name} prints no id`);
  const scoped = report.identity.parameters.length > 0;
  const same = store
    .rows('failures', snapshot, scoped ? application : undefined)
    .filter(
      ({ cells, formerHashes }) =>
        cells.get('source') === source &&
        (fold(String(cells.get('failureHash'))) === fold(hash) || formerHashes.includes(fold(hash))),
    );
  if (same.every(({ cells }) => cells.get(id) !== '')) return;
  const known = new Set(same.map(({ cells }) => cells.get(id)));
  const open = new Map<string, StoredRow[]>();
  for (const row of same) {
    if (row.cells.get(id) !== '') continue;
    const key = looks(report, row);
    const alike = open.get(key) ?? [];
    const [twin] = alike;
    const inside = ({ frames, cells }: StoredRow): string =>
      JSON.stringify([frames, source === 'hardware' ? hidden.map((name) => cells.get(name)) : []]);
    if (twin !== undefined && inside(twin) !== inside(row))
      throw new Error(`failures look alike but are not: ${key}`);
    open.set(key, [...alike, row]);
  }
  const parameters =
    scoped && application !== undefined ? [`applicationId=${encodeURIComponent(application)}`] : [];
  parameters.push(
    `failureHash=${encodeURIComponent(hash)}`,
    'startDate=1970-01-01',
    'endDate=2149-06-06',
    'top=10000',
  );
  parameters.push(`snapshot=${snapshot}`);
  const got = await wire.get(`${analyticsBase}${report.name}?${parameters.join('&')}`);
  assert.equal(got.status, 200, got.body);
  const { Value } = JSON.parse(got.body) as { Value: readonly Readonly<Record<string, unknown>>[] };
  for (const printed of Value) {
    const value = String(printed[id]);
    if (known.has(value)) continue;
    assert.match(value, shapes[id], `${report.name}: ${id}`);
    assert.ok(!seen.has(value), `${report.name}: ${id} ${value} is given twice`);
    seen.add(value);
    const row = open.get(looksOf(report, printed))?.shift();
    assert.ok(row, `${report.name} prints a failure that was not sent: ${JSON.stringify(printed)}`);
    row.cells.set(id, value);
  }
  const left = same.filter(({ cells }) => cells.get(id) === '');
  assert.equal(
    left.length,
    0,
    `${report.name}?${parameters.join('&')} lacks ${left.length} of ${same.length} failures, such as ${JSON.stringify([...(left[0]?.cells ?? [])])}`,
  );
}
