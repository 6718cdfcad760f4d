/**
 * Copies one report of one product: which days, in which windows, and what becomes of each. All that is remembered is
 * at the target, a day at a time, so a run may end anywhere and the next one goes on from there.
 */
import {
  AuthenticationError,
  type Client,
  ConnectionError,
  ForbiddenError,
  NotFoundError,
  RateLimitError,
  StorelensError,
} from '@storelens/client';
import {
  dayAt,
  daysOutOfReach,
  daysToRead,
  firstWindow,
  inTurn,
  isOld,
  type KnownDay,
  shifted,
  type Wanted,
  type Window,
} from './days.js';
import { isSilence, type Patience } from './patience.js';
import { recordsOf } from './records.js';
import { type Reading, readWindow, type SourceRow, type Subject, TooManyRows } from './source.js';
import { type Target, TargetError } from './target.js';

/** How a run copies. */
export interface Manner {
  /** First day that is wanted. */
  readonly since: string;
  readonly recentDays: number;
  /** Days that the source keeps of reports that it keeps for some days alone. */
  readonly failureDays: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** With a source that is silent. */
  readonly patience: Patience;
  /** Is told of every window that begins. */
  readonly onWindow?: (subject: Subject, window: Window) => void;
  /** Ends the run, between two requests or in one. */
  readonly signal?: AbortSignal;
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
  /** Days without rows that the source has dropped: nobody has them. */
  readonly lost: number;
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

/** An outcome that grows: what it holds is true at any moment, also of a run that ends early. */
export type Tally = { -readonly [Key in keyof Outcome]: Outcome[Key] };

/** The outcome before anything was done. */
export function nothingYet(subject: Subject): Tally {
  const none = { read: 0, changed: 0, empty: 0, kept: 0, lost: 0, failed: 0, rows: 0, files: 0 };
  return { subject, ...none, error: undefined };
}

/**
 * Copies the days of a report and counts them in `outcome`. Throws TargetError, the AuthenticationError of the source,
 * SourceSilent, and the reason of the signal.
 */
export async function copyReport(
  source: Client,
  target: Target,
  manner: Manner,
  outcome: Tally,
): Promise<void> {
  const { entry, applicationId } = outcome.subject;
  const told = await target.state({ report: entry.name, applicationId });
  // The target's spelling of a product's id may be another one.
  const of = (id: string | null) => (id ?? '').toLowerCase() === (applicationId ?? '').toLowerCase();
  const known = new Map<string, KnownDay>(
    (told.days ?? []).filter((day) => of(day.applicationId)).map((day) => [day.day, day]),
  );
  const before = told.reports.find((report) => of(report.applicationId));
  // A product that the target does not know is refused here, before the source is asked for all its days.
  if (before === undefined) await target.remember(outcome.subject, { since: manner.since });
  const today = dayAt(manner.now());
  const isFailures = /failure(hits|details)$/.test(entry.name);
  const kept = shifted(today, 1 - manner.failureDays);
  const first = isFailures && manner.since < kept ? kept : manner.since;
  const doneThrough = doneThroughOf(before?.cursor);
  const wanted = { first, today, recentDays: manner.recentDays, doneThrough };

  const copy = new Copy(source, target, manner, outcome, wanted, known);
  if (isFailures) await copy.leave(daysOutOfReach(known, kept));
  for (const days of inTurn(daysToRead(wanted, known), known)) await copy.days(days);

  // A day that nobody could read stays on the list, and so do all behind it.
  const [open = today] = [...copy.open, shifted(today, -manner.recentDays)].sort();
  const through = shifted(open, -1);
  await target.remember(outcome.subject, {
    doneThrough: doneThrough !== undefined && doneThrough > through ? doneThrough : through,
    since: manner.since,
    ranAt: new Date(manner.now()).toISOString(),
  });
}

/** A report that is being copied. */
class Copy {
  /** Days that the next run has to look at again, besides recent ones. */
  readonly open: string[] = [];
  #longest: number;
  /** Days of the next window. */
  #most: number;
  #records: ReturnType<typeof recordsOf> | undefined;

  constructor(
    readonly source: Client,
    readonly target: Target,
    readonly manner: Manner,
    readonly outcome: Tally,
    readonly wanted: Wanted,
    readonly known: ReadonlyMap<string, KnownDay>,
  ) {
    const { lookups, steps } = outcome.subject.entry;
    // A request for each failure, or each day.
    const single = lookups !== undefined || steps !== undefined;
    this.#most = single ? windows.details : windows.first;
    this.#longest = single ? windows.details : windows.most;
  }

  /** Gives up days that the source has dropped by its own account. */
  async leave(days: readonly KnownDay[]): Promise<void> {
    const keeps = `The source keeps ${this.manner.failureDays} days.`;
    for (const { day, rows, error } of days) {
      await this.#gone(day, rows ?? 0, error == null ? keeps : `${keeps} The last attempt: ${error}`);
    }
  }

  /** Reads days in windows, in their order. After some that fail one after the other the rest stays open. */
  async days(days: readonly string[]): Promise<void> {
    let left = days;
    let failures = 0;
    while (failures < mostFailures) {
      const window = firstWindow(left, this.#most);
      if (window === undefined) break;
      const count = left.indexOf(window.last) + 1;
      this.manner.onWindow?.(this.outcome.subject, window);
      let reading: Reading;
      try {
        reading = await readWindow(this.source, this.outcome.subject, window, this.manner.signal);
        this.manner.patience.heard();
      } catch (error) {
        if (!(error instanceof StorelensError || error instanceof TooManyRows)) throw error;
        if (error instanceof AuthenticationError) throw error;
        if (shorterHelps(error) && count > 1) {
          this.manner.patience.failed(error);
          // Silence costs minutes each time.
          this.#most = isSilence(error) ? 1 : Math.ceil(count / 2);
          continue;
        }
        for (const day of left.slice(0, count)) await this.#fail(day, error);
        this.manner.patience.failed(error);
        left = left.slice(count);
        failures = shorterHelps(error) ? failures + 1 : mostFailures;
        continue;
      }
      // Of days that had rows before, a shorter window may get an answer.
      if (count > 1 && [...reading.days].some(([day, rows]) => this.#doubt(day, rows, reading))) {
        this.#most = Math.ceil(count / 2);
        continue;
      }
      for (const [day, rows] of reading.days)
        failures = (await this.#keep(day, rows, reading)) ? 0 : failures + 1;
      left = left.slice(count);
      const read = [...reading.days.values()].reduce((sum, rows) => sum + rows.length, 0);
      if (read < fewRows) this.#most = Math.min(this.#longest, this.#most * 2);
    }
    this.open.push(...left);
  }

  /** Stores a day that was read. Returns false if that failed. */
  async #keep(day: string, rows: readonly SourceRow[], reading: Reading): Promise<boolean> {
    const { outcome, wanted, target } = this;
    const { subject } = outcome;
    const before = this.known.get(day)?.rows ?? null;
    const old = isOld(day, wanted);
    const doubt = this.#doubt(day, rows, reading);
    if (doubt !== undefined) {
      await this.#fail(day, new Error(doubt));
      return false;
    }
    // What was stored of an old day was there once: the source has dropped it.
    if (old && before !== null && before > rows.length && (rows.length === 0 || reading.silent)) {
      await this.#gone(
        day,
        before,
        `It had ${before} ${before === 1 ? 'row' : 'rows'}, which the source has no longer.`,
      );
      return true;
    }
    if (rows.length === 0) {
      // Without rows a day is empty or yet to come; the source's word decides, else the calendar.
      const over = reading.freshness === undefined ? day < wanted.today : dayAt(reading.freshness) > day;
      if (!over && before === null) return true;
    }
    this.#records ??= recordsOf(this.source, target, subject, wanted, this.manner);
    const copied = await (await this.#records)?.copy(day, rows);
    outcome.files += copied?.files ?? 0;
    // No body means no rows or trouble: final is what two runs were told.
    const settled = old && (!reading.silent || before === rows.length);
    if (old && !settled) this.open.push(day);
    try {
      const { grouping } = reading;
      if (await target.put(subject, day, rows, { grouping, settled })) outcome.changed += 1;
    } catch (error) {
      if (!(error instanceof TargetError && error.refused)) throw error;
      await this.#fail(day, error);
      return false;
    }
    outcome.read += 1;
    outcome.rows += rows.length;
    if (rows.length === 0) outcome.empty += 1;
    // The rows are safe; the next run tries what they should have come with.
    if (copied?.error !== undefined) await this.#fail(day, copied.error);
    return true;
  }

  /**
   * Why a day that seems to have lost rows is not believed, because the source said nothing; undefined where it may have
   * no more. Of an old day two runs that were told the same are enough.
   */
  #doubt(day: string, rows: readonly SourceRow[], { silent }: Reading): string | undefined {
    const known = this.known.get(day);
    if (!silent || (known?.rows ?? 0) <= rows.length) return undefined;
    const doubt = `The source answered without a body; it had ${known?.rows} rows before.`;
    return isOld(day, this.wanted) && known?.error === doubt ? undefined : doubt;
  }

  /** Notes that the source has a day no more, which is no failure: nothing can be done about it. */
  async #gone(day: string, rows: number, why: string): Promise<void> {
    await this.target.gone(this.outcome.subject, day, why);
    if (rows > 0) this.outcome.kept += 1;
    else this.outcome.lost += 1;
  }

  async #fail(day: string, error: Error): Promise<void> {
    await this.target.fail(this.outcome.subject, day, error.message);
    this.outcome.failed += 1;
    this.outcome.error ??= `${day}: ${error.message}`;
    this.open.push(day);
  }
}

/** Errors of a connection that never came to be. */
const unreachable =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENET|UND_ERR_CONNECT_TIMEOUT|CERT_|DEPTH_|SELF_SIGNED|ERR_TLS|ERR_SSL)/;

/** Whether a window of fewer days may go well where this one did not. */
function shorterHelps(error: Error): boolean {
  if (error instanceof ConnectionError) return !unreachable.test(error.code);
  return !(
    error instanceof RateLimitError ||
    error instanceof ForbiddenError ||
    error instanceof NotFoundError
  );
}

function doneThroughOf(cursor: unknown): string | undefined {
  const { doneThrough } = (cursor ?? {}) as { readonly doneThrough?: unknown };
  return typeof doneThrough === 'string' ? doneThrough : undefined;
}
