/**
 * Makes the engine's side of a batch from a dataset entry: the columns as they are read, the check that is true for
 * a bad row, and the stored values with spelling corrections and values for what is missing. The scanner has seen to
 * JSON types before. Values of the request are bound; an empty text counts as missing, as an empty cell must.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import type { EngineBatch, EngineParams, EngineSettings, EngineValue } from '../engine/index.js';
import { quoteText } from '../engine/index.js';
import { utcDay } from '../system.js';
import { jsonTypeOf } from './json-scanner.js';
import {
  amountPattern,
  asciiLower,
  dayPattern,
  defaultMaxBytes,
  type Facts,
  firstDay,
  guidPattern,
  integerPattern,
  timePattern,
} from './rules.js';

/** Everything of an engine batch but the file, the account and its number. */
export type Statement = Pick<
  EngineBatch,
  'table' | 'columns' | 'expressions' | 'bad' | 'params' | 'format' | 'structure' | 'settings'
>;

/** How the engine reads the file: JSON values with their type, or cells as text. */
export type Reading = 'json' | 'csv';

const jsonTypes = { text: 'String', integer: 'Int64', amount: 'Decimal(18, 6)', boolean: 'Bool' } as const;

const readSettings: Readonly<Record<Reading, EngineSettings>> = {
  json: {
    input_format_json_read_numbers_as_strings: 0,
    input_format_json_read_bools_as_strings: 0,
    input_format_json_read_objects_as_strings: 0,
    input_format_json_read_arrays_as_strings: 0,
    input_format_json_read_bools_as_numbers: 0,
  },
  csv: {
    input_format_csv_trim_whitespaces: 0,
    input_format_csv_skip_trailing_empty_lines: 1,
    input_format_csv_allow_variable_number_of_columns: 0,
    format_csv_allow_single_quotes: 0,
    // A cell that reads \N is that text.
    input_format_null_as_default: 0,
  },
};

/** Values that were bound so far, by name. */
type Bound = Record<string, EngineValue>;

function bind(bound: Bound, name: string, type: string, value: EngineValue): string {
  bound[name] = value;
  return `{${name}:${type}}`;
}

/** The value as read: null if missing. */
function read(column: Column, reading: Reading): string {
  const name = `i.${column.name}`;
  return reading === 'csv' || jsonTypeOf(column) === 'text' ? `nullIf(${name}, '')` : name;
}

/** Text of the registry's or the contract's spelling for a text in any case; `otherwise` if it is not known. */
function spelling(
  text: string,
  name: string,
  known: readonly (readonly [string, string])[],
  otherwise: string,
  bound: Bound,
): string {
  // An empty text heads the lists because the engine takes no empty ones; it is never looked up.
  const lower = bind(bound, `lower_${name}`, 'Array(String)', ['', ...known.map(([key]) => key)]);
  const spelt = bind(bound, `spelt_${name}`, 'Array(String)', ['', ...known.map(([, value]) => value)]);
  return `transform(lower(${text}), ${lower}, ${spelt}, ${otherwise})`;
}

function listed(text: string, name: string, values: readonly string[], bound: Bound): string {
  const known = values.map((value) => [asciiLower(value), value] as const);
  return spelling(text, name, known, text, bound);
}

function product(column: Column, text: string, facts: Facts, bound: Bound): string {
  const kind = column.kind ?? 'app';
  return spelling(`ifNull(${text}, '')`, kind, [...(facts.products.get(kind) ?? [])], `''`, bound);
}

/** Whether a day in a text exists: the engine reads 2024-02-31 as 2 March. */
function noDay(text: string): string {
  return `toString(toDate32OrNull(${text})) != ${text}`;
}

/** Boolean SQL that is true if the value, known not to be missing, is bad; undefined if nothing can be. */
function badValue(
  column: Column,
  text: string,
  reading: Reading,
  facts: Facts,
  bound: Bound,
): string | undefined {
  const csv = reading === 'csv';
  switch (column.type) {
    case 'timestamp':
    case 'instant': {
      const time = `toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${text}, 3, 'UTC'))`;
      const latest = bind(bound, 'latest', 'Int64', facts.latest);
      return `NOT match(${text}, '${timePattern}') OR ${noDay(`substring(${text}, 1, 10)`)} OR ${time} < 0 OR ${time} > ${latest}`;
    }
    case 'day': {
      const latest = bind(bound, 'latestDay', 'String', utcDay(facts.latest));
      return `NOT match(${text}, '${dayPattern}') OR ${noDay(text)} OR ${text} < '${firstDay}' OR ${text} > ${latest}`;
    }
    case 'guid':
      return `NOT match(${text}, '${guidPattern}')`;
    case 'product':
      return `${product(column, text, facts, bound)} = ''`;
    case 'text':
      return `length(${text}) > ${column.maxBytes ?? defaultMaxBytes}`;
    case 'integer': {
      const [least, greatest] = column.range ?? [0, Number.MAX_SAFE_INTEGER];
      const value = csv ? `toInt64OrNull(${text})` : text;
      const range = `${value} < ${least} OR ${value} > ${greatest}`;
      return csv ? `NOT match(${text}, '${integerPattern}') OR ${range}` : range;
    }
    case 'amount':
      return csv ? `NOT match(${text}, '${amountPattern}')` : undefined;
    case 'boolean':
      return csv ? `lower(${text}) NOT IN ('true', 'false')` : undefined;
  }
}

/** SQL of the value that is stored. */
function stored(entry: DatasetEntry, column: Column, reading: Reading, facts: Facts, bound: Bound): string {
  const csv = reading === 'csv';
  const text = read(column, reading);
  switch (column.type) {
    case 'timestamp':
      return `assumeNotNull(parseDateTime64BestEffortOrNull(${text}, 3, 'UTC'))`;
    case 'instant': {
      const time = `toString(parseDateTime64BestEffortOrNull(${text}, 7, 'UTC'))`;
      return `ifNull(concat(replaceOne(${time}, ' ', 'T'), 'Z'), '')`;
    }
    case 'day':
      return `assumeNotNull(toDateOrNull(${text}))`;
    case 'guid':
      return `ifNull(lower(${text}), ${typeof column.missing === 'object' ? 'toString(generateUUIDv4())' : `''`})`;
    case 'product':
      return product(column, text, facts, bound);
    case 'integer':
      return `ifNull(${csv ? `toInt64OrNull(${text})` : text}, ${Number(column.missing ?? 0)})`;
    case 'amount':
      return `ifNull(${csv ? `toDecimal64OrNull(${text}, 6)` : text}, toDecimal64(0, 6))`;
    case 'boolean':
      return `ifNull(${csv ? `lower(${text}) = 'true'` : text}, ${column.missing === true})`;
    case 'text': {
      const derived = typeof column.missing === 'object';
      const given = `ifNull(${text}, ${quoteText(derived ? '' : String(column.missing ?? ''))})`;
      let value = column.values === undefined ? given : listed(given, column.name, column.values, bound);
      const other = column.valuesWhenPresent;
      if (other !== undefined) {
        const spelt = listed(given, `${column.name}_present`, other.values, bound);
        value = `if(isNotNull(${read(columnOf(entry, other.column), reading)}), ${spelt}, ${value})`;
      }
      return derived ? channel(entry, text, value, reading) : value;
    }
  }
}

function columnOf(entry: DatasetEntry, name: string): Column {
  const column = entry.columns.find((one) => one.name === name);
  if (column === undefined) throw new TypeError(`dataset ${entry.name} has no column ${name}`);
  return column;
}

/** The channel when it is not given: the campaign counts before the referrer. */
function channel(entry: DatasetEntry, text: string, given: string, reading: Reading): string {
  const campaign = read(columnOf(entry, 'customCampaignId'), reading);
  const referrer = read(columnOf(entry, 'referrerUriDomain'), reading);
  return [
    `multiIf(isNotNull(${text}), ${given}`,
    `isNotNull(${campaign}), 'CustomCampaignId'`,
    `ifNull(${referrer}, '') = 'Universal Client Store', 'Store Traffic'`,
    `'Other')`,
  ].join(', ');
}

/** The statement that stores a batch of a dataset under a commit number. */
export function statementOf(
  entry: DatasetEntry,
  reading: Reading,
  facts: Facts,
  commit: { readonly accountId: string; readonly seq: number },
): Statement {
  const bound: Bound = {};
  const bad: string[] = [];
  const columns: string[] = ['accountId', 'seq'];
  const expressions: string[] = [
    bind(bound, 'account', 'String', commit.accountId),
    bind(bound, 'seq', 'UInt64', commit.seq),
  ];
  for (const column of entry.columns) {
    const text = read(column, reading);
    if (column.required) bad.push(`isNull(${text})`);
    const value = badValue(column, text, reading, facts, bound);
    // What cannot be judged counts as bad.
    if (value !== undefined) bad.push(`(isNotNull(${text}) AND ifNull(${value}, 1))`);
    columns.push(column.name);
    expressions.push(stored(entry, column, reading, facts, bound));
    if (column.name === entry.time && column.name !== 'date') {
      columns.push('date');
      expressions.push(`toDate(${stored(entry, column, reading, facts, bound)})`);
    }
  }
  if (entry.replaces !== undefined) {
    columns.push('line');
    expressions.push('toUInt32(rowNumberInAllBlocks() + 1)');
  }
  const structure = entry.columns.map((column) =>
    reading === 'csv' ? `${column.name} String` : `${column.name} Nullable(${jsonTypes[jsonTypeOf(column)]})`,
  );
  const params: EngineParams = bound;
  return {
    table: entry.name,
    columns,
    expressions,
    bad: bad.join(' OR '),
    params,
    format: reading === 'csv' ? 'CSVWithNames' : 'JSONEachRow',
    structure: structure.join(', '),
    // The line of a row is its place in the file only if one thread reads it.
    settings: { ...readSettings[reading], ...(entry.replaces === undefined ? {} : { max_threads: 1 }) },
  };
}
