/**
 * Reads a report's raw query string for the oracle: names and aliases, numbers, dates and defaults, lists, filter.
 * Throws `BadRequest` for what the contract refuses. Written from the contract alone; shares nothing with the server
 * but the report entries.
 */
import { type Field, type Level, parameterNames, type ReportEntry } from '@storelens/contract';
import { type Day, defaultDay, numberOf, readDay } from './dates.js';
import { BadRequest, type Filter, fold, readFilter } from './filter.js';

/** One sort field, with the direction as far as the request spelt it out. */
export interface Sort {
  readonly field: Field;
  readonly direction: 'asc' | 'desc' | undefined;
}

/** A request that the contract accepts, defaults filled in. */
export interface Request {
  readonly ids: ReadonlyMap<string, string>;
  readonly level: Level | undefined;
  readonly start: Day;
  readonly end: Day;
  readonly top: number;
  readonly skip: number;
  readonly groupby: readonly Field[] | undefined;
  readonly orderby: readonly Sort[];
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  readonly snapshot: number | undefined;
  /** Keys of the rows, in printed order. */
  readonly rowFields: readonly Field[];
}

/** Percent-decodes a part of a query string, plus signs as blanks. */
export function decode(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw new BadRequest(`malformed percent-encoding in ${part}`);
  }
}

const aliases: Readonly<Record<string, string>> = {
  $filter: 'filter',
  $top: 'top',
  $skip: 'skip',
  $orderby: 'orderby',
};

function parameters(raw: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const written = fold(decode(equals < 0 ? pair : pair.slice(0, equals)));
    const plain = aliases[written] ?? written;
    const name = parameterNames.find((known) => fold(known) === plain);
    if (name === undefined) throw new BadRequest(`unknown parameter ${written}`);
    if (found.has(name)) throw new BadRequest(`${name} is given twice`);
    found.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  for (const [name, value] of [...found]) if (value === '') found.delete(name);
  return found;
}

function whole(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) throw new BadRequest(`${name} is no number`);
  const value = Number(text);
  if (value < least || value > most) throw new BadRequest(`${name} is out of range`);
  return value;
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function named(fields: readonly Field[], name: string): Field {
  const field = fields.find((candidate) => fold(candidate.name) === fold(name));
  if (field === undefined) throw new BadRequest(`${name} is no field`);
  return field;
}

/** Keys of the rows of a request: all at full grain, or the grouped and the always returned ones. */
function keysOf(
  entry: ReportEntry,
  level: Level | undefined,
  groupby: readonly Field[] | undefined,
): Field[] {
  return entry.fields.filter((field) => {
    if (groupby !== undefined) {
      return field.role === 'measure' || field.alwaysReturned === true || groupby.includes(field);
    }
    return (
      level === undefined || field.ungroupedLevels === undefined || field.ungroupedLevels.includes(level)
    );
  });
}

/** Reads a raw query string (without the question mark) for a report; `today` is a day number. */
export function readRequest(entry: ReportEntry, raw: string, today: number): Request {
  const given = parameters(raw);
  const day = (name: string, fallback: Day): Day => {
    const text = given.get(name);
    const read = text === undefined ? fallback : readDay(text);
    if (read === undefined) throw new BadRequest(`${name} is unreadable`);
    return read;
  };
  const ids = new Map<string, string>();
  for (const { name } of entry.identity.parameters) {
    const id = given.get(name);
    if (id !== undefined) ids.set(name, id);
  }
  if (entry.identity.needs === 'one' && ids.size === 0) throw new BadRequest('no product');
  const start = day('startDate', defaultDay(entry.dates?.start ?? { daysAgo: 0 }, today));
  const end = day('endDate', defaultDay(entry.dates?.end ?? { daysAgo: 0 }, today));
  if (numberOf(start) > numberOf(end)) throw new BadRequest('startDate is after endDate');

  let level: Level | undefined;
  if (entry.levels.length > 0) {
    const text = given.get('aggregationLevel');
    level = text === undefined ? entry.levels[0] : entry.levels.find((known) => known === fold(text));
    if (level === undefined) throw new BadRequest('unknown aggregationLevel');
  }
  let groupby: Field[] | undefined;
  const groupText = entry.groupby ? given.get('groupby') : undefined;
  if (groupText !== undefined) {
    groupby = list(groupText).map((name) => named(entry.fields, name));
    for (const field of groupby) if (field.groupby !== true) throw new BadRequest(`groupby ${field.name}`);
    if (new Set(groupby).size < groupby.length) throw new BadRequest('groupby names a field twice');
  }
  const rowFields = keysOf(entry, level, groupby);
  const orderText = entry.orderby ? given.get('orderby') : undefined;
  const orderby = orderText === undefined ? [] : list(orderText).map((part) => sort(part, entry, rowFields));
  if (new Set(orderby.map(({ field }) => field)).size < orderby.length) throw new BadRequest('orderby twice');
  const filterText = given.get('filter');
  const filterable = [...entry.fields, ...(entry.queryOnly ?? [])];
  const snapshotText = entry.paging === undefined ? undefined : given.get('snapshot');
  return {
    ids,
    level,
    start,
    end,
    top: whole('top', page(entry, given, 'top'), entry.paging?.defaultTop ?? 0, 1, entry.paging?.maxTop ?? 0),
    skip: whole('skip', page(entry, given, 'skip'), 0, 0, Number.MAX_SAFE_INTEGER),
    groupby,
    orderby,
    filter: filterText === undefined ? undefined : readFilter(filterText, filterable),
    filterText,
    snapshot: snapshotText === undefined ? undefined : whole('snapshot', snapshotText, 0, 0, 2 ** 53 - 1),
    rowFields,
  };
}

function page(entry: ReportEntry, given: ReadonlyMap<string, string>, name: string): string | undefined {
  return entry.paging === undefined ? undefined : given.get(name);
}

function sort(part: string, entry: ReportEntry, rowFields: readonly Field[]): Sort {
  const [name = '', direction, ...rest] = part.split(/\s+/);
  const field = named(entry.fields, name);
  if (field.orderby !== true || !rowFields.includes(field)) throw new BadRequest(`orderby ${name}`);
  const word = direction === undefined ? undefined : fold(direction);
  if (rest.length > 0 || (word !== undefined && word !== 'asc' && word !== 'desc')) {
    throw new BadRequest(`orderby ${part}`);
  }
  return { field, direction: word };
}
