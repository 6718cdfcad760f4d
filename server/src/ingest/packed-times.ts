/** Times and days as rows give them, read from their bytes: what `timePattern` and `dayPattern` of `rules.ts` say. */
import type { TextValue } from './packed-rows.js';

const [dash, plus, colon, point, zero, letterT, letterZ] = [0x2d, 0x2b, 0x3a, 0x2e, 0x30, 0x54, 0x5a];

/** The number that two digits are; NaN if they are none. */
function two(bytes: Buffer, at: number): number {
  const high = (bytes[at] as number) - zero;
  const low = (bytes[at + 1] as number) - zero;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN;
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds at which the day begins that a text begins with, `YYYY-MM-DD`; NaN if there is none, or long before 1970. */
export function startOfDay({ bytes, from }: TextValue): number {
  if (bytes[from + 4] !== dash || bytes[from + 7] !== dash) return Number.NaN;
  const year = two(bytes, from) * 100 + two(bytes, from + 2);
  const month = two(bytes, from + 5);
  const date = two(bytes, from + 8);
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const most = (monthDays[month - 1] ?? 0) + (leap ? 1 : 0);
  return year >= 1900 && date >= 1 && date <= most ? Date.UTC(year, month - 1, date) : Number.NaN;
}

/** Milliseconds since 1970 of a time with its zone; NaN if the text is none. */
export function momentOf(text: TextValue): number {
  const { bytes, from, to } = text;
  const hour = two(bytes, from + 11);
  const minute = two(bytes, from + 14);
  if (text.length < 17 || bytes[from + 10] !== letterT || bytes[from + 13] !== colon) return Number.NaN;
  if (!(hour < 24 && minute < 60)) return Number.NaN;
  let moment = startOfDay(text) + (hour * 60 + minute) * 60_000;
  let at = from + 16;
  if (bytes[at] === colon) {
    const second = two(bytes, at + 1);
    if (!(second < 60)) return Number.NaN;
    moment += second * 1000;
    at += 3;
    if (bytes[at] === point) {
      const end = endOfDigits(bytes, at + 1);
      if (end === at + 1 || end > at + 10) return Number.NaN;
      for (let [digit, worth] = [at + 1, 100]; digit < Math.min(end, at + 4); digit += 1, worth /= 10) {
        moment += ((bytes[digit] as number) - zero) * worth;
      }
      at = end;
    }
  }
  if (bytes[at] === letterZ) return at + 1 === to ? moment : Number.NaN;
  const [sign, hours, minutes] = [bytes[at], two(bytes, at + 1), two(bytes, to - 2)];
  const length = bytes[at + 3] === colon ? 6 : 5;
  if ((sign !== plus && sign !== dash) || at + length !== to || !(hours < 15 && minutes < 60))
    return Number.NaN;
  const away = (hours * 60 + minutes) * 60_000;
  return sign === dash ? moment + away : moment - away;
}

function endOfDigits(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] as number) >= zero && (bytes[at] as number) <= zero + 9) at += 1;
  return at;
}

/** A time as it is stored in a text: in UTC, with seven digits of its second's fraction. */
export function instantText(given: TextValue, moment: number): string {
  const fraction = /\.(\d+)/.exec(given.toString())?.[1] ?? '';
  return `${new Date(moment).toISOString().slice(0, 19)}.${fraction.slice(0, 7).padEnd(7, '0')}Z`;
}
