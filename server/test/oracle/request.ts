/**
 * Reads a report's raw query string for the oracle: names and aliases, numbers, dates and defaults, lists, filter.
 * Throws `BadRequest` for what the contract refuses. Written from the contract alone; shares nothing with the server
 * but the report entries.
 */
import { type Field, type Level, parameterNames, type ReportEntry } from '@storelens/contract';
import { clamp, type Day, defaultDay, numberOf, readClock, readDay } from './dates.js';
import { BadRequest, type Filter, fold, readFilter } from './filter.js';

/** One sort field, with the direction as far as the request spelt it out. */
export interface Sort {
  readonly field: Field;
  readonly direction: 'asc' | 'desc' | undefined;
}

/** An end of the range: its day, and the hour that counts at hour level. */
export interface Moment {
  readonly day: Day;
  readonly hour: number;
}

/** The form of rows that the server is set to, by year. */
export type Shape = '2018' | '2022';

/** A request that the contract accepts, defaults filled in. */
export interface Request {
  readonly ids: ReadonlyMap<string, string>;
  /** Values of the report's lookups, by parameter. */
  readonly lookups: ReadonlyMap<string, string>;
  readonly level: Level | undefined;
  readonly start: Moment;
  readonly end: Moment;
  readonly top: number;
  readonly skip: number;
  readonly groupby: readonly Field[] | undefined;
  readonly orderby: readonly Sort[];
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  readonly snapshot: number | undefined;
  /** Keys of the rows, in printed order. */
  readonly rowFields: readonly Field[];
  /** Rows are of the whole range and print no date. */
  readonly dateless: boolean;
  /** Parameters that some other report has: they change nothing. */
  readonly ignored: readonly string[];
}

/** Number of an hour since 1970, its day clamped to what answers cover. */
export function hourNumber({ day, hour }: Moment): number {
  return clamp(numberOf(day)) * 24 + hour;
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

/**
 * Keys of the rows of a request: all at full grain, or the grouped and the always returned ones; in the form of 2022
 * identifiers and measures alone where nothing is grouped by, and the date, which is null.
 */
function keysOf(
  entry: ReportEntry,
  level: Level | undefined,
  groupby: readonly Field[] | undefined,
  shape: Shape,
): Field[] {
  return entry.fields.filter((field) => {
    if (groupby !== undefined) {
      if (field.role === 'measure') return field.ungroupedOnly !== true;
      return field.alwaysReturned === true || groupby.includes(field);
    }
    if (shape === '2022' && entry.groupby && !['id', 'date', 'measure'].includes(field.role)) return false;
    return (
      level === undefined || field.ungroupedLevels === undefined || field.ungroupedLevels.includes(level)
    );
  });
}

/** Reads a raw query string (without the question mark) for a report; `today` is a day number. */
export function readRequest(entry: ReportEntry, raw: string, today: number, shape: Shape = '2018'): Request {
  const given = parameters(raw);
  const ids = new Map<string, string>();
  for (const { name } of entry.identity.parameters) {
    const id = given.get(name);
    if (id !== undefined) ids.set(name, id);
  }
  if (entry.identity.needs === 'one' && ids.size === 0) throw new BadRequest('no product');
  const lookups = new Map<string, string>();
  for (const { parameter } of entry.lookups ?? []) {
    const value = given.get(parameter);
    if (value === undefined) throw new BadRequest(`no ${parameter}`);
    lookups.set(parameter, value);
  }
  let level: Level | undefined;
  if (entry.levels.length > 0) {
    const text = given.get('aggregationLevel');
    level = text === undefined ? entry.levels[0] : entry.levels.find((known) => known === fold(text));
    if (level === undefined) throw new BadRequest('unknown aggregationLevel');
  }
  const [start, end] = readRange(entry, given, level, today);
  let groupby: Field[] | undefined;
  const groupText = entry.groupby ? given.get('groupby') : undefined;
  if (groupText !== undefined) {
    groupby = list(groupText).map((name) => named(entry.fields, name));
    for (const field of groupby) if (field.groupby !== true) throw new BadRequest(`groupby ${field.name}`);
    if (new Set(groupby).size < groupby.length) throw new BadRequest('groupby names a field twice');
  }
  const rowFields = keysOf(entry, level, groupby, shape);
  const orderText = entry.orderby ? given.get('orderby') : undefined;
  const orderby = orderText === undefined ? [] : list(orderText).map((part) => sort(part, entry, rowFields));
  if (new Set(orderby.map(({ field }) => field)).size < orderby.length) throw new BadRequest('orderby twice');
  const filterable = [...entry.fields, ...(entry.queryOnly ?? [])].filter(
    ({ filter }) => filter !== undefined,
  );
  const filterText = filterable.length > 0 ? given.get('filter') : undefined;
  const snapshotText = entry.paging === undefined ? undefined : given.get('snapshot');
  return {
    ids,
    lookups,
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
    dateless: shape === '2022' && entry.groupby && !groupby?.some(({ role }) => role === 'date'),
    ignored: [...given.keys()].filter((name) => !takes(entry, name, filterable.length > 0)),
  };
}

/** Whether a report has a parameter. */
function takes(entry: ReportEntry, name: string, filterable: boolean): boolean {
  switch (name) {
    case 'startDate':
    case 'endDate':
      return entry.dates !== undefined;
    case 'top':
    case 'skip':
    case 'snapshot':
      return entry.paging !== undefined;
    case 'filter':
      return filterable;
    case 'aggregationLevel':
      return entry.levels.length > 0;
    case 'orderby':
      return entry.orderby;
    case 'groupby':
      return entry.groupby;
    default:
      return (
        entry.identity.parameters.some((parameter) => parameter.name === name) ||
        (entry.lookups ?? []).some(({ parameter }) => parameter === name)
      );
  }
}

/** The range. Hours count at hour level alone; there a bare last day means its last hour. */
function readRange(
  entry: ReportEntry,
  given: ReadonlyMap<string, string>,
  level: Level | undefined,
  today: number,
): readonly [Moment, Moment] {
  const moment = (name: string, fallback: Day, bareHour: number): Moment => {
    const text = given.get(name);
    const day = text === undefined ? fallback : readDay(text);
    if (day === undefined) throw new BadRequest(`${name} is unreadable`);
    const hour = level === 'hour' && text !== undefined ? readClock(text)?.[0] : undefined;
    return { day, hour: hour ?? bareHour };
  };
  if (entry.dates === undefined) {
    const day = defaultDay({ daysAgo: 0 }, today);
    return [
      { day, hour: 0 },
      { day, hour: 23 },
    ];
  }
  const start = moment('startDate', defaultDay(entry.dates.start, today), 0);
  const end = moment('endDate', defaultDay(entry.dates.end, today), 23);
  const first = numberOf(start.day) * 24 + start.hour;
  if (first > numberOf(end.day) * 24 + end.hour) throw new BadRequest('startDate is after endDate');
  return [start, end];
}

function page(entry: ReportEntry, given: ReadonlyMap<string, string>, name: string): string | undefined {
  return entry.paging === undefined ? undefined : given.get(name);
}

function sort(part: string, entry: ReportEntry, rowFields: readonly Field[]): Sort {
  const [name = '', direction, ...rest] = part.split(/\s+/);
  const hidden = (entry.queryOnly ?? []).filter(({ orderby }) => orderby === true);
  const field = named([...entry.fields, ...hidden], name);
  const sorts = field.orderby === true && (rowFields.includes(field) || hidden.includes(field));
  if (!sorts) throw new BadRequest(`orderby ${name}`);
  const word = direction === undefined ? undefined : fold(direction);
  if (rest.length > 0 || (word !== undefined && word !== 'asc' && word !== 'desc')) {
    throw new BadRequest(`orderby ${part}`);
  }
  return { field, direction: word };
}
