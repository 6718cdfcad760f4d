/**
 * Dates as requests write them. Reads every form that the vendor's pages, samples and next links use and answers a
 * calendar day, with the hour where one is given. Month first where a form is ambiguous; nothing is day first.
 */

/** A UTC day as `yyyy-MM-dd`, year 0001 to 9999; days compare as text. */
export type Day = string;

/** A date as written: its day, and the hour of the day (0 where none is written). */
export interface WrittenDate {
  readonly day: Day;
  readonly hour: number;
  /** Whether a time of day is written. */
  readonly timed: boolean;
}

/** First day that the engine can store. */
export const firstDay: Day = '1970-01-01';

/** Last day that the engine can store. */
export const lastDay: Day = '2149-06-06';

/** Forms that are accepted, for error messages. */
export const dateForms = 'M/D/YYYY, MM-DD-YYYY, YYYY-MM-DD or YYYY/MM/DD, with or without a time';

// .NET and ICU put a no-break or narrow no-break space before AM and PM.
const blank = '[ \\u00a0\\u202f]';
const datePart =
  '(?:(?<y1>\\d{4})(?<s1>[-/])(?<m1>\\d{1,2})\\k<s1>(?<d1>\\d{1,2})|(?<m2>\\d{1,2})(?<s2>[-/])(?<d2>\\d{1,2})\\k<s2>(?<y2>\\d{4}))';
const timePart = `(?:(?:T|${blank}+)(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.\\d{1,9})?)?(?:${blank}*(?<half>[AP]M))?Z?)?`;
const pattern = new RegExp(`^${datePart}${timePart}$`, 'i');

/**
 * Reads a date, or returns undefined if the text is none. A day 29 to 31 past the end of its month means the
 * month's last day, as the vendor's own examples need (`4/31/2017`).
 */
export function parseDate(text: string): WrittenDate | undefined {
  const groups = pattern.exec(text.trim())?.groups;
  if (groups === undefined) return undefined;
  const year = Number(groups.y1 ?? groups.y2);
  const month = Number(groups.m1 ?? groups.m2);
  const day = Number(groups.d1 ?? groups.d2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const hour = hourOf(groups);
  if (hour === undefined) return undefined;
  return {
    day: dayText(year, month, Math.min(day, daysInMonth(year, month))),
    hour,
    timed: groups.hour !== undefined,
  };
}

function hourOf(groups: Record<string, string | undefined>): number | undefined {
  if (groups.hour === undefined) return 0;
  const hour = Number(groups.hour);
  if (Number(groups.minute) > 59 || Number(groups.second ?? 0) > 59) return undefined;
  const half = groups.half?.toUpperCase();
  if (half === undefined) return hour <= 23 ? hour : undefined;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half === 'PM' ? 12 : 0);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function dayText(year: number, month: number, day: number): Day {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** The day moved into the range that the engine can store. */
export function clampDay(day: Day): Day {
  if (day < firstDay) return firstDay;
  return day > lastDay ? lastDay : day;
}

/** The day `days` later; the day lies within the engine's range. */
export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** A day in the form that a report's next link uses. */
export function formatDay(day: Day, form: 'yyyy/MM/dd' | 'yyyy/M/d' | 'yyyy-MM-dd'): string {
  if (form === 'yyyy-MM-dd') return day;
  if (form === 'yyyy/MM/dd') return day.replaceAll('-', '/');
  return `${day.slice(0, 4)}/${Number(day.slice(5, 7))}/${Number(day.slice(8))}`;
}

/** Days from one day to a later one, both counted. */
export function daysBetween(first: Day, last: Day): number {
  return (Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000 + 1;
}
