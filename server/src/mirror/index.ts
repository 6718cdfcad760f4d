/**
 * What is copied from other servers of the API, and how far: days of reports, what became of the last attempt at
 * each, and what the copying command wants to remember. Rows go through ingestion; this feature knows which commit
 * of a day is the newest. It asks nobody for anything: the command that copies is a client like any other.
 */
import type { Readable } from 'node:stream';
import type { IncomingDay } from '../ingest/index.js';
import type { dayStates } from './mirror-days.js';

export { createMirror, type MirrorOptions } from './mirror.js';
export { dayStates } from './mirror-days.js';

/**
 * What is known of a day: `empty`, there are no rows; `read`, its rows are stored and will be read again; `settled`,
 * they will not; `failed`, the last attempt did not go well, whatever is stored; `kept`, the source has it no longer, its
 * rows are stored; `without`, the source has it no longer, or never had it, and nothing is stored.
 */
export type DayState = (typeof dayStates)[number];

/** The day of a report that a call is about; of reports on single failures `day` is their identifier. */
export interface DayKey {
  readonly accountId: string;
  readonly report: string;
  /** The product's id in the registry's spelling; '' for the whole account. */
  readonly scope: string;
  readonly day: string;
}

/** The stack or file of one failure. */
export interface RecordKey {
  readonly accountId: string;
  /** For example `desktop/stacktrace`. */
  readonly report: string;
  /** What stands before the slash; '' for apps. */
  readonly programme: string;
  readonly scope: string;
  /** As the source names it, in lower case. */
  readonly name: string;
  /** UTC day of the failure. */
  readonly day: string;
}

/** A frame of a stack, the failing one first. */
export interface MirroredFrame {
  readonly image: string;
  readonly function: string;
  readonly offset: string;
}

/** What became of a stack or file. */
export interface RecordAnswer {
  readonly report: string;
  readonly applicationId: string | null;
  readonly id: string;
  readonly batch: string;
  readonly duplicate: boolean;
}

/** A stored file of a failure: its day, and that day's first moment in milliseconds. */
export interface StoredFile {
  readonly day: string;
  readonly time: number;
}

/** A mirrored day that came in. */
export interface MirroredBody extends IncomingDay {
  /** Whether the day will not be read again. */
  readonly settled: boolean;
}

/** What became of a day. */
export interface MirroredAnswer {
  readonly report: string;
  readonly applicationId: string | null;
  readonly day: string;
  readonly state: DayState;
  readonly rows: number;
  readonly batch: string;
  /** Whether the same content was the day's newest before. */
  readonly duplicate: boolean;
  /** Keys that were left out because the report has no such field. */
  readonly ignoredFields: readonly string[];
}

/** A day as the state tells it; times are ISO 8601. */
export interface KnownDay {
  readonly applicationId: string | null;
  readonly day: string;
  readonly state: DayState;
  readonly settled: boolean;
  /** Of the newest stored content; null while there is none. */
  readonly rows: number | null;
  readonly readAt: string | null;
  readonly error: string | null;
  readonly failedAt: string | null;
  readonly goneAt: string | null;
}

/** A report of a product, or of the account, as the state tells it. */
export interface KnownReport {
  readonly report: string;
  readonly applicationId: string | null;
  /** First and last day that is known; null where none is. */
  readonly first: string | null;
  readonly last: string | null;
  /** Days by state. */
  readonly days: Readonly<Record<DayState, number>>;
  readonly cursor: unknown;
  readonly cursorAt: string | null;
}

/** Which part of the state is asked for. */
export interface StateQuestion {
  readonly accountId: string;
  readonly report: string | undefined;
  readonly scope: string | undefined;
  /** Undefined: no bound. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The state of an account's mirror. */
export interface MirrorState {
  readonly reports: readonly KnownReport[];
  /** Single days, oldest first; only of a report that was asked for by name. */
  readonly days?: readonly KnownDay[];
}

/** Copies of reports. */
export interface Mirror {
  /**
   * Puts the rows of a day in the place of those that were there; returns when they are durable. The same content
   * once more changes nothing. Throws Failure as ingestion does.
   */
  put(body: MirroredBody): Promise<MirroredAnswer>;
  /** Puts a stack in the place of the one that was there. Throws Failure as ingestion does. */
  putStack(key: RecordKey, frames: readonly MirroredFrame[]): Promise<RecordAnswer>;
  /** Puts a file in the place of the one that was there; `too-large` beyond limit and quota. */
  putFile(key: RecordKey, body: Readable): Promise<RecordAnswer>;
  /** The file under an id that a query gave; undefined if there is none. */
  file(accountId: string, fileId: string): Promise<StoredFile | undefined>;
  /** Notes that a day could not be read; rows that are there stay. */
  fail(day: DayKey, error: string): Promise<void>;
  /** Notes that the source has a day no longer, or never had it; rows that are there stay. */
  gone(day: DayKey, error: string): Promise<void>;
  /** Remembers a JSON object for a report and scope. */
  remember(key: Omit<DayKey, 'day'>, cursor: object): Promise<void>;
  /** Forgets all that is known of an account. */
  forget(accountId: string): Promise<void>;
  /** What is known. */
  state(question: StateQuestion): Promise<MirrorState>;
}
