/** The server that keeps what is copied: its addresses for mirrored days and what is known of them. */
import { gzipSync } from 'node:zlib';
import type { Client } from '@storelens/client';
import type { KnownDay } from './days.js';
import { groupingOf, type SourceRow, type Subject } from './source.js';

/** Counts of days by state. */
export interface KnownReport {
  readonly report: string;
  readonly applicationId: string | null;
  readonly first: string | null;
  readonly last: string | null;
  readonly days: Readonly<Record<'empty' | 'read' | 'settled' | 'failed', number>>;
  readonly cursor: unknown;
  readonly cursorAt: string | null;
}

/** A day as the server tells it. */
export interface ToldDay extends KnownDay {
  readonly applicationId: string | null;
  readonly error: string | null;
  readonly failedAt: string | null;
}

interface State {
  readonly reports: readonly KnownReport[];
  readonly days?: readonly ToldDay[];
}

/** Bodies above this many characters are sent compressed. */
const compressedFrom = 65_536;

/** Most characters of a noted error. */
const longestError = 2000;

/** Calls to the target; they throw what the client throws. */
export class Target {
  constructor(private readonly client: Client) {}

  /** What is known, of all reports or in single days of one. */
  async state(
    about: { readonly report?: string; readonly applicationId?: string | undefined } = {},
  ): Promise<State> {
    const query = queryOf({ report: about.report, applicationId: about.applicationId });
    const answer = await this.client.request(`/ingest/v1/mirror/state${query}`);
    return (await answer.json()) as State;
  }

  /** Puts the rows of a day in the place of those that were there. Tells whether that changed anything. */
  async put(
    { entry, applicationId }: Subject,
    day: string,
    rows: readonly SourceRow[],
    settled: boolean,
  ): Promise<boolean> {
    const grouping = groupingOf(entry);
    const query = queryOf({
      applicationId,
      groupby: grouping.length === 0 ? undefined : grouping.join(','),
      settled: String(settled),
    });
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const compressed = text.length > compressedFrom;
    const answer = await this.client.request(`/ingest/v1/mirror/${entry.name}/${day}${query}`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(compressed ? { 'content-encoding': 'gzip' } : {}),
      },
      body: compressed ? gzipSync(text) : text,
    });
    const { duplicate } = (await answer.json()) as { readonly duplicate: boolean };
    return !duplicate;
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
    const answer = await this.client.request(
      `/ingest/v1/mirror/${entry.name}/${encodeURIComponent(id)}${query}`,
      {
        method: 'PUT',
        headers: { 'content-type': contentType },
        body,
      },
    );
    await answer.body?.cancel();
  }

  /** Notes that a day could not be read; rows that are there stay. */
  async fail(subject: Subject, day: string, error: string): Promise<void> {
    const body = { state: 'failed', error: error.slice(0, longestError) };
    await this.#write(`${subject.entry.name}/${encodeURIComponent(day)}`, subject, body);
  }

  /** Remembers how far a report is. */
  async remember(subject: Subject, cursor: object): Promise<void> {
    await this.#write(subject.entry.name, subject, cursor);
  }

  async #write(path: string, { applicationId }: Subject, body: object): Promise<void> {
    const answer = await this.client.request(`/ingest/v1/mirror/state/${path}${queryOf({ applicationId })}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.body?.cancel();
  }
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}
