/**
 * Values of a column as they are stored, written for the engine's format `Native`: what `stored-values.ts` and
 * `row-check.ts` say in SQL, once more in JavaScript, for rows of small bodies. It refuses nothing: what it does not
 * surely know to be good it leaves to them. Rows are JSON that the scanner passed; a property test holds both
 * against each other.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { utcDay } from '../system.js';
import type { PackedBytes } from './packed-bytes.js';
import type { JsonColumns, JsonValue } from './packed-rows.js';
import { dayPattern, defaultMaxBytes, type Facts, firstDay, guidPattern, timePattern } from './rules.js';
import { rangeOf } from './stored-values.js';

/** What values are held against, and where new ids come from. */
export interface PackFacts extends Facts {
  readonly newGuid: () => string;
}

/** The values of a column, by row. */
type Values = readonly JsonValue[];

/**
 * Writes a value for each row, out of those of its column; others look at those of all columns too. False if one of them
 * is left to the engine.
 */
export type ColumnPacker = (
  values: Values,
  bytes: PackedBytes,
  facts: PackFacts,
  columns: JsonColumns,
) => boolean;

/** How a column is packed, and its type as packed. */
export interface PackedColumn {
  readonly type: string;
  readonly pack: ColumnPacker;
}

/** Text of a value whose JSON type is text; empty for what is missing. */
const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : '');

const time = new RegExp(timePattern);
const day = new RegExp(dayPattern);
const guid = new RegExp(guidPattern);

const dayMilliseconds = 86_400_000;

/** The number that two digits of a text are. */
function two(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds at which a day of the form `YYYY-MM-DD` begins; undefined if there is none, or long before 1970. */
function startOf(text: string): number | undefined {
  const [year, month, date] = [two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8)];
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const most = (monthDays[month - 1] ?? 0) + (leap ? 1 : 0);
  return year >= 1900 && date >= 1 && date <= most ? Date.UTC(year, month - 1, date) : undefined;
}

/** A time in UTC: milliseconds since 1970, and seven digits of its second's fraction. */
interface Moment {
  readonly milliseconds: number;
  readonly fraction: string;
}

/** The time in a text. */
function momentOf(text: string): Moment | undefined {
  if (!time.test(text)) return undefined;
  const start = startOf(text);
  if (start === undefined) return undefined;
  let seconds = two(text, 11) * 3600 + two(text, 14) * 60;
  let at = 16;
  let fraction = '0000000';
  if (text[at] === ':') {
    seconds += two(text, 17);
    at = 19;
    if (text[at] === '.') {
      const from = at + 1;
      do at += 1;
      while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39);
      fraction = text.slice(from, Math.min(at, from + 7)).padEnd(7, '0');
    }
  }
  if (text[at] !== 'Z') {
    const away = (two(text, at + 1) * 60 + two(text, text.length - 2)) * 60;
    seconds += text[at] === '-' ? away : -away;
  }
  return { milliseconds: start + seconds * 1000 + Number(fraction.slice(0, 3)), fraction };
}

function isTooLong(text: string, mostBytes: number): boolean {
  return text.length * 3 > mostBytes && Buffer.byteLength(text) > mostBytes;
}

/** Packs texts that come again and again: each is looked up once. */
function lookedUp(
  storedOf: (given: string, facts: Facts) => string | undefined,
  mostBytes: number,
): PackedColumn {
  const pack: ColumnPacker = (values, bytes, facts) => {
    const known = new Map<string, string>();
    for (const value of values) {
      const given = textOf(value);
      let stored = known.get(given);
      if (stored === undefined) {
        stored = storedOf(given, facts);
        if (stored === undefined || isTooLong(given, mostBytes)) return false;
        known.set(given, stored);
      }
      bytes.text(stored);
    }
    return true;
  };
  return { type: 'String', pack };
}

/** Packs texts as they are; the empty one as another. */
function asTheyAre(missing: string, required: boolean, mostBytes: number): PackedColumn {
  return each('String', (value, bytes) => {
    const given = textOf(value);
    if ((required && given === '') || isTooLong(given, mostBytes)) return false;
    bytes.text(given === '' ? missing : given);
    return true;
  });
}

/** Listed spellings by lower case, and what is stored for a missing text. */
function spellings(values: readonly string[], missing: string): (given: string) => string {
  const known = new Map(values.map((value) => [asciiLower(value), value]));
  const otherwise = known.get(asciiLower(missing)) ?? missing;
  return (given) => (given === '' ? otherwise : (known.get(asciiLower(given)) ?? given));
}

/** Packs numbers and booleans. `write` is false for a value that is left to the engine. */
function each(
  type: string,
  write: (value: JsonValue, bytes: PackedBytes, facts: PackFacts) => boolean,
): PackedColumn {
  return {
    type,
    pack: (values, bytes, facts) => values.every((value) => write(value, bytes, facts)),
  };
}

/** Up to this an amount in millionths is exact as a double, and so is what a JSON number says. */
const exactAmount = 1e9;

/** How a column is packed; undefined for a kind of column that is left to the engine. */
export function packedColumn(entry: DatasetEntry, column: Column): PackedColumn | undefined {
  const { required } = column;
  switch (column.type) {
    case 'timestamp': {
      if (!required) return undefined;
      return each("DateTime64(3, 'UTC')", (value, bytes, { latest }) => {
        const moment = momentOf(textOf(value));
        if (moment === undefined || moment.milliseconds < 0 || moment.milliseconds > latest) return false;
        bytes.int64(moment.milliseconds);
        return true;
      });
    }
    case 'instant':
      return lookedUp(instant, Number.POSITIVE_INFINITY);
    case 'day': {
      if (!required) return undefined;
      return each('Date', (value, bytes, { latest }) => {
        const text = textOf(value);
        const start = day.test(text) ? startOf(text) : undefined;
        if (start === undefined || text < firstDay || text > utcDay(latest)) return false;
        bytes.uint16(start / dayMilliseconds);
        return true;
      });
    }
    case 'guid': {
      const derived = typeof column.missing === 'object';
      return each('String', (value, bytes, { newGuid }) => {
        const given = textOf(value);
        if (given === '' ? required : !guid.test(given)) return false;
        bytes.text(given === '' && derived ? newGuid() : asciiLower(given));
        return true;
      });
    }
    case 'product': {
      const { kind = 'app', depends } = column;
      if (depends !== undefined) return undefined;
      const spelt = (given: string, { products }: Facts) => {
        if (given === '') return required ? undefined : '';
        return products.get(kind)?.get(asciiLower(given));
      };
      return lookedUp(spelt, Number.POSITIVE_INFINITY);
    }
    case 'integer': {
      const [least, greatest] = rangeOf(column);
      const missing = Number(column.missing ?? 0);
      return each('Int64', (value, bytes) => {
        if (typeof value === 'number' ? value < least || value > greatest : required) return false;
        bytes.int64(typeof value === 'number' ? value : missing);
        return true;
      });
    }
    case 'amount': {
      const missing = Number(column.missing ?? 0);
      return each('Decimal(18, 6)', (value, bytes) => {
        const amount = typeof value === 'number' ? value : missing;
        if (Math.abs(amount) >= exactAmount || (required && typeof value !== 'number')) return false;
        bytes.int64(Math.round(amount * 1e6));
        return true;
      });
    }
    case 'boolean': {
      const missing = column.missing === true;
      return each('Bool', (value, bytes) => {
        if (required && typeof value !== 'boolean') return false;
        bytes.byte((typeof value === 'boolean' ? value : missing) ? 1 : 0);
        return true;
      });
    }
    case 'text':
      return packedText(entry, column);
    case 'code':
    case 'object':
    case 'list':
      return undefined;
  }
}

/** The text that is stored for an instant; undefined if it is none that surely is good. */
function instant(given: string, { latest }: Facts): string | undefined {
  if (given === '') return '';
  const moment = momentOf(given);
  if (moment === undefined || moment.milliseconds < 0 || moment.milliseconds > latest) return undefined;
  return `${new Date(moment.milliseconds).toISOString().slice(0, 19)}.${moment.fraction}Z`;
}

function packedText(entry: DatasetEntry, column: Column): PackedColumn {
  const { required, only, valuesWhenPresent: other, maxBytes = defaultMaxBytes } = column;
  if (typeof column.missing === 'object') return channel(entry, column, maxBytes);
  const [values, missing] = [only ?? column.values, String(column.missing ?? '')];
  if (values === undefined && other === undefined) {
    return asTheyAre(missing, required === true, maxBytes);
  }
  const spell = spellings(values ?? [], missing);
  const accepted = only === undefined ? undefined : new Set(only.map(asciiLower));
  const refused = (given: string) => {
    if (given === '') return required === true;
    return accepted !== undefined && !accepted.has(asciiLower(given));
  };
  const plain = lookedUp((given) => (refused(given) ? undefined : spell(given)), maxBytes);
  if (other === undefined) return plain;
  // Where the other column is filled its spellings count: the two kinds of rows differ, so each row is looked at.
  const spellOther = spellings(other.values, missing);
  const presentOf = valuesOf(entry, other.column);
  const pack: ColumnPacker = (values, bytes, facts, columns) => {
    const present = presentOf(columns);
    if (present.every((value) => textOf(value) === '')) return plain.pack(values, bytes, facts, columns);
    return values.every((value, row) => {
      const given = textOf(value);
      if (refused(given) || isTooLong(given, maxBytes)) return false;
      bytes.text(textOf(present[row]) !== '' ? spellOther(given) : spell(given));
      return true;
    });
  };
  return { type: 'String', pack };
}

/** What gives the values of a column out of those of all. */
function valuesOf(entry: DatasetEntry, name: string): (columns: JsonColumns) => Values {
  const place = entry.columns.findIndex((column) => column.name === name);
  if (place < 0) throw new TypeError(`dataset ${entry.name} has no column ${name}`);
  return (columns) => columns[place] ?? [];
}

/** The channel; when it is not given, the campaign counts before the referrer. */
function channel(entry: DatasetEntry, { values: listed = [] }: Column, mostBytes: number): PackedColumn {
  const spell = spellings(listed, 'Other');
  const campaignsOf = valuesOf(entry, 'customCampaignId');
  const referrersOf = valuesOf(entry, 'referrerUriDomain');
  const pack: ColumnPacker = (values, bytes, _, columns) => {
    const [campaigns, referrers] = [campaignsOf(columns), referrersOf(columns)];
    return values.every((value, row) => {
      const given = textOf(value);
      if (isTooLong(given, mostBytes)) return false;
      if (given !== '') bytes.text(spell(given));
      else if (textOf(campaigns[row]) !== '') bytes.text('CustomCampaignId');
      else if (textOf(referrers[row]) === 'Universal Client Store') bytes.text('Store Traffic');
      else bytes.text('Other');
      return true;
    });
  };
  return { type: 'String', pack };
}
