/** The server that keeps what is copied: its addresses for mirrored days and what is known of them. */
import { gzipSync } from 'node:zlib';
import {
  type Client,
  ConnectionError,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  type RequestOptions,
  StorelensError,
} from '@storelens/client';
import { mirrorTables, type ReportEntry } from '@storelens/contract';
import { RefusedError } from '../command.js';
import { exitCodeOf, explained } from '../exit-codes.js';
import { numberText } from '../report/json-row.js';
import type { KnownDay } from './days.js';
import type { SourceRow, Subject } from './source.js';

/** What a day can be; of stacks and files `settled`, `failed` and `without`. */
export type DayState = 'empty' | 'read' | 'settled' | 'failed' | 'kept' | 'without';

/** Counts of days by state. */
export interface KnownReport {
  readonly report: string;
  readonly applicationId: string | null;
  readonly first: string | null;
  readonly last: string | null;
  readonly days: Readonly<Record<DayState, number>>;
  readonly cursor: unknown;
  readonly cursorAt: string | null;
}

/** A day as the server tells it. */
export interface ToldDay extends KnownDay {
  readonly applicationId: string | null;
  readonly error: string | null;
  readonly failedAt: string | null;
  readonly goneAt: string | null;
}

interface State {
  readonly reports: readonly KnownReport[];
  readonly days?: readonly ToldDay[];
}

/** Bodies above this many characters are sent compressed. */
const compressedFrom = 65_536;

/** How often a request is sent whose answer cannot be read to its end. */
const mostReadings = 3;

/** Most characters of a noted error. */
const longestError = 2000;

/** The target cannot be reached, or refuses what it is sent: not to be taken for an error of the source. */
export class TargetError extends RefusedError {
  /** Whether it will not have it, now and later; otherwise nothing can be stored at present. */
  readonly refused: boolean;

  constructor(readonly error: StorelensError) {
    const missing = /^\w+ is '([^']+)', which is no product of the account of kind (\w+)/.exec(
      error.data[0] ?? '',
    );
    super(
      missing === null
        ? `the target: ${explained(error)}`
        : `the target has no ${missing[2]} ${missing[1]}: \`storelens product create --tenant TENANT --kind ${missing[2]} --id ${missing[1]} --name NAME\` registers it`,
      exitCodeOf(error),
    );
    this.refused =
      error instanceof InvalidRequestError ||
      error instanceof ForbiddenError ||
      error instanceof NotFoundError;
  }
}

/** Calls to the target; they throw TargetError, or the reason of the signal. */
export class Target {
  constructor(
    private readonly client: Client,
    private readonly signal?: AbortSignal,
  ) {}

  /** What is known, of all reports or in single days of one. */
  async state(
    about: { readonly report?: string; readonly applicationId?: string | undefined } = {},
  ): Promise<State> {
    const query = queryOf({ report: about.report, applicationId: about.applicationId });
    return this.#ask(`/ingest/v1/mirror/state${query}`, {}, (answer) => answer.json() as Promise<State>);
  }

  /** Puts the rows of a day in the place of those that were there. Tells whether that changed anything. */
  async put(
    { entry, applicationId }: Subject,
    day: string,
    rows: readonly SourceRow[],
    { grouping, settled }: { readonly grouping: readonly string[]; readonly settled: boolean },
  ): Promise<boolean> {
    const query = queryOf({
      applicationId,
      groupby: grouping.length === 0 ? undefined : grouping.join(','),
      settled: String(settled),
    });
    const text = rows.map((row) => `${lineOf(entry, row)}\n`).join('');
    const compressed = text.length > compressedFrom;
    const options = {
      method: 'PUT',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(compressed ? { 'content-encoding': 'gzip' } : {}),
      },
      body: compressed ? gzipSync(text) : text,
    };
    return this.#ask(`/ingest/v1/mirror/${entry.name}/${day}${query}`, options, async (answer) => {
      const { duplicate } = (await answer.json()) as { readonly duplicate: boolean };
      return !duplicate;
    });
  }

  /** Keeps the stack or the file of a failure of a day, in place of one that was there. */
  async putRecord(
    { entry, applicationId }: Subject,
    id: string,
    day: string,
    body: string | ReadableStream<Uint8Array>,
    contentType: string,
  ): Promise<void> {
    const query = queryOf({ applicationId, date: day });
    await this.#ask(
      `/ingest/v1/mirror/${entry.name}/${encodeURIComponent(id)}${query}`,
      { method: 'PUT', headers: { 'content-type': contentType }, body },
      (answer) => answer.body?.cancel(),
    );
  }

  /** Notes that a day could not be read; rows that are there stay. */
  async fail(subject: Subject, day: string, error: string): Promise<void> {
    await this.#note(subject, day, { state: 'failed', error });
  }

  /** Notes that the source has a day no longer, or never had it; rows that are there stay. */
  async gone(subject: Subject, day: string, error: string): Promise<void> {
    await this.#note(subject, day, { state: 'gone', error });
  }

  async #note(subject: Subject, day: string, { state, error }: Record<'state' | 'error', string>) {
    const body = { state, error: error.slice(0, longestError) };
    await this.#write(`${subject.entry.name}/${encodeURIComponent(day)}`, subject, body);
  }

  /** Remembers how far a report is. */
  async remember(subject: Subject, cursor: object): Promise<void> {
    await this.#write(subject.entry.name, subject, cursor);
  }

  async #write(path: string, { applicationId }: Subject, body: object): Promise<void> {
    const options = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    await this.#ask(`/ingest/v1/mirror/state/${path}${queryOf({ applicationId })}`, options, (answer) =>
      answer.body?.cancel(),
    );
  }

  async #ask<Result>(
    path: string,
    options: RequestOptions,
    read: (answer: Response) => Result | Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      let answer: Response;
      try {
        answer = await this.client.request(path, { ...options, signal: this.signal });
      } catch (error) {
        if (error instanceof StorelensError) throw new TargetError(error);
        throw error;
      }
      try {
        return await read(answer);
      } catch (error) {
        // All requests that have an answer worth reading may be repeated.
        if (this.signal?.aborted === true || attempt < mostReadings) continue;
        const cause = { code: 'cut', cause: error };
        throw new TargetError(new ConnectionError('An answer broke off, or was none.', cause));
      }
    }
  }
}

/** A row as JSON, its numbers with the digits of the source. */
function lineOf({ name }: ReportEntry, row: SourceRow): string {
  const isNumber = (key: string) => numbers[name]?.has(key) === true;
  const members = Object.entries(row).map(([key, value]) => {
    const exact = typeof value === 'string' && isNumber(key) && numberText.test(value);
    return `${JSON.stringify(key)}:${exact ? value : JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}

/** The fields of each report that hold numbers. */
const numbers: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.values(mirrorTables).map(({ report, columns }) => [
    report.name,
    new Set(columns.filter(({ type }) => type === 'integer' || type === 'amount').map(({ field }) => field)),
  ]),
);

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}
