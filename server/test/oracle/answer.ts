/**
 * The oracle: a report entry, a raw query string and an account's data at a snapshot in, status and body text out.
 * Arrays and maps only. Written from the contract alone; shares nothing with the server but the report entries.
 */
import {
  type Aggregate,
  type Condition,
  type Field,
  parameterNames,
  type ReportEntry,
  type Source,
} from '@storelens/contract';
import { bucketStart, clamp, linkDay, numberOf, rowDay, timeText } from './dates.js';
import { decimalText } from './decimal.js';
import { BadRequest, type Cell, fold, passes } from './filter.js';
import { hourNumber, type Moment, type Request, readRequest, type Shape } from './request.js';
import type { OracleProduct, Store, StoredRow } from './store.js';

/** An answer: the exact body for 200, what is wrong for others; 302 for a file that is there. */
export type OracleAnswer =
  | { readonly status: 200; readonly body: string; readonly total: number; readonly next: string | null }
  | { readonly status: 302 | 400 | 403 | 404; readonly problem: string };

/** A report asked of one account: data, the day number of today, and the snapshot that a first page gets. */
export interface Scope {
  readonly store: Store;
  readonly today: number;
  readonly snapshot: number;
  /** The form of rows; 2018 if missing. In that of 2022 `fresh` is when the newest batch came. */
  readonly shape?: Shape;
  readonly fresh?: string;
}

/** A value of an answer row: a cell, or nothing. */
type Printed = Cell | null;

/** An answer row: printed keys first, then those that it is only sorted by. */
type Row = ReadonlyMap<Field, Printed>;

/** No crash file expires: none is stored, and retention is off. */
const never = '9999-12-31 23:59:59';

/** Answers a request as the contract says. A snapshot in the request wins over that of the scope. */
export function answer(entry: ReportEntry, raw: string, scope: Scope): OracleAnswer {
  let request: Request;
  try {
    request = readRequest(entry, raw, scope.today, scope.shape);
  } catch (error) {
    if (error instanceof BadRequest) return { status: 400, problem: error.message };
    throw error;
  }
  const products = new Map<string, OracleProduct>();
  for (const { name } of usedIds(entry, request)) {
    const product = scope.store.product(request.ids.get(name) ?? '');
    if (product === undefined) return { status: 403, problem: `${name} is not the account's` };
    products.set(name, product);
  }
  const snapshot = request.snapshot ?? scope.snapshot;
  const rows = allRows(entry, request, scope.store, products, snapshot);
  if (entry.kind === 'file') return { status: rows.length > 0 ? 302 : 404, problem: 'there is no such file' };
  const print = (row: Row): string => rowText(row, request);
  if (entry.paging === undefined) {
    const link = entry.kind === 'frames' ? ',"@nextLink":null' : '';
    const body = `{"Value":[${rows.map(print).join(',')}]${link},"TotalCount":${rows.length}}`;
    return { status: 200, body, total: rows.length, next: null };
  }
  const { top, skip } = request;
  const next = skip + top < rows.length ? nextLink(entry, request, scope.store, snapshot) : null;
  const page = rows.slice(skip, skip + top).map(print);
  const link = next === null ? 'null' : jsonText(next);
  const told = scope.shape === '2022' && entry.freshness === true;
  const fresh = told ? `,"DataFreshnessTimestamp":${JSON.stringify(scope.fresh ?? null)}` : '';
  const body = `{"Value":[${page.join(',')}],"@nextLink":${link},"TotalCount":${rows.length}${fresh}}`;
  return { status: 200, body, total: rows.length, next };
}

/** The product parameters that count: the winning one, or all that are given. */
function usedIds(entry: ReportEntry, request: Request): ReportEntry['identity']['parameters'] {
  const given = entry.identity.parameters.filter(({ name }) => request.ids.has(name));
  return entry.identity.combine === 'first' ? given.slice(0, 1) : given;
}

function allRows(
  entry: ReportEntry,
  request: Request,
  store: Store,
  products: ReadonlyMap<string, OracleProduct>,
  snapshot: number,
): Row[] {
  for (const { name, kind } of entry.identity.parameters) {
    const product = products.get(name);
    if (product !== undefined && product.kind !== kind) return [];
  }
  const start = clamp(numberOf(request.start.day));
  const end = clamp(numberOf(request.end.day));
  const hours = [hourNumber(request.start), hourNumber(request.end)] as const;
  const inRange = ({ day, second }: StoredRow): boolean => {
    if (entry.dates === undefined) return true;
    if (request.level !== 'hour') return day >= start && day <= end;
    const hour = Math.floor(second / 3600);
    return hour >= hours[0] && hour <= hours[1];
  };
  const value = (field: Field, row: StoredRow, bucketed: boolean): Cell => {
    const { origin } = field;
    switch (origin?.from) {
      case 'bucket': {
        if (bucketed && request.level === 'hour') return BigInt(Math.floor(row.second / 3600));
        const day = bucketed && request.level ? bucketStart(row.day, request.level, start) : row.day;
        return BigInt(day);
      }
      case 'constant':
        return origin.value;
      case 'productName': {
        const id = cell(row, origin.column);
        return store.products.find((product) => product.id === id)?.name ?? '';
      }
      case 'column':
        if (origin.column === 'timestamp') return BigInt(bucketed ? row.second : row.day);
        return origin.column === 'date' ? BigInt(row.day) : cell(row, origin.column);
      case 'sellerId':
        return store.sellerId;
      case 'fileExpiry':
        return bucketed ? never : BigInt(numberOf({ year: 9999, month: 12, day: 31 }));
      case 'fileAvailable':
        return row.hasFile;
      default:
        throw new Error(`${field.name} has no origin`);
    }
  };
  const lookups = (entry.lookups ?? []).map((lookup) => ({
    ...lookup,
    wanted: fold(request.lookups.get(lookup.parameter) ?? ''),
  }));
  const former = (row: StoredRow, column: string | undefined, wanted: Cell): boolean =>
    column !== undefined && typeof wanted === 'string' && row.formerHashes.includes(fold(wanted));
  const chosen = (source: Omit<Source, 'measures'>): StoredRow[] =>
    store.rows(source.table, snapshot, products.get('applicationId')?.id).filter((row) => {
      if (!inRange(row)) return false;
      for (const { column, formerValues, wanted } of lookups)
        if (fold(String(cell(row, column))) !== wanted && !former(row, formerValues, wanted)) return false;
      for (const [name, product] of products) if (cell(row, name) !== product.id) return false;
      if (!source.where.every((condition) => holds(condition, row))) return false;
      return (
        request.filter === undefined ||
        passes(
          request.filter,
          (field) => value(field, row, false),
          (field, literal) => former(row, field.formerValues, literal),
        )
      );
    });

  if (entry.kind === 'steps') {
    const [name, count] = entry.fields;
    if (name === undefined || count === undefined) throw new Error('a step row has two keys');
    return (entry.steps ?? []).map((step) => {
      const total = new Measure(step.aggregate);
      for (const row of chosen(step.source)) total.add(row);
      return new Map<Field, Cell>([
        [name, step.name],
        [count, total.value()],
      ]);
    });
  }
  const keys = request.rowFields;
  if (entry.kind === 'frames' || entry.kind === 'file') {
    const [record] = entry.sources.flatMap((source) => chosen(source));
    if (entry.kind === 'file') return record?.hasFile === true ? [new Map()] : [];
    return (record?.frames ?? []).map((frame, level) => {
      const texts = { level: String(level), ...frame };
      return new Map(
        keys.map((field) => {
          if (field.origin?.from !== 'frame') throw new Error(`${field.name} is no part of a frame`);
          return [field, texts[field.origin.member]];
        }),
      );
    });
  }
  if (entry.kind === 'records') {
    const records = entry.sources.flatMap((source) => chosen(source));
    const sorted = request.orderby.map(({ field }) => field).filter((field) => !keys.includes(field));
    const printed = (field: Field, row: StoredRow): Printed => {
      const cells = value(field, row, true);
      return cells === '' && field.nullWhenEmpty === true ? null : cells;
    };
    return records
      .map((row) => new Map([...keys, ...sorted].map((field) => [field, printed(field, row)])))
      .sort(comparer(request));
  }
  const groups = new Map<
    string,
    { readonly cells: Map<Field, Printed>; readonly sums: Map<string, Measure[]> }
  >();
  for (const source of entry.sources) {
    for (const row of chosen(source)) {
      const cells = new Map<Field, Printed>();
      for (const field of keys) {
        if (field.role === 'measure') continue;
        cells.set(field, request.dateless && field.role === 'date' ? null : value(field, row, true));
      }
      const key = JSON.stringify([...cells.values()].map(String));
      const group = groups.get(key) ?? { cells, sums: new Map<string, Measure[]>() };
      groups.set(key, group);
      let sums = group.sums.get(source.table);
      if (sums === undefined) {
        sums = Object.values(source.measures).map((aggregate) => new Measure(aggregate));
        group.sums.set(source.table, sums);
      }
      for (const sum of sums) sum.add(row);
    }
  }
  const rows = [...groups.values()].map(({ cells, sums }) => {
    const row = new Map<Field, Printed>();
    for (const field of keys) {
      if (field.role !== 'measure') row.set(field, cells.get(field) ?? null);
      else {
        let total = 0n;
        for (const source of entry.sources) {
          const at = Object.keys(source.measures).indexOf(field.name);
          const value = sums.get(source.table)?.[at]?.value() ?? 0n;
          // Amounts are in millionths already, counts become so where they print as decimals.
          const counted = Object.values(source.measures)[at]?.aggregate !== 'sum' && field.type === 'decimal';
          total += counted ? value * 1_000_000n : value;
        }
        row.set(field, total);
      }
    }
    return row;
  });
  return rows.sort(comparer(request));
}

function cell(row: StoredRow, column: string): Cell {
  const value = row.cells.get(column);
  if (value === undefined) throw new Error(`no column ${column}`);
  return value;
}

function holds(condition: Condition, row: StoredRow): boolean {
  const value = cell(row, condition.column);
  if ('is' in condition) return (value === '') === (condition.is === 'empty');
  const wanted = typeof condition.equals === 'number' ? BigInt(condition.equals) : condition.equals;
  return value === wanted;
}

/** One measure of one group while rows are added. */
class Measure {
  private total = 0n;
  private readonly seen = new Set<string>();

  constructor(private readonly aggregate: Aggregate) {}

  add(row: StoredRow): void {
    const { aggregate } = this;
    if (aggregate.where?.every((condition) => holds(condition, row)) === false) return;
    if (aggregate.aggregate === 'count') this.total += 1n;
    else {
      const value = cell(row, aggregate.column);
      if (aggregate.aggregate === 'distinct') {
        if (value !== '') this.seen.add(String(value));
      } else if (typeof value === 'bigint') this.total += value;
      else throw new Error(`${aggregate.column} cannot be summed`);
    }
  }

  value(): bigint {
    return this.aggregate.aggregate === 'distinct' ? BigInt(this.seen.size) : this.total;
  }
}

/** Code unit made to sort like its code point: surrogates above all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Order of two texts by code point. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(left.charCodeAt(at)) - rank(right.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareCells(given: Printed | undefined, other: Printed | undefined): number {
  // What prints as null is stored as an empty text.
  const [left, right] = [given ?? '', other ?? ''];
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * The whole order: what was asked, or newest day first; then what else tells rows apart, ascending. Measures need
 * not be compared: rows of a grouped report that agree in all other fields are one row.
 */
function comparer(request: Request): (left: Row, right: Row) => number {
  const order = request.orderby.map(({ field, direction }) => ({ field, down: direction === 'desc' }));
  if (order.length === 0) {
    const date = request.rowFields.find(({ role }) => role === 'date');
    if (date !== undefined) order.push({ field: date, down: true });
  }
  for (const field of request.rowFields) {
    if (field.role === 'measure') continue;
    if (!order.some((sort) => sort.field === field)) order.push({ field, down: false });
  }
  return (left, right) => {
    for (const { field, down } of order) {
      const difference = compareCells(left.get(field), right.get(field));
      if (difference !== 0) return down ? -difference : difference;
    }
    return 0;
  };
}

/** JSON text of a string as the engine writes it: upper-case hex, line and paragraph separators escaped. */
export function jsonText(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u2028\u2029]/g, (character) => {
    const short = '"\\\b\f\n\r\t'.indexOf(character);
    if (short >= 0) return `\\${'"\\bfnrt'[short]}`;
    return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function cellText(field: Field, value: Printed, request: Request): string {
  if (typeof value !== 'bigint') return typeof value === 'string' ? jsonText(value) : String(value);
  if (field.type === 'time') return `"${timeText(Number(value))}"`;
  if (field.type === 'date' && request.level === 'hour') return `"${timeText(Number(value) * 3600)}"`;
  if (field.type === 'date') return `"${rowDay(Number(value))}"`;
  return field.type === 'decimal' ? decimalText(value) : String(value);
}

function rowText(row: Row, request: Request): string {
  const printed = request.rowFields.map(
    (field) => `"${field.name}":${cellText(field, row.get(field) ?? null, request)}`,
  );
  return `{${printed.join(',')}}`;
}

/** What `@nextLink` percent-encodes; everything else stays as it is. */
function linkText(text: string): string {
  return text.replace(/[%&#+\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const bytes = [...Buffer.from(character)];
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

/** The query without its page: equal for requests that only differ in spelling, `top`, `skip` and `snapshot`. */
export function sameQuery(entry: ReportEntry, raw: string, scope: Scope): string {
  const request = readRequest(entry, raw, scope.today, scope.shape);
  return nextLink(entry, { ...request, top: 1, skip: 0 }, scope.store, 0);
}

function nextLink(entry: ReportEntry, request: Request, store: Store, snapshot: number): string {
  const parts: [string, string][] = [];
  const dates = entry.linkDates ?? 'yyyy-MM-dd';
  const moment = ({ day, hour }: Moment): string => {
    if (request.level !== 'hour') return linkDay(day, dates);
    return `${linkDay(day, 'yyyy-MM-dd')} ${String(hour).padStart(2, '0')}:00:00`;
  };
  for (const name of parameterNames) {
    const lookup = request.lookups.get(name);
    if (lookup !== undefined) parts.push([name, lookup]);
    if (!entry.identity.parameters.some((parameter) => parameter.name === name)) continue;
    // A product that another one overrides is ignored, here too.
    const used = usedIds(entry, request).some((parameter) => parameter.name === name);
    const id = used ? request.ids.get(name) : undefined;
    if (id !== undefined) parts.push([name, store.product(id)?.id ?? id]);
    else if (entry.identity.linkShowsAbsent === true) parts.push([name, '']);
  }
  if (request.level !== undefined) parts.push(['aggregationLevel', request.level]);
  parts.push(['startDate', moment(request.start)]);
  parts.push(['endDate', moment(request.end)]);
  parts.push(['top', String(request.top)]);
  parts.push(['skip', String(request.skip + request.top)]);
  if (request.groupby !== undefined)
    parts.push(['groupby', request.groupby.map(({ name }) => name).join(',')]);
  if (request.filterText !== undefined) parts.push(['filter', request.filterText]);
  if (request.orderby.length > 0) {
    const sorts = request.orderby.map(({ field, direction }) =>
      direction === undefined ? field.name : `${field.name} ${direction}`,
    );
    parts.push(['orderby', sorts.join(',')]);
  }
  parts.push(['snapshot', String(snapshot)]);
  return `${entry.name}?${parts.map(([name, value]) => `${name}=${linkText(value)}`).join('&')}`;
}
