/**
 * Level and range of a request: which days, and at hour level which hours, the rows may lie in. Both ends count. Reads
 * what is written and fills in the entry's defaults; knows nothing of what is stored.
 */
import type { DefaultDay, Level, ReportEntry } from '@storelens/contract';
import { utcDay } from '../system.js';
import { addDays, type Day, dateForms, firstDay, lastDay, parseDate, type WrittenDate } from './dates.js';
import { printable } from './parse.js';
import type { Problems } from './problems.js';

/** A range as asked, not yet clamped. */
export interface Range {
  readonly start: Day;
  readonly end: Day;
  /** At hour level: first hour of the first day and last hour of the last one. */
  readonly hours: { readonly first: number; readonly last: number } | undefined;
}

/** Reads the level; undefined for reports without levels. */
export function readLevel(
  entry: ReportEntry,
  text: string | undefined,
  problems: Problems,
): Level | undefined {
  if (text === undefined) return entry.levels[0];
  const level = entry.levels.find((name) => name === text.trim().toLowerCase());
  return (
    level ??
    problems.add(`aggregationLevel parameter '${printable(text)}' is not one of ${entry.levels.join(', ')}`)
  );
}

/** Reads the range; that of a report without dates is everything that can be stored. */
export function readRange(
  entry: ReportEntry,
  level: Level | undefined,
  startText: string | undefined,
  endText: string | undefined,
  now: number,
  problems: Problems,
): Range {
  const { dates } = entry;
  if (dates === undefined) return { start: firstDay, end: lastDay, hours: undefined };
  const read = (name: string, text: string | undefined, rule: DefaultDay): WrittenDate | undefined =>
    text === undefined
      ? { day: defaultDay(rule, now), hour: 0, timed: false }
      : (parseDate(text) ??
        problems.add(`${name} parameter '${printable(text)}' is not a date; write ${dateForms}`));
  const start = read('startDate', startText, dates.start);
  const end = read('endDate', endText, dates.end);
  if (start === undefined || end === undefined) return { start: '', end: '', hours: undefined };
  const hours = level === 'hour' ? { first: start.hour, last: end.timed ? end.hour : lastHour } : undefined;
  const from = hours === undefined ? start.day : hourText(start.day, hours.first);
  const to = hours === undefined ? end.day : hourText(end.day, hours.last);
  if (from > to) {
    problems.add(
      `startDate parameter ${from}${startText === undefined ? ' (the default)' : ''} is after endDate ` +
        `${to}${endText === undefined ? ' (the default)' : ''}; give a startDate that is not later`,
    );
  }
  return { start: start.day, end: end.day, hours };
}

/** Last hour of a day. */
const lastHour = 23;

/** The start of an hour as `yyyy-MM-dd HH:mm:ss`; such texts compare as the hours do. */
export function hourText(day: Day, hour: number): string {
  return `${day} ${String(hour).padStart(2, '0')}:00:00`;
}

function defaultDay(rule: DefaultDay, now: number): Day {
  return 'day' in rule ? rule.day : addDays(utcDay(now), -rule.daysAgo);
}
