/** Makes a difference between server and oracle small: parts of the request are dropped first, then rows. */
import { dayOf, linkDay, numberOf, readDay } from './dates.js';
import { type Ask, type FilterNode, queryOf } from './generate-query.js';
import type { Batch, Tenant } from './tenant.js';
import { analyticsBase } from './wire.js';

/** Both answers to a request at one snapshot. */
export interface Pair {
  readonly query: string;
  readonly status: number;
  readonly got: string;
  readonly expected: string;
}

/** Asks server and oracle the same at a snapshot of the tenant. */
export async function askBoth(
  tenant: Tenant,
  report: Ask['report'],
  query: string,
  snapshot: number,
): Promise<Pair> {
  const pinned = report.paging === undefined ? query : `${query}&snapshot=${snapshot}`;
  const { status, body } = await tenant.wire.get(`${analyticsBase}${report.name}?${pinned}`);
  await tenant.learnFor(report, query);
  const answer = tenant.expected(report, pinned, snapshot);
  const expected = answer.status === 200 ? answer.body : `${answer.status} ${answer.problem}`;
  return { query: pinned, status, got: body, expected };
}

const differs = (pair: Pair): boolean => pair.got !== pair.expected;

function smallerFilters(node: FilterNode): FilterNode[] {
  if (node.kind === 'term') return [];
  const fewer = node.parts.map((_, at) => ({
    ...node,
    parts: node.parts.filter((__, other) => other !== at),
  }));
  const deeper = node.parts.flatMap((part, at) =>
    smallerFilters(part).map((smaller) => ({
      ...node,
      parts: node.parts.map((other, index) => (index === at ? smaller : other)),
    })),
  );
  return [...node.parts, ...fewer.filter(({ parts }) => parts.length > 1), ...deeper];
}

function without<Item>(list: readonly Item[] | undefined): (readonly Item[] | undefined)[] {
  if (list === undefined) return [];
  const fewer = list
    .map((_, at) => list.filter((__, other) => other !== at))
    .filter(({ length }) => length > 0);
  return [undefined, ...fewer];
}

function halves(ask: Ask): Ask[] {
  const start = ask.start === undefined ? undefined : readDay(ask.start);
  const end = ask.end === undefined ? undefined : readDay(ask.end);
  if (start === undefined || end === undefined) return [];
  const [first, last] = [numberOf(start), numberOf(end)];
  if (last - first < 1) return [];
  const middle = Math.floor((first + last) / 2);
  const text = (day: number): string => linkDay(dayOf(day), 'yyyy-MM-dd');
  return [
    { ...ask, start: text(first), end: text(middle) },
    { ...ask, start: text(middle + 1), end: text(last) },
  ];
}

function* smaller(ask: Ask): Generator<Ask> {
  if (ask.style !== 'plain') yield { ...ask, style: 'plain' };
  if (ask.noise.length > 0) yield { ...ask, noise: [] };
  if (ask.filter !== undefined) yield { ...ask, filter: undefined };
  for (const orderby of without(ask.orderby)) yield { ...ask, orderby };
  for (const groupby of without(ask.groupby)) yield { ...ask, groupby };
  if (ask.level !== undefined) yield { ...ask, level: undefined };
  if (ask.skip !== undefined) yield { ...ask, skip: undefined };
  if (ask.top !== undefined) yield { ...ask, top: undefined };
  yield* halves(ask);
  if (ask.filter !== undefined) for (const filter of smallerFilters(ask.filter)) yield { ...ask, filter };
}

/** The smallest request found that still differs at the snapshot; undefined if not even the given one does. */
export async function shrinkAsk(
  tenant: Tenant,
  ask: Ask,
  snapshot: number,
): Promise<[Ask, Pair] | undefined> {
  let pair = await askBoth(tenant, ask.report, queryOf(ask), snapshot);
  if (!differs(pair)) return undefined;
  let least = ask;
  for (let tries = 0, found = true; found && tries < 150; ) {
    found = false;
    for (const candidate of smaller(least)) {
      tries += 1;
      const next = await askBoth(tenant, candidate.report, queryOf(candidate), snapshot);
      if (next.expected.startsWith('400') || next.status >= 500 || !differs(next)) continue;
      [least, pair, found] = [candidate, next, true];
      break;
    }
  }
  return [least, pair];
}

/** The fewest rows found that, posted to a fresh account, still make a request differ. */
export async function shrinkRows(
  report: Ask['report'],
  query: string,
  batches: readonly Batch[],
  fresh: () => Promise<Tenant>,
): Promise<{ readonly batches: readonly Batch[]; readonly pair: Pair } | undefined> {
  const tables = new Set([
    ...report.sources.map(({ table }) => table),
    ...(report.steps ?? []).map(({ source }) => source.table),
  ]);
  let rows = batches
    .flatMap(({ dataset, rows: list }, batch) => list.map((row) => ({ dataset, row, batch })))
    .filter(({ dataset }) => tables.has(dataset));
  const attempt = async (kept: typeof rows): Promise<{ batches: Batch[]; pair: Pair } | undefined> => {
    const groups = new Map<number, Batch>();
    for (const { dataset, row, batch } of kept) {
      groups.set(batch, { dataset, rows: [...(groups.get(batch)?.rows ?? []), row] });
    }
    const tenant = await fresh();
    for (const { dataset, rows: list } of groups.values()) await tenant.post(dataset, list);
    const pair = await askBoth(tenant, report, query, tenant.begun);
    return differs(pair) ? { batches: [...groups.values()], pair } : undefined;
  };
  let best = await attempt(rows);
  if (best === undefined) return undefined;
  for (
    let size = Math.ceil(rows.length / 2), tries = 0;
    size >= 1 && tries < 60;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; at < rows.length && rows.length > 1 && tries < 60; tries += 1) {
      const kept = [...rows.slice(0, at), ...rows.slice(at + size)];
      const found = kept.length > 0 ? await attempt(kept) : undefined;
      if (found === undefined) at += size;
      else [rows, best] = [kept, found];
    }
  }
  return best;
}
