/**
 * Reads windows of a report from the source, at full grain and whole: a window that changes while it is read is begun
 * again. Keeps nothing, and knows nothing of the target.
 */
import { type Client, ProtocolError, ResultMovedError, unlisted } from '@storelens/client';
import type { ReportEntry } from '@storelens/contract';
import { dayOfRow, daysBetween, type Window } from './days.js';

/** A row as the source answered it. */
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
export function groupingOf({ groupby, fields }: ReportEntry): readonly string[] {
  if (!groupby) return [];
  return fields.filter((field) => field.groupby || field.role === 'date').map(({ name }) => name);
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
  return again(async () => {
    const days = new Map<string, SourceRow[]>(daysBetween(window.first, window.last).map((day) => [day, []]));
    if (lookup === undefined) {
      return { days, ...(await collect(client, subject, window, {}, days, signal)) };
    }
    let silent = false;
    for (const value of await failuresOf(client, subject, window, signal)) {
      const read = await collect(client, subject, window, { [lookup]: value }, days, signal);
      silent ||= read.silent;
    }
    return { days, freshness: undefined, silent };
  });
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
  more: Readonly<Record<string, string>>,
  days: ReadonlyMap<string, SourceRow[]>,
  signal: AbortSignal | undefined,
): Promise<Omit<Reading, 'days'>> {
  const groupby = groupingOf(entry);
  const top = entry.paging?.maxTop ?? 10_000;
  const parameters = {
    ...(applicationId === undefined ? {} : { applicationId }),
    ...{ startDate: first, endDate: last, top },
    ...(entry.levels.length === 0 ? {} : { aggregationLevel: 'day' }),
    ...(groupby.length === 0 ? {} : { groupby }),
    ...more,
  };
  let freshness: number | undefined;
  let begun = false;
  let silent = false;
  const options = { moved: 'throw', signal } as const;
  for await (const page of client.pages(unlisted(entry.name), parameters, options)) {
    if (!begun && first !== last && (page.total ?? 0) > mostPages * top) {
      throw new TooManyRows(`${page.total} rows from ${first} to ${last}`);
    }
    begun = true;
    silent ||= page.rows.length === 0 && page.total === undefined;
    const told = Date.parse(page.freshness ?? '');
    if (!Number.isNaN(told)) freshness = told;
    for (const row of page.rows as readonly SourceRow[]) {
      const day = dayOfRow(row.date);
      const rows = day === undefined ? undefined : days.get(day);
      if (day === undefined || rows === undefined) {
        const shown = JSON.stringify(row.date) ?? 'missing';
        throw new ProtocolError(`The date of a row is ${shown}; asked was for ${first} to ${last}.`, {
          code: 'unexpected-date',
        });
      }
      const dated = entry.fields.some(({ name, type }) => name === 'date' && type === 'date');
      rows.push(dated ? { ...row, date: day } : row);
    }
  }
  return { freshness, silent };
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
