/**
 * How far back reports answer. The service that Storelens stands in for forgets errors after thirty days and hours
 * after seventy-two; settings impose such limits here, where nothing is forgotten by itself.
 */
import type { Level, ReportEntry } from '@storelens/contract';
import { utcDay } from '../system.js';
import { addDays, type Day } from './dates.js';
import { hourText, type Range } from './range.js';

/** The limits by setting; 0: none. */
export interface Limits {
  readonly 'limit-failure-days': number;
  readonly 'limit-hours': number;
}

/** The first hour that is answered. */
export interface Reach {
  readonly day: Day;
  readonly hour: number;
  /** A sentence for those who ask for more. */
  readonly notice: string;
}

/** The reach of an entry at a level; undefined where nothing limits it. `now` in milliseconds. */
export function reachOf(
  entry: ReportEntry,
  level: Level | undefined,
  limits: Limits,
  now: number,
): Reach | undefined {
  if (entry.limited !== true) return undefined;
  const days = limits['limit-failure-days'];
  const hours = level === 'hour' ? limits['limit-hours'] : 0;
  const byDays = days === 0 ? undefined : { day: addDays(utcDay(now), -days), hour: 0 };
  const first = new Date(now - hours * 3_600_000);
  const byHours = hours === 0 ? undefined : { day: utcDay(first.getTime()), hour: first.getUTCHours() };
  const reach = [byDays, byHours]
    .filter((found) => found !== undefined)
    .sort((left, right) => (textOf(left) < textOf(right) ? 1 : -1))[0];
  if (reach === undefined) return undefined;
  const from = reach === byHours ? textOf(reach) : reach.day;
  const limit = reach === byHours ? `limit-hours is ${hours}` : `limit-failure-days is ${days}`;
  return { ...reach, notice: `failures before ${from} are not answered (${limit})` };
}

/** The part of a range that a reach lets through; undefined if nothing is left of it. */
export function within(range: Range, reach: Reach | undefined): Range | undefined {
  if (reach === undefined) return range;
  const { start, end, hours } = range;
  if (hours === undefined) {
    if (end < reach.day) return undefined;
    return start < reach.day ? { ...range, start: reach.day } : range;
  }
  if (hourText(end, hours.last) < textOf(reach)) return undefined;
  if (hourText(start, hours.first) >= textOf(reach)) return range;
  return { start: reach.day, end, hours: { first: reach.hour, last: hours.last } };
}

/** Whether a reach takes something from what a request with dates asks for. */
export function isCut(question: Range & { readonly entry: ReportEntry }, reach: Reach): boolean {
  return question.entry.dates !== undefined && within(question, reach) !== question;
}

function textOf({ day, hour }: { readonly day: Day; readonly hour: number }): string {
  return hourText(day, hour);
}
