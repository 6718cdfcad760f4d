/** Days as `yyyy-MM-dd` in UTC, and which of them a run reads, in which windows. Asks nobody. */

const milliseconds = 86_400_000;

/** The day of a moment in milliseconds. */
export function dayAt(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The day so many days later, or earlier. */
export function shifted(day: string, by: number): string {
  return dayAt(Date.parse(`${day}T00:00:00Z`) + by * milliseconds);
}

/** All days from one to another, both included; none if the first is later. */
export function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = shifted(day, 1)) days.push(day);
  return days;
}

/** Consecutive days. */
export interface Window {
  readonly first: string;
  readonly last: string;
}

/** What the target knows of a day. */
export interface KnownDay {
  readonly day: string;
  readonly state: string;
  readonly settled: boolean;
  /** Stored rows; null while nothing is stored. */
  readonly rows: number | null;
  /** Why the last attempt failed, or what the source told of a day that it does not have. */
  readonly error?: string | null;
  /** When the last attempt failed, ISO; null if it did not. */
  readonly failedAt?: string | null;
  /** When the source was found to have it no longer, or never to have had it; null while it may come. */
  readonly goneAt?: string | null;
}

/** Which days are wanted. */
export interface Wanted {
  readonly first: string;
  readonly today: string;
  /** Days before today that are read in every run, since sources revise them. */
  readonly recentDays: number;
  /** Up to this day, stored days are not read again, settled or not. */
  readonly doneThrough: string | undefined;
}

/** Whether a day is so old that it is not read again once it was read. */
export function isOld(day: string, { today, recentDays }: Pick<Wanted, 'today' | 'recentDays'>): boolean {
  return day < shifted(today, -recentDays);
}

/** Whether what could not be had while its day was recent, at a moment in ISO, is asked for again: the day is so no more. */
export function isDueOnceMore(
  noted: string,
  day: string,
  wanted: Pick<Wanted, 'today' | 'recentDays'>,
): boolean {
  return isOld(day, wanted) && !isOld(day, { ...wanted, today: dayAt(Date.parse(noted)) });
}

/** The days that a run should read, oldest first: what is oldest at the source goes first there. */
export function daysToRead(wanted: Wanted, known: ReadonlyMap<string, KnownDay>): readonly string[] {
  return daysBetween(wanted.first, wanted.today).filter((day) => {
    if (!isOld(day, wanted)) return true;
    const found = known.get(day);
    if (found === undefined || found.rows === null || found.state === 'failed') return true;
    // What the source had dropped may be within its reach now, if it has more of it than it was thought to have.
    if (found.state === 'without') return true;
    return (
      found.state !== 'kept' &&
      !found.settled &&
      (wanted.doneThrough === undefined || day > wanted.doneThrough)
    );
  });
}

/**
 * The days in the order in which they are read: first those that no earlier run failed to read, then the others, the one
 * first whose last attempt is longest ago. So days that can never be read keep no other day waiting.
 */
export function inTurn(
  days: readonly string[],
  known: ReadonlyMap<string, KnownDay>,
): readonly [fresh: readonly string[], failed: readonly string[]] {
  const failed = days.filter((day) => known.get(day)?.state === 'failed');
  const at = (day: string) => known.get(day)?.failedAt ?? '';
  return [
    days.filter((day) => !failed.includes(day)),
    failed.toSorted((one, other) => (at(one) < at(other) ? -1 : at(one) > at(other) ? 1 : 0)),
  ];
}

/**
 * The days that stay as they are because the source keeps nothing before `first`: those that failed, and those that were
 * to be read again.
 */
export function daysOutOfReach(known: ReadonlyMap<string, KnownDay>, first: string): readonly KnownDay[] {
  return [...known.values()].filter(
    ({ day, state }) => day < first && (state === 'failed' || state === 'read'),
  );
}

/** The first days of a list as a window of at most so many, without gaps. */
export function firstWindow(days: readonly string[], most: number): Window | undefined {
  const [first] = days;
  if (first === undefined) return undefined;
  let last = first;
  for (const day of days.slice(1, most)) {
    if (day !== shifted(last, 1)) break;
    last = day;
  }
  return { first, last };
}

/** The UTC day that a row's date means: ISO, or as US culture prints it; undefined if it means none. */
export function dayOfRow(date: unknown): string | undefined {
  if (typeof date !== 'string') return undefined;
  const iso = /^(\d{4})[-/](\d\d?)[-/](\d\d?)(?!\d)/.exec(date);
  const us = /^(\d\d?)\/(\d\d?)\/(\d{4})(?!\d)/.exec(date);
  const [year, month, day] = iso === null ? [us?.[3], us?.[1], us?.[2]] : iso.slice(1);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}
