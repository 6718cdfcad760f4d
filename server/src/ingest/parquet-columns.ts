/**
 * How the engine reads a Parquet file for a dataset: the columns of the file in their own types, and SQL that makes of
 * them what a JSON body would have given. Conversions never raise errors; `wrong` is true where one loses something.
 * Times and days keep their numbers, which costs a fraction of reading text.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { EngineSettings } from '../engine/index.js';
import { utcDay } from '../system.js';
import { jsonTypeOf } from './json-language.js';
import type { ParquetColumn, ParquetType } from './parquet-footer.js';
import type { Proven } from './parquet-proven.js';
import { amountPattern, defaultMaxBytes, type Facts } from './rules.js';
import type { Days } from './spool.js';
import { type Bound, bind, isNullable, readName } from './stored-values.js';
import { expected, shown } from './values.js';

/** SQL over a column of the file, `r.<name>`. */
export interface ParquetValue {
  readonly column: Column;
  /** Type as the engine reads it; undefined if the file has no such column. */
  readonly type: string | undefined;
  /** What takes the place of the JSON value. */
  readonly value: string;
  /** True where the value says something else than the file; undefined if it cannot. Of texts `wrongText` tells it. */
  readonly wrong: string | undefined;
  /** The value as text for explanations, and whether it is a number of days or ticks of a second. */
  readonly text: string;
  readonly counts: number | 'days' | undefined;
  /** First and last day of the rows, counted from 1970, which the check holds them to. */
  readonly days?: readonly [first: number, last: number];
}

/** A file as a dataset reads it. */
export interface ParquetReading {
  readonly values: readonly ParquetValue[];
  /** Columns that the file neither has nor needs. */
  readonly absent: readonly string[];
  /** Columns that need no look at their rows. */
  readonly proven: ReadonlyMap<string, Proven>;
  readonly settings: EngineSettings;
}

const fileTypes: Readonly<Record<string, readonly ParquetType['kind'][]>> = {
  text: ['text'],
  integer: ['integer'],
  amount: ['decimal', 'double', 'integer'],
  boolean: ['boolean'],
  timestamp: ['text', 'time'],
  instant: ['text', 'time'],
  day: ['text', 'day'],
};

/** What a column may be in a file, in words. */
function wanted(column: Column): string {
  switch (column.type) {
    case 'timestamp':
    case 'instant':
      return 'text or a TIMESTAMP adjusted to UTC';
    case 'day':
      return 'text or a DATE';
    case 'integer':
      return 'an integer';
    case 'amount':
      return 'a DECIMAL, a DOUBLE or an integer';
    case 'boolean':
      return 'a BOOLEAN';
    default:
      return expected[jsonTypeOf(column)];
  }
}

const got: Readonly<Record<ParquetType['kind'], string>> = {
  text: 'text',
  integer: 'an integer',
  decimal: 'a DECIMAL',
  double: 'a floating point number',
  boolean: 'a BOOLEAN',
  day: 'a DATE',
  time: 'a TIMESTAMP',
  nested: 'a nested column',
  other: '',
};

/** What is wrong with the columns of a file: every one has to be one of the dataset's, once, in a type it takes. */
export function columnProblems(entry: DatasetEntry, columns: readonly ParquetColumn[]): string[] {
  const known = new Map(entry.columns.map((column) => [asciiLower(column.name), column]));
  const names = columns.map(({ name }) => name);
  return columns.flatMap(({ name, type }, index) => {
    const column = known.get(asciiLower(name));
    if (column === undefined) return [`schema: ${shown(name)}: unknown key`];
    if (column.name !== name) return [`schema: ${shown(name)}: unknown key; did you mean ${column.name}`];
    if (names.indexOf(name) < index) return [`schema: ${name}: given twice`];
    const kinds = fileTypes[column.type] ?? fileTypes[jsonTypeOf(column)];
    if (kinds === undefined) return [`schema: ${name}: only JSON can give it`];
    if (kinds.includes(type.kind)) return [];
    const found = type.kind === 'other' ? type.shown : got[type.kind];
    return [`schema: ${name}: expected ${wanted(column)}, got ${found}`];
  });
}

/** Value of a column that the file has not: what a missing key is in JSON. */
function missing(column: Column): string {
  const type = jsonTypeOf(column);
  const engine = { integer: 'Int64', amount: 'Decimal(18, 6)', boolean: 'Bool' }[type as string];
  if (engine === undefined) return `''`;
  return isNullable(column) ? `CAST(NULL, 'Nullable(${engine})')` : `CAST(0, '${engine}')`;
}

/** Ticks of a second by name. */
const perSecond = { Milli: 1000, Micro: 1_000_000, Nano: 1_000_000_000 } as const;

/** SQL of an amount and of what it loses. Up to 10^9, doubles are judged by arithmetic, which text costs ten times. */
function amount(name: string, type: ParquetType): Pick<ParquetValue, 'value' | 'wrong'> {
  const asText = `ifNull(toDecimal64OrNull(toString(${name}), 6), 0)`;
  const noAmount = `NOT match(toString(${name}), '${amountPattern}')`;
  if (type.kind === 'decimal') {
    const [precision = 0, scale = 0] = (type.engine.match(/\d+/g) ?? []).map(Number);
    if (scale <= 6 && precision - scale <= 12) {
      const wrong = `${name} >= 1000000000000 OR ${name} <= -1000000000000`;
      return { value: `CAST(${name}, 'Decimal(18, 6)')`, wrong };
    }
  }
  if (type.kind === 'double') {
    const double = `toFloat64(${name})`;
    // Of a FLOAT the shortest text counts: its double has more places.
    if (type.engine === 'Float64') {
      const small = `abs(${double}) < 1e9`;
      const scaled = `round(least(greatest(${double}, -1e9), 1e9) * 1e6)`;
      const value = `toDecimal64(toInt64(${scaled}), 0) * toDecimal64('0.000001', 6)`;
      return {
        value: `if(${small}, CAST(${value}, 'Decimal(18, 6)'), ${asText})`,
        wrong: `if(${small}, ${scaled} / 1e6 != ${double}, ${noAmount})`,
      };
    }
  }
  return { value: asText, wrong: noAmount };
}

/** True where a text is none: bytes that are no UTF-8, or NUL. */
function wrongText(text: string, again = text): string {
  return `NOT isValidUTF8(${text}) OR position(${again}, '\\0') > 0`;
}

/** Days that the footer claims for a column of days or ticks. */
function claimedDays(range: ParquetColumn['range'], perDay: number): Pick<ParquetValue, 'days'> {
  if (range === undefined || range[0] < 0n) return {};
  return { days: [Number(range[0] / BigInt(perDay)), Number(range[1] / BigInt(perDay))] };
}

/** What is known of a column before its rows are read. */
interface Known {
  readonly proven: boolean;
  readonly range: ParquetColumn['range'];
}

function readValue(column: Column, type: ParquetType | undefined, { proven, range }: Known): ParquetValue {
  const { name } = column;
  const read = `r.${name}`;
  if (type === undefined) {
    return { column, type, value: missing(column), wrong: undefined, text: 'NULL', counts: undefined };
  }
  const plain = { column, counts: undefined, text: `toString(${read})` };
  switch (type.kind) {
    case 'text': {
      const most = (column.maxBytes ?? defaultMaxBytes) + 1;
      return {
        ...plain,
        // Which is what the tables have, and functions look at each text of it once.
        type: proven ? 'LowCardinality(String)' : type.engine,
        value: read,
        wrong: proven ? undefined : wrongText(read),
        text: `substring(${read}, 1, ${most})`,
      };
    }
    case 'time': {
      const text = `toString(toUnixTimestamp64${type.unit}(${read}))`;
      const [nullable, counts] = [`Nullable(${type.engine})`, perSecond[type.unit]];
      const days = claimedDays(range, counts * 86_400);
      return { column, type: nullable, value: read, wrong: undefined, text, counts, ...days };
    }
    case 'day': {
      const days = `toInt32(${read})`;
      const text = `toString(${days})`;
      const claimed = claimedDays(range, 1);
      return {
        column,
        type: 'Nullable(Date32)',
        value: days,
        wrong: undefined,
        text,
        counts: 'days',
        ...claimed,
      };
    }
    case 'boolean':
    case 'integer':
    case 'decimal':
    case 'double': {
      if (!('engine' in type)) break;
      const engine = `Nullable(${type.engine})`;
      const given = (sql: string) => `if(isNull(${read}), ${missing(column)}, ${sql})`;
      if (column.type === 'boolean') return { ...plain, type: engine, value: given(read), wrong: undefined };
      if (column.type === 'integer') {
        // What is too large stays too large.
        const value = type.engine === 'UInt64' ? `least(${read}, toUInt64(9223372036854775807))` : read;
        const number = isNullable(column) ? `toInt64(${value})` : `ifNull(toInt64(${value}), 0)`;
        return { ...plain, type: engine, value: number, wrong: undefined };
      }
      const { value, wrong } = amount(`assumeNotNull(${read})`, type);
      return { ...plain, type: engine, value: given(value), wrong: `isNotNull(${read}) AND (${wrong})` };
    }
  }
  throw new TypeError(`${name}: a ${type.kind} column cannot be read`);
}

/**
 * How a file whose columns have no problems is read, in at most so many bytes of memory; `proven` are those whose texts
 * are all good.
 */
export function parquetReading(
  entry: DatasetEntry,
  columns: readonly ParquetColumn[],
  memoryBytes: number,
  proven: ReadonlyMap<string, Proven>,
): ParquetReading {
  const given = new Map(columns.map((column) => [column.name, column]));
  const values = entry.columns
    .filter(({ type }) => type !== 'object' && type !== 'list')
    .map((column) => {
      const own = given.get(column.name);
      const range = column.name === entry.time ? own?.range : undefined;
      return readValue(column, own?.type, { proven: proven.has(column.name), range });
    });
  const dispensable = values.filter(({ type, column }) => type === undefined && !column.required);
  return {
    values,
    absent: dispensable.map(({ column }) => column.name),
    proven,
    settings: {
      // A dictionary of long texts may stand for any number of them.
      max_memory_usage: memoryBytes,
      input_format_null_as_default: 1,
      input_format_parquet_allow_missing_columns: 0,
      // What a file says about the values of its parts must not decide which rows are looked at.
      input_format_parquet_filter_push_down: 0,
      input_format_parquet_bloom_filter_push_down: 0,
      input_format_parquet_page_filter_push_down: 0,
      input_format_parquet_use_offset_index: 0,
      optimize_move_to_prewhere: 0,
      // No file is read twice, but for explanations.
      use_parquet_metadata_cache: 0,
      // The line of a row is its place in the file.
      ...(entry.replaces === undefined ? {} : { input_format_parquet_preserve_order: 1, max_threads: 1 }),
    },
  };
}

function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / 86_400_000);
}

/** First and last day of the rows of a file that passes the check, if its footer tells them. */
export function parquetDays(entry: DatasetEntry, { values }: ParquetReading, facts: Facts): Days | undefined {
  const days = values.find(({ column }) => column.name === entry.time)?.days;
  if (days === undefined) return undefined;
  const text = (day: number) => utcDay(Math.min(day, dayOf(facts.latest)) * 86_400_000);
  return [text(days[0]), text(days[1])];
}

/** The columns of the file, as the engine is to read them. */
export function parquetStructure({ values }: ParquetReading): string {
  return values
    .flatMap(({ column, type }) => (type === undefined ? [] : [`${column.name} ${type}`]))
    .join(', ');
}

/**
 * The select list that makes of the file's columns what a JSON body would have given. All texts of a row are looked at
 * together, which takes half the time that one after the other does; a blank between them keeps broken ones broken.
 */
export function parquetSelection({ values }: ParquetReading): string {
  const texts = values.filter(({ type }) => type === 'String').map(({ column }) => `r.${column.name}`);
  const text = texts.length === 1 ? texts[0] : `concatWithSeparator(' ', ${texts.join(', ')})`;
  const wrong = [
    ...(texts.length === 0 ? [] : [wrongText(`(${text} AS allTexts)`, 'allTexts')]),
    ...values.flatMap(({ type, wrong }) => (wrong === undefined || type === 'String' ? [] : [`(${wrong})`])),
  ];
  return [
    ...values.map(({ value, column }) => `${value} AS ${column.name}`),
    `${wrong.length === 0 ? 'false' : wrong.join(' OR ')} AS wrong`,
  ].join(', ');
}

/**
 * SQL of the check and of the stored value of a column of times or days that came as numbers. Rows are held to the days
 * that the footer claims: that makes them known without a question to the engine behind the insert.
 */
export function counted(
  { column, counts, days = [0, Number.MAX_SAFE_INTEGER] }: ParquetValue,
  facts: Facts,
  bound: Bound,
): { readonly bad: string; readonly stored: string } | undefined {
  if (counts === undefined) return undefined;
  const given = `i.${column.name}`;
  const [first, last] = [days[0], Math.min(days[1], dayOf(facts.latest))];
  const range = (least: bigint, greatest: bigint) => [
    bind(bound, `least_${column.name}`, 'Int64', String(least)),
    bind(bound, `greatest_${column.name}`, 'Int64', String(greatest)),
  ];
  if (counts === 'days') {
    const count = `ifNull(${given}, 0)`;
    const absent = column.required ? `isNull(${given}) OR ` : '';
    const [least, greatest] = range(BigInt(first), BigInt(last));
    return {
      bad: `${absent}${count} < ${least} OR ${count} > ${greatest}`,
      stored: `toDate(toUInt16(${count}))`,
    };
  }
  const unit = { 1000: 'Milli', 1000000: 'Micro', 1000000000: 'Nano' }[counts] ?? 'Milli';
  const name = readName(column);
  const [perDay, latest] = [
    BigInt(counts) * 86_400n,
    (BigInt(facts.latest + 1) * BigInt(counts)) / 1000n - 1n,
  ];
  const end = BigInt(last + 1) * perDay - 1n;
  const [least, greatest] = range(BigInt(first) * perDay, end < latest ? end : latest);
  const bad = `(toUnixTimestamp64${unit}(${given}) AS ${name}) < ${least} OR ${name} > ${greatest}`;
  // NULL counts as bad.
  if (column.type !== 'instant') {
    return { bad, stored: `assumeNotNull(${counts === 1000 ? given : `toDateTime64(${given}, 3, 'UTC')`})` };
  }
  const within = `least(greatest(ifNull(${name}, 0), ${least}), ${greatest})`;
  const time = `toDateTime64(fromUnixTimestamp64${unit}(${within}, 'UTC'), 7, 'UTC')`;
  const text = `concat(replaceOne(toString(${time}), ' ', 'T'), 'Z')`;
  return {
    bad: `(isNotNull(${given}) AND (${bad}))`,
    stored: `if(isNull(${given}), '', ${text})`,
  };
}
