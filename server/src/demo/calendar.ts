/**
 * The demo's calendar: days as numbers, the weekly and yearly rhythm of an app, its releases (every third one is
 * bad until a fix follows), and the weeks in which campaigns run. All of it follows from the absolute day, so
 * that any two folders agree on the days they share.
 */
import type { DemoApp } from './publisher.js';

/** Milliseconds of an hour. */
export const hourMs = 3_600_000;

/** Milliseconds of a day. */
export const dayMs = 24 * hourMs;

/** 7 January 2020, a Tuesday: releases and campaign cycles count from here. */
const anchor = 18_268;

/** Days after a bad release until its fix. */
const daysToFix = 9;

/** The UTC day of a time, counted from 1970. */
export function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / dayMs);
}

let lastDay = Number.NaN;
let lastText = '';

/** A day as `yyyy-MM-dd`. The last answer is kept, because rows of a day follow each other. */
export function dayText(day: number): string {
  if (day !== lastDay) {
    lastDay = day;
    lastText = new Date(day * dayMs).toISOString().slice(0, 10);
  }
  return lastText;
}

/** A rest that is never negative. */
function rest(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** Weekday of a day, Monday 0. */
export function weekday(day: number): number {
  return rest(day + 3, 7);
}

/** Week of the 13-week campaign cycle, 0 to 12. */
export function cycleWeek(day: number): number {
  return Math.floor(rest(day - anchor, 91) / 7);
}

/** Half of the 26-week season cycle that sells one of two season passes, and the days since it began. */
export function season(day: number): { readonly half: 0 | 1; readonly age: number } {
  const within = rest(day - anchor, 364);
  return { half: within < 182 ? 0 : 1, age: within % 182 };
}

/** A slow wave between -1 and 1 with straight flanks, about three years long: mixes and sizes drift with it. */
export function drift(day: number): number {
  const phase = rest(day - anchor, 1100) / 1100;
  return phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
}

/** Factor on an app's visits: weekday, time of the year (between the middles of months) and slow growth. */
export function rhythm(app: DemoApp, day: number): number {
  const date = new Date(day * dayMs);
  const place = date.getUTCMonth() + (date.getUTCDate() - 0.5) / 31 - 0.5;
  const month = Math.floor(place);
  const share = place - month;
  const from = app.year[rest(month, 12)] ?? 1;
  const to = app.year[rest(month + 1, 12)] ?? 1;
  const yearly = from + (to - from) * share;
  return (app.week[weekday(day)] ?? 1) * yearly * (1 + 0.18 * drift(day));
}

/** The release that is newest on a day. */
export interface Release {
  /** Number of the release since the anchor. */
  readonly number: number;
  /** Package version, four parts. */
  readonly version: string;
  /** The version before it. */
  readonly before: string;
  /** Days since the release (its fix does not count as one). */
  readonly age: number;
  /** A large release, with an echo in the press. */
  readonly large: boolean;
  /** It came out broken. */
  readonly bad: boolean;
  /** Broken and not yet fixed. */
  readonly broken: boolean;
}

function versionOf(number: number, fix: 0 | 1): string {
  const [major, minor] = [Math.floor(number / 12) + 1, rest(number, 12)];
  return `${major}.${minor}.${fix}.0`;
}

const isBad = (number: number) => rest(number, 3) === 1;

/** The newest release of an app on a day. */
export function release(app: Pick<DemoApp, 'release'>, day: number): Release {
  const [weeks, offset] = app.release;
  const since = day - anchor - offset;
  const number = Math.floor(since / (weeks * 7));
  const age = rest(since, weeks * 7);
  const bad = isBad(number);
  const fixed = bad && age >= daysToFix;
  return {
    number,
    version: versionOf(number, fixed ? 1 : 0),
    before: fixed ? versionOf(number, 0) : versionOf(number - 1, isBad(number - 1) ? 1 : 0),
    age,
    large: rest(number, 4) === 0,
    bad,
    broken: bad && !fixed,
  };
}

/**
 * How content customers are, 0 (after days of a broken release) to 1. It falls within days of a bad release and
 * takes some two weeks to come back after the fix.
 */
export function mood(app: Pick<DemoApp, 'release'>, day: number): number {
  const { bad, broken, age } = release(app, day);
  if (!bad) return 1;
  if (broken) return Math.max(0.05, 1 - 0.3 * (age + 1));
  return Math.min(1, 0.25 + 0.06 * (age - daysToFix));
}

/** Factor on visits that follow a release: a jump that fades within some ten days. */
export function releaseEcho(app: DemoApp, day: number): number {
  const { age, large } = release(app, day);
  if (age > 10) return 1;
  const fade = (11 - age) / 11;
  return 1 + (large ? 1.9 : 0.55) * fade * fade;
}

/** Whether the store shows the app on its front page: four days in two weeks of each cycle. */
export function featured(app: DemoApp, day: number): boolean {
  const week = cycleWeek(day + app.release[1] * 3);
  return (week === 2 || week === 8) && weekday(day) >= 3;
}
