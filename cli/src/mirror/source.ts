/**
 * Reads windows of a report from the source, at full grain and whole: a window that changes while it is read is begun
 * again. Keeps nothing, and knows nothing of the target.
 */
import { type Client, ProtocolError, ResultMovedError, unlisted } from '@storelens/client';
import { type Field, mirrorTables, type ReportEntry } from '@storelens/contract';
import { dayOfRow, daysBetween, type Window } from './days.js';

/** A row as the source answered it; numbers that JavaScript would round are the text of their digits. */
export type SourceRow = Readonly<Record<string, unknown>>;

/** What is copied: a report of one product, or of the whole account. */
export interface Subject {
  readonly entry: ReportEntry;
  readonly applicationId: string | undefined;
}

/** A window that was read. */
export interface Reading {
  /** The rows of every day of the window, also of those without any. */
  readonly days: ReadonlyMap<string, readonly SourceRow[]>;
  /** Milliseconds since 1970 that the source's data is from; undefined if it does not tell. */
  readonly freshness: number | undefined;
  /** Whether an answer had no body: sources send that for days without data, and when something is wrong. */
  readonly silent: boolean;
  /** The fields that the rows are grouped by; none: they are those that the source answers without groups. */
  readonly grouping: readonly string[];
}

/** A window has more rows than are read at once; a shorter one should be asked for. */
export class TooManyRows extends Error {
  override readonly name = 'TooManyRows';
}

/** Pages that a window of several days may have: what changes meanwhile costs that much. */
const mostPages = 4;

/** How often a window that changes is begun again. */
const attempts = 5;

/** The fields that the source is asked to group by: all, and the date by name, since not every source adds it. */
function groupingOf({ groupby, fields }: ReportEntry): readonly string[] {
  if (!groupby) return [];
  return fields.filter((field) => field.groupby || field.role === 'date').map(({ name }) => name);
}

/** What rows with all groups lack of what is kept of rows without any. */
export function lostOf({ name, groupby, fields }: ReportEntry): readonly string[] {
  if (!groupby) return [];
  const stored = new Set(mirrorTables[name]?.columns.map(({ field }) => field));
  const isLost = ({ role, ungroupedOnly, groupby: groupable, alwaysReturned }: Field) =>
    role === 'measure' ? ungroupedOnly === true : !groupable && !alwaysReturned;
  return fields.filter((field) => stored.has(field.name) && isLost(field)).map((field) => field.name);
}

/**
 * Keys that rows without groups must have to be read instead of those with all groups: what these are grouped by.
 * Undefined where they could have nothing that rows with groups lack.
 */
export function keysOf(entry: ReportEntry): readonly string[] | undefined {
  if (lostOf(entry).length === 0) return undefined;
  const stored = new Set(mirrorTables[entry.name]?.columns.map(({ field }) => field));
  return groupingOf(entry).filter((name) => stored.has(name));
}

/**
 * Reads a window. Throws TooManyRows for a long one that should be shorter, ResultMovedError if it changed in every
 * attempt, ProtocolError for rows that belong to no day of it, and what the client throws.
 */
export async function readWindow(
  client: Client,
  subject: Subject,
  window: Window,
  signal?: AbortSignal,
): Promise<Reading> {
  const lookup = subject.entry.lookups?.[0]?.parameter;
  const grouping = groupingOf(subject.entry);
  const keys = keysOf(subject.entry);
  return again(async () => {
    if (lookup !== undefined) {
      const days = emptyDays(window);
      let silent = false;
      for (const value of await failuresOf(client, subject, window, signal)) {
        const read = await collect(client, subject, window, { more: { [lookup]: value }, days, signal });
        silent ||= read.silent;
      }
      return { days, freshness: undefined, silent, grouping };
    }
    if (subject.entry.steps !== undefined) return readSteps(client, subject, window, signal);
    if (keys !== undefined) {
      const days = emptyDays(window);
      const isFine = (row: SourceRow) => dayOfRow(row.date) !== undefined && keys.every((key) => key in row);
      const read = await collect(client, subject, window, { more: {}, days, signal, isFine });
      if (!read.coarse) return { days, ...read, grouping: [] };
    }
    const days = emptyDays(window);
    const more = grouping.length === 0 ? {} : { groupby: grouping };
    return { days, ...(await collect(client, subject, window, { more, days, signal })), grouping };
  });
}

/** Steps have no dates: a day's are those of a range of one day. Nobody on any of them are no rows. */
async function readSteps(
  client: Client,
  { entry, applicationId }: Subject,
  window: Window,
  signal: AbortSignal | undefined,
): Promise<Reading> {
  const days = emptyDays(window);
  let silent = false;
  for (const [day, found] of days) {
    const parameters = { applicationId: applicationId ?? '', startDate: day, endDate: day };
    const page = await client.page(unlisted(entry.name), parameters, { exactNumbers: true, signal });
    const rows = page.rows as readonly SourceRow[];
    silent ||= rows.length === 0 && page.total === undefined;
    if (rows.some(({ UserCount: users }) => Number(users) !== 0))
      found.push(...rows.map((row) => ({ ...row, MetricType: stepOf(row) })));
  }
  return { days, freshness: undefined, silent, grouping: [] };
}

/** The name of a row's step; Microsoft's service has been seen to misspell one. */
function stepOf({ MetricType: name }: SourceRow): unknown {
  return name === 'Acqusition' ? 'Acquisition' : name;
}

function emptyDays({ first, last }: Window): Map<string, SourceRow[]> {
  return new Map(daysBetween(first, last).map((day) => [day, []]));
}

/** What rows of a window are asked for with, and where they go. */
interface Collecting {
  readonly more: Readonly<Record<string, string | readonly string[]>>;
  readonly days: ReadonlyMap<string, SourceRow[]>;
  readonly signal: AbortSignal | undefined;
  /** Whether a row is as fine as it should be; after one that is not, no more are read. */
  readonly isFine?: (row: SourceRow) => boolean;
}

interface Collected extends Pick<Reading, 'freshness' | 'silent'> {
  readonly coarse: boolean;
}

/** The failures that happened in a window, by hash: their details are asked for one by one. */
async function failuresOf(
  client: Client,
  { entry, applicationId }: Subject,
  { first, last }: Window,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const hits = entry.name.replace(/failuredetails$/, 'failurehits');
  const parameters = {
    ...(applicationId === undefined ? {} : { applicationId }),
    ...{
      startDate: first,
      endDate: last,
      aggregationLevel: 'day',
      groupby: ['failureHash', 'date'],
      top: 10_000,
    },
  };
  const hashes = new Set<string>();
  for await (const row of client.rows(unlisted(hits), parameters, { moved: 'throw', signal })) {
    const { failureHash } = row as SourceRow;
    if (typeof failureHash === 'string' && failureHash !== '') hashes.add(failureHash);
  }
  return [...hashes];
}

async function collect(
  client: Client,
  { entry, applicationId }: Subject,
  { first, last }: Window,
  { more, days, signal, isFine = () => true }: Collecting,
): Promise<Collected> {
  const top = entry.paging?.maxTop ?? 10_000;
  const parameters = {
    ...(applicationId === undefined ? {} : { applicationId }),
    ...{ startDate: first, endDate: last, top },
    ...(entry.levels.length === 0 ? {} : { aggregationLevel: 'day' }),
    ...more,
  };
  let freshness: number | undefined;
  let begun = false;
  let silent = false;
  const options = { moved: 'throw', exactNumbers: true, signal } as const;
  for await (const page of client.pages(unlisted(entry.name), parameters, options)) {
    const rows = page.rows as readonly SourceRow[];
    if (!rows.every(isFine)) return { freshness, silent, coarse: true };
    if (!begun && first !== last && (page.total ?? 0) > mostPages * top) {
      throw new TooManyRows(`${page.total} rows from ${first} to ${last}`);
    }
    begun = true;
    silent ||= page.rows.length === 0 && page.total === undefined;
    const told = Date.parse(page.freshness ?? '');
    if (!Number.isNaN(told)) freshness = told;
    for (const row of rows) {
      const day = dayOfRow(row.date);
      const found = day === undefined ? undefined : days.get(day);
      if (day === undefined || found === undefined) {
        const shown = JSON.stringify(row.date) ?? 'missing';
        throw new ProtocolError(`The date of a row is ${shown}; asked was for ${first} to ${last}.`, {
          code: 'unexpected-date',
        });
      }
      const dated = entry.fields.some(({ name, type }) => name === 'date' && type === 'date');
      found.push(dated ? { ...row, date: day } : row);
    }
  }
  return { freshness, silent, coarse: false };
}

async function again<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ResultMovedError) || attempt >= attempts) throw error;
    }
  }
}
