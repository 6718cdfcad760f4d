/**
 * Copies one report of one product: which days, in which windows, and what becomes of each. All that is remembered is
 * at the target, a day at a time, so a run may end anywhere and the next one goes on from there.
 */
import {
  AuthenticationError,
  type Client,
  ConnectionError,
  ResultMovedError,
  ServiceError,
  StorelensError,
} from '@storelens/client';
import { dayAt, daysToRead, firstWindow, isOld, type KnownDay, shifted, type Window } from './days.js';
import { recordsOf } from './records.js';
import { type Reading, readWindow, type Subject, TooManyRows } from './source.js';
import type { Target } from './target.js';

/** How a run copies. */
export interface Manner {
  /** First day that is wanted. */
  readonly since: string;
  readonly recentDays: number;
  /** Days that the source keeps of reports that it keeps for some days alone. */
  readonly failureDays: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is told of every window that begins. */
  readonly onWindow?: (subject: Subject, window: Window) => void;
}

/** What became of the days of a report in one run. */
export interface Outcome {
  readonly subject: Subject;
  /** Days that were read; `changed` of them had other rows before, or none. */
  readonly read: number;
  readonly changed: number;
  readonly empty: number;
  /** Days whose rows stay though the source has dropped them. */
  readonly kept: number;
  readonly failed: number;
  readonly rows: number;
  /** Stacks and crash files that were copied. */
  readonly files: number;
  /** Why the first failed one did. */
  readonly error: string | undefined;
}

/** Days of the first window, and most that a window grows to. */
const windows = { first: 30, most: 92, details: 7 } as const;

/** Rows below which the next window may be twice as long. */
const fewRows = 10_000;

/** Single days that fail one after the other before the rest is left for the next run. */
const mostFailures = 3;

type Tally = { -readonly [Key in keyof Outcome]: Outcome[Key] };

/** Copies the days of a report. Throws what the target throws, and AuthenticationError of the source. */
export async function copyReport(
  source: Client,
  target: Target,
  subject: Subject,
  manner: Manner,
): Promise<Outcome> {
  const { entry, applicationId } = subject;
  const told = await target.state({ report: entry.name, applicationId });
  // The target's spelling of a product's id may be another one.
  const of = (id: string | null) => (id ?? '').toLowerCase() === (applicationId ?? '').toLowerCase();
  const known = new Map<string, KnownDay>(
    (told.days ?? []).filter((day) => of(day.applicationId)).map((day) => [day.day, day]),
  );
  const cursor = told.reports.find((report) => of(report.applicationId))?.cursor;
  const today = dayAt(manner.now());
  const isFailures = /failure(hits|details)$/.test(entry.name);
  const kept = shifted(today, 1 - manner.failureDays);
  const first = isFailures && manner.since < kept ? kept : manner.since;
  const doneThrough = doneThroughOf(cursor);
  const wanted = { first, today, recentDays: manner.recentDays, doneThrough };

  const outcome: Tally = {
    subject,
    read: 0,
    changed: 0,
    empty: 0,
    kept: 0,
    failed: 0,
    rows: 0,
    files: 0,
    error: undefined,
  };
  const records = await recordsOf(source, target, subject);
  let days = daysToRead(wanted, known);
  let firstFailed: string | undefined;
  let most: number = entry.lookups === undefined ? windows.first : windows.details;
  const longest = entry.lookups === undefined ? windows.most : windows.details;
  let failures = 0;
  while (failures < mostFailures) {
    const window = firstWindow(days, most);
    if (window === undefined) break;
    manner.onWindow?.(subject, window);
    let reading: Reading;
    try {
      reading = await readWindow(source, subject, window);
      for (const [day, rows] of reading.days) outcome.files += (await records?.copy(day, rows)) ?? 0;
      failures = 0;
    } catch (error) {
      if (!(error instanceof StorelensError || error instanceof TooManyRows)) throw error;
      if (error instanceof AuthenticationError) throw error;
      const length = days.findIndex((day) => day > window.last);
      const count = length < 0 ? days.length : length;
      if (shorterHelps(error) && count > 1) {
        most = Math.ceil(count / 2);
        continue;
      }
      for (const day of days.slice(0, count)) await target.fail(subject, day, error.message);
      outcome.failed += count;
      outcome.error ??= error.message;
      firstFailed ??= window.first;
      days = days.slice(count);
      failures = shorterHelps(error) ? failures + 1 : mostFailures;
      continue;
    }
    for (const [day, rows] of reading.days) {
      if (rows.length === 0) {
        // What was stored of an old day was there once: the source has dropped it.
        if (isOld(day, wanted) && (known.get(day)?.rows ?? 0) > 0) {
          outcome.kept += 1;
          continue;
        }
        // Without rows a day is empty or yet to come; the source's word decides, else the calendar.
        const over = reading.freshness === undefined ? day < today : dayAt(reading.freshness) > day;
        if (!over && known.get(day)?.rows == null) continue;
        outcome.empty += 1;
      }
      if (await target.put(subject, day, rows, isOld(day, wanted))) outcome.changed += 1;
      outcome.read += 1;
      outcome.rows += rows.length;
    }
    days = days.filter((day) => day > window.last);
    const read = [...reading.days.values()].reduce((sum, rows) => sum + rows.length, 0);
    if (read < fewRows) most = Math.min(longest, most * 2);
  }
  // A day that nobody could read stays on the list, and so do all behind it.
  const recent = shifted(today, -manner.recentDays);
  const open = [recent, ...days.slice(0, 1), ...(firstFailed === undefined ? [] : [firstFailed])].sort();
  const through = shifted(open[0] ?? recent, -1);
  await target.remember(subject, {
    doneThrough: doneThrough !== undefined && doneThrough > through ? doneThrough : through,
    since: manner.since,
    ranAt: new Date(manner.now()).toISOString(),
  });
  return outcome;
}

/** Whether a window of fewer days may go well where this one did not. */
function shorterHelps(error: Error): boolean {
  if (error instanceof ConnectionError) return error.code === 'timeout';
  return error instanceof TooManyRows || error instanceof ResultMovedError || error instanceof ServiceError;
}

function doneThroughOf(cursor: unknown): string | undefined {
  const { doneThrough } = (cursor ?? {}) as { readonly doneThrough?: unknown };
  return typeof doneThrough === 'string' ? doneThrough : undefined;
}
