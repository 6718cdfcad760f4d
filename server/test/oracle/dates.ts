/**
 * Days for the oracle: request dates in every accepted form, relative defaults, bucket starts and the three forms
 * of `@nextLink`. A day is its number since 1970-01-01; request days may lie outside what the engine can hold and
 * keep their own value for links. Written from the contract alone; shares nothing with the server.
 */
import type { DefaultDay, Level } from '@storelens/contract';

/** A calendar day as written in a request: month 1 to 12, a day that exists. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** First and last day that answers cover, as day numbers: 1970-01-01 and 2149-06-06. */
export const firstDay = 0;
export const lastDay = 65_535;

const zone = '(?:Z)?';
const clock24 = String.raw`\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?`;
const clock12 = String.raw`\d{1,2}:\d{2}(?::\d{2})?[ \u00a0\u202f]?[AP]M`;
const time = `(?:[ T](?:${clock12}|${clock24}${zone}))?`;
const yearFirst = new RegExp(String.raw`^(\d{4})([-/])(\d{1,2})\2(\d{1,2})${time}$`, 'i');
const yearLast = new RegExp(String.raw`^(\d{1,2})([-/])(\d{1,2})\2(\d{4})${time}$`, 'i');

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function clockIsPossible(text: string): boolean {
  const match = /(\d{1,2}):(\d{2})(?::(\d{2}))?.*?(AM|PM)?$/i.exec(text);
  if (match === null) return true;
  const hour = Number(match[1]);
  const half = match[4] !== undefined;
  if (half ? hour < 1 || hour > 12 : hour > 23) return false;
  return Number(match[2]) < 60 && Number(match[3] ?? '0') < 60;
}

/** Hour, minute and second of a request date; undefined if it is a bare day. */
export function readClock(text: string): readonly [hour: number, minute: number, second: number] | undefined {
  const match = /[ T](\d{1,2}):(\d{2})(?::(\d{2}))?.*?(AM|PM)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const half = match[4]?.toUpperCase();
  const hour = half === undefined ? Number(match[1]) : (Number(match[1]) % 12) + (half === 'PM' ? 12 : 0);
  return [hour, Number(match[2]), Number(match[3] ?? '0')];
}

/** Reads a request date; undefined when no accepted form fits. Days 29 to 31 past a month's end mean its last day. */
export function readDay(text: string): Day | undefined {
  const first = yearFirst.exec(text);
  const last = first === null ? yearLast.exec(text) : null;
  let parts: readonly (string | undefined)[];
  if (first !== null) parts = [first[1], first[3], first[4]];
  else if (last !== null) parts = [last[4], last[1], last[3]];
  else return undefined;
  const [year = 0, month = 0, day = 0] = parts.map(Number);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const blank = text.search(/[ T]/i);
  if (blank >= 0 && !clockIsPossible(text.slice(blank + 1))) return undefined;
  return { year, month, day: Math.min(day, daysInMonth(year, month)) };
}

/** Day number of a calendar day, any year from 1. */
export function numberOf(day: Day): number {
  const date = new Date(0);
  date.setUTCFullYear(day.year, day.month - 1, day.day);
  return Math.round(date.getTime() / 86_400_000);
}

/** Calendar day of a day number. */
export function dayOf(number: number): Day {
  const date = new Date(number * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** A day number clamped to what answers cover. */
export function clamp(number: number): number {
  return Math.min(Math.max(number, firstDay), lastDay);
}

/** A report's default day, counted from today. */
export function defaultDay(rule: DefaultDay, today: number): Day {
  if ('daysAgo' in rule) return dayOf(today - rule.daysAgo);
  const day = readDay(rule.day);
  if (day === undefined) throw new Error(`unreadable default day ${rule.day}`);
  return day;
}

const two = (value: number): string => String(value).padStart(2, '0');
const four = (value: number): string => String(value).padStart(4, '0');

/** A day in the form of a report's `@nextLink`. */
export function linkDay(day: Day, form: 'yyyy/MM/dd' | 'yyyy/M/d' | 'yyyy-MM-dd'): string {
  if (form === 'yyyy/M/d') return `${four(day.year)}/${day.month}/${day.day}`;
  const blank = form === 'yyyy-MM-dd' ? '-' : '/';
  return [four(day.year), two(day.month), two(day.day)].join(blank);
}

/** `yyyy-MM-dd` of a day number, as rows print it. */
export function rowDay(number: number): string {
  return linkDay(dayOf(number), 'yyyy-MM-dd');
}

/** `yyyy-MM-dd HH:mm:ss` of a second since 1970. */
export function timeText(second: number): string {
  const inDay = second - Math.floor(second / 86_400) * 86_400;
  const clock = [Math.floor(inDay / 3600), Math.floor(inDay / 60) % 60, inDay % 60].map(two).join(':');
  return `${rowDay(Math.floor(second / 86_400))} ${clock}`;
}

/** First day of the bucket that holds a day: Monday weeks, calendar months, cut at the start of the range. */
export function bucketStart(number: number, level: Level, start: number): number {
  let first = number;
  if (level === 'week') first = number - ((((number + 3) % 7) + 7) % 7);
  else if (level === 'month') first = numberOf({ ...dayOf(number), day: 1 });
  return Math.max(first, start);
}
