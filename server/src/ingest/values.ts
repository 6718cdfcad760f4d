/**
 * Says in words what is wrong with a value: the same rules as the scanner and the engine's statement, once more, for
 * people. What columns and rows ask besides stands in `row-rules.ts`.
 */
import type { Column } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { utcDay } from '../system.js';
import { integerDigits, type JsonType, jsonTypeOf } from './json-language.js';
import {
  amountPattern,
  dayPattern,
  defaultMaxBytes,
  type Facts,
  firstDay,
  guidPattern,
  integerPattern,
  timePattern,
} from './rules.js';

/** A value as it stands in the body: JSON by its type, or a CSV cell. `text` is decoded text or the literal. */
export interface Value {
  readonly kind: 'text' | 'number' | 'boolean' | 'null' | 'object' | 'list' | 'cell';
  readonly text: string;
  /** Of an object. Absent where objects and lists lie deeper in each other than any dataset asks for. */
  readonly members?: readonly Entry[];
  /** Of a list. */
  readonly items?: readonly Value[];
}

/** Key and value as written, in order; a key of JSON with its escapes. */
export type Entry = readonly [key: string, value: Value];

/** What a value of a JSON type is, in words. */
export const expected: Readonly<Record<JsonType, string>> = {
  text: 'text',
  integer: 'a whole number',
  amount: 'a number',
  boolean: 'true or false',
  code: 'text or a whole number',
  object: 'an object',
  list: 'a list of objects',
};

/** Kinds of JSON values that a JSON type takes. */
const kinds: Readonly<Record<JsonType, readonly Value['kind'][]>> = {
  text: ['text'],
  integer: ['number'],
  amount: ['number'],
  boolean: ['boolean'],
  code: ['text', 'number'],
  object: ['object'],
  list: ['list'],
};

const matches = (pattern: string, text: string) => new RegExp(pattern).test(text);

/** A value in a message: quoted, one line, not longer than a hundred characters. */
export function shown(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ');
  return `'${line.length > 100 ? `${line.slice(0, 100)}...` : line}'`;
}

function dayExists(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Milliseconds since 1970 of a text that matches the time pattern. */
function instantOf(text: string): number {
  const [, minutes = '', seconds = '00', fraction = '', zone = 'Z'] =
    /^(.{16})(?::(..))?(?:[.](\d+))?(Z|[+-].*)$/.exec(text) ?? [];
  const local = Date.parse(`${minutes}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  if (zone === 'Z') return local;
  const away = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000;
  return zone.startsWith('-') ? local + away : local - away;
}

function timeProblem(text: string, facts: Facts): string | undefined {
  if (!matches(timePattern, text) || !dayExists(text.slice(0, 10))) {
    return `${shown(text)} is not a time; expected ISO 8601 with a zone, such as 2024-02-29T13:45:00Z`;
  }
  const time = instantOf(text);
  if (time < 0) return `${shown(text)} is before ${firstDay}`;
  return time > facts.latest ? `${shown(text)} is more than a day in the future` : undefined;
}

function dayProblem(text: string, facts: Facts): string | undefined {
  if (!matches(dayPattern, text) || !dayExists(text)) {
    return `${shown(text)} is not a day; expected YYYY-MM-DD`;
  }
  if (text < firstDay) return `${shown(text)} is before ${firstDay}`;
  return text > utcDay(facts.latest) ? `${shown(text)} is more than a day in the future` : undefined;
}

function integerProblem(column: Column, text: string): string | undefined {
  const [least, greatest] = column.range ?? [0, Number.MAX_SAFE_INTEGER];
  if (!matches(/^-?\d+$/.source, text)) return `expected a whole number, got ${shown(text)}`;
  const fits = matches(integerPattern, text) && text.length <= integerDigits + 1;
  return fits && Number(text) >= least && Number(text) <= greatest
    ? undefined
    : `expected ${least} to ${greatest}, got ${shown(text)}`;
}

function amountProblem(text: string): string | undefined {
  return matches(amountPattern, text)
    ? undefined
    : `expected a number with at most 12 digits before and 6 after the point, got ${shown(text)}`;
}

function textProblem(column: Column, text: string, facts: Facts): string | undefined {
  if (text.includes('\0')) return 'holds the character NUL';
  if (/[\ud800-\udfff]/u.test(text)) return 'holds half a surrogate pair';
  switch (column.type) {
    case 'timestamp':
    case 'instant':
      return timeProblem(text, facts);
    case 'day':
      return dayProblem(text, facts);
    case 'guid':
      return matches(guidPattern, text) ? undefined : `${shown(text)} is not a GUID`;
    case 'product': {
      const kind = column.kind ?? 'app';
      if (facts.products.get(kind)?.has(asciiLower(text))) return undefined;
      return `${shown(text)} is not ${kind === 'app' || kind === 'addon' ? 'an' : 'a'} ${kind} of the account`;
    }
    default: {
      const most = column.maxBytes ?? defaultMaxBytes;
      if (Buffer.byteLength(text) > most) return `longer than ${most} bytes`;
      const { only } = column;
      if (only === undefined || only.some((one) => asciiLower(one) === asciiLower(text))) return undefined;
      return `${shown(text)} is none of ${only.join(', ')}`;
    }
  }
}

function codeNumberProblem(text: string): string | undefined {
  if (!matches(/^-?\d+$/.source, text)) return `expected text or a whole number, got ${shown(text)}`;
  const fits = matches(integerPattern, text) && Number.isSafeInteger(Number(text));
  return fits ? undefined : `expected text, or a whole number that is exact as one, got ${shown(text)}`;
}

/** What is wrong with one value that is not missing, nested ones apart; undefined if nothing is. */
export function valueProblem(column: Column, value: Value, facts: Facts): string | undefined {
  const type = jsonTypeOf(column);
  if (value.kind !== 'cell' && !kinds[type].includes(value.kind)) {
    return `expected ${expected[type]}, got ${value.kind}`;
  }
  switch (type) {
    case 'text':
      return textProblem(column, value.text, facts);
    case 'code':
      if (value.kind === 'number') return codeNumberProblem(value.text);
      return textProblem(column, value.text, facts);
    case 'integer':
      return integerProblem(column, value.text);
    case 'amount':
      return amountProblem(value.text);
    case 'boolean':
      if (value.kind === 'boolean' || ['true', 'false'].includes(asciiLower(value.text))) return undefined;
      return `expected true or false, got ${shown(value.text)}`;
    case 'object':
    case 'list':
      return undefined;
  }
}
