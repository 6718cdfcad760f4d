/**
 * Makes the engine's side of a batch from a dataset entry: the columns as they are read, the check that is true for
 * a bad row, and the stored values with spelling corrections and values for what is missing. The scanner has seen to
 * JSON types before. Values of the request are bound; an empty text counts as missing, as an empty cell must.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { EngineBatch, EngineParams, EngineSettings, EngineValue } from '../engine/index.js';
import { quoteText } from '../engine/index.js';
import { utcDay } from '../system.js';
import { jsonTypeOf } from './json-scanner.js';
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
    // Otherwise keys behind the last column's are not looked at, and one given twice passes there.
    input_format_json_ignore_unnecessary_fields: 0,
    // null is what a missing key is: the empty value of the type.
    input_format_null_as_default: 1,
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

/** Least and greatest value of an integer column. */
function rangeOf(column: Column): readonly [number, number] {
  return column.range ?? [0, Number.MAX_SAFE_INTEGER];
}

/**
 * Whether a JSON value is read as null when it is missing. Only where the empty value of the type would not do:
 * texts are empty when missing, and most numbers and booleans are stored as 0 and false.
 */
function isNullable(column: Column): boolean {
  const type = jsonTypeOf(column);
  if (type === 'text') return false;
  const [least, greatest] = type === 'integer' ? rangeOf(column) : [0, 0];
  return column.required === true || Boolean(column.missing) || least > 0 || greatest < 0;
}

/** Type of a column as the engine reads it. */
function typeOf(column: Column, reading: Reading): string {
  if (reading === 'csv') return 'String';
  const type = jsonTypes[jsonTypeOf(column)];
  return isNullable(column) ? `Nullable(${type})` : type;
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

function product(column: Column, facts: Facts, bound: Bound): string {
  const kind = column.kind ?? 'app';
  return spelling(`i.${column.name}`, kind, [...(facts.products.get(kind) ?? [])], `''`, bound);
}

/** Whether a day in a text exists: the engine reads 2024-02-31 as 2 March. */
function noDay(text: string): string {
  return `toString(toDate32OrNull(${text})) != ${text}`;
}

/** Boolean SQL, or NULL, that is not false if a text is none of its column's; undefined if every text is. */
function badText(
  column: Column,
  text: string,
  reading: Reading,
  facts: Facts,
  bound: Bound,
): string | undefined {
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
      return `${product(column, facts, bound)} = ''`;
    case 'text':
      return `length(${text}) > ${column.maxBytes ?? defaultMaxBytes}`;
    case 'integer':
      return `NOT match(${text}, '${integerPattern}') OR ${outOfRange(column, `toInt64OrNull(${text})`)}`;
    case 'amount':
      return `NOT match(${text}, '${amountPattern}')`;
    case 'code':
    case 'object':
    case 'list':
      throw new TypeError(`${column.type} columns are not stored yet`);
    case 'boolean':
      return reading === 'csv' ? `lower(${text}) NOT IN ('true', 'false')` : undefined;
  }
}

function outOfRange(column: Column, value: string): string {
  const [least, greatest] = rangeOf(column);
  return `${value} < ${least} OR ${value} > ${greatest}`;
}

/**
 * Boolean SQL that is true for a row whose value in a column is bad or wrongly missing, or undefined if nothing can be
 * wrong. NULL counts as true: what cannot be judged is bad.
 */
function badColumn(column: Column, reading: Reading, facts: Facts, bound: Bound): string | undefined {
  const value = `i.${column.name}`;
  if (reading === 'json' && jsonTypeOf(column) !== 'text') {
    const missing = column.required ? `isNull(${value})` : undefined;
    if (column.type !== 'integer') return missing;
    const [least] = rangeOf(column);
    const given = isNullable(column) && !column.required ? `ifNull(${value}, ${least})` : value;
    return [missing, outOfRange(column, given)].filter((part) => part !== undefined).join(' OR ');
  }
  const bad = badText(column, value, reading, facts, bound);
  if (column.required) return [`${value} = ''`, bad].filter((part) => part !== undefined).join(' OR ');
  // A text that is too long is not empty.
  return bad === undefined || column.type === 'text' ? bad : `(${value} != '' AND (${bad}))`;
}

/** SQL of the value that is stored. */
function stored(entry: DatasetEntry, column: Column, reading: Reading, facts: Facts, bound: Bound): string {
  const csv = reading === 'csv';
  const value = `i.${column.name}`;
  const orMissing = (given: string, missing: string) =>
    csv || isNullable(column) ? `ifNull(${given}, ${missing})` : given;
  switch (column.type) {
    case 'timestamp':
      return `assumeNotNull(parseDateTime64BestEffortOrNull(${value}, 3, 'UTC'))`;
    case 'instant': {
      const time = `toString(parseDateTime64BestEffortOrNull(${value}, 7, 'UTC'))`;
      return `ifNull(concat(replaceOne(${time}, ' ', 'T'), 'Z'), '')`;
    }
    case 'day':
      return `assumeNotNull(toDateOrNull(${value}))`;
    case 'guid': {
      const missing = typeof column.missing === 'object' ? 'toString(generateUUIDv4())' : `''`;
      return `if(${value} = '', ${missing}, lower(${value}))`;
    }
    case 'product':
      return product(column, facts, bound);
    case 'integer':
      return orMissing(csv ? `toInt64OrNull(${value})` : value, `${Number(column.missing ?? 0)}`);
    case 'amount':
      return orMissing(csv ? `toDecimal64OrNull(${value}, 6)` : value, 'toDecimal64(0, 6)');
    case 'boolean': {
      const missing = `${column.missing === true}`;
      return csv ? `if(${value} = '', ${missing}, lower(${value}) = 'true')` : orMissing(value, missing);
    }
    case 'code':
    case 'object':
    case 'list':
      throw new TypeError(`${column.type} columns are not stored yet`);
    case 'text':
      return storedText(entry, column, bound);
  }
}

function storedText(entry: DatasetEntry, column: Column, bound: Bound): string {
  const value = `i.${column.name}`;
  const derived = typeof column.missing === 'object';
  const missing = derived ? '' : String(column.missing ?? '');
  const given = missing === '' ? value : `if(${value} = '', ${quoteText(missing)}, ${value})`;
  let text = column.values === undefined ? given : listed(given, column.name, column.values, bound);
  const other = column.valuesWhenPresent;
  if (other !== undefined) {
    const spelt = listed(given, `${column.name}_present`, other.values, bound);
    text = `if(i.${columnOf(entry, other.column).name} != '', ${spelt}, ${text})`;
  }
  if (!derived) return text;
  // The channel when it is not given: the campaign counts before the referrer.
  const [campaign, referrer] = ['customCampaignId', 'referrerUriDomain'].map(
    (name) => columnOf(entry, name).name,
  );
  return [
    `multiIf(${value} != '', ${text}`,
    `i.${campaign} != '', 'CustomCampaignId'`,
    `i.${referrer} = 'Universal Client Store', 'Store Traffic'`,
    `'Other')`,
  ].join(', ');
}

function columnOf(entry: DatasetEntry, name: string): Column {
  const column = entry.columns.find((one) => one.name === name);
  if (column === undefined) throw new TypeError(`dataset ${entry.name} has no column ${name}`);
  return column;
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
    const wrong = badColumn(column, reading, facts, bound);
    if (wrong !== undefined) bad.push(wrong);
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
  const structure = entry.columns.map((column) => `${column.name} ${typeOf(column, reading)}`);
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
