/**
 * SQL of the values that are stored: spelling corrections, products in the registry's spelling, values for what is
 * missing. Values of a request are bound; an empty text counts as missing, as an empty cell must.
 */
import type { Column, DatasetEntry, ProductColumnKind } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { type EngineValue, quoteText } from '../engine/index.js';
import { jsonTypeOf } from './json-language.js';
import type { Proven } from './parquet-proven.js';
import type { Facts } from './rules.js';

/** How the engine reads the file: JSON values with their type, or cells as text. */
export type Reading = 'json' | 'csv';

/** Values that were bound so far, by name. */
export type Bound = Record<string, EngineValue>;

/** Binds a value; the text that stands for it. */
export function bind(bound: Bound, name: string, type: string, value: EngineValue): string {
  bound[name] = value;
  return `{${name}:${type}}`;
}

/** Least and greatest value of an integer column. */
export function rangeOf(column: Column): readonly [number, number] {
  return column.range ?? [0, Number.MAX_SAFE_INTEGER];
}

/**
 * Whether a JSON value is read as null when it is missing. Only where the empty value of the type would not do:
 * texts are empty when missing, and most numbers and booleans are stored as 0 and false.
 */
export function isNullable(column: Column): boolean {
  const type = jsonTypeOf(column);
  if (type === 'text') return false;
  const [least, greatest] = type === 'integer' ? rangeOf(column) : [0, 0];
  return column.required === true || Boolean(column.missing) || least > 0 || greatest < 0;
}

/**
 * Text of the registry's or the contract's spelling for a text in any case, `missing` for an empty one; `otherwise` if
 * it is not known. One look-up for all three: a function of its own for what is missing takes half as long again.
 */
function spelling(
  text: string,
  name: string,
  known: readonly (readonly [string, string])[],
  missing: string,
  otherwise: string,
  bound: Bound,
): string {
  const lower = bind(bound, `lower_${name}`, 'Array(String)', ['', ...known.map(([key]) => key)]);
  const spelt = bind(bound, `spelt_${name}`, 'Array(String)', [missing, ...known.map(([, value]) => value)]);
  return `transform(lower(${text}), ${lower}, ${spelt}, ${otherwise})`;
}

function listed(
  text: string,
  name: string,
  values: readonly string[],
  missing: string,
  bound: Bound,
): string {
  const known = values.map((value) => [asciiLower(value), value] as const);
  const spelt = known.find(([key]) => key === asciiLower(missing))?.[1] ?? missing;
  return spelling(text, name, known, spelt, text, bound);
}

/** SQL that is true where the column that another one depends on has one of some values, in any ASCII case. */
export function otherIs(column: string, values: readonly string[]): string {
  return `lower(i.${column}) IN (${values.map((value) => quoteText(asciiLower(value))).join(', ')})`;
}

/** SQL of the registered spelling of a product's id; empty if the account has none of the kind. */
export function product(column: Column, facts: Facts, bound: Bound): string {
  const spelt = (kind: ProductColumnKind) =>
    spelling(`i.${column.name}`, kind, [...(facts.products.get(kind) ?? [])], '', `''`, bound);
  const { depends } = column;
  if (depends === undefined) return spelt(column.kind ?? 'app');
  const kinds = [...new Set(Object.values(depends.kinds))];
  const branches = kinds.flatMap((kind) => {
    const values = Object.keys(depends.kinds).filter((value) => depends.kinds[value] === kind);
    return [otherIs(depends.column, values), spelt(kind)];
  });
  return `multiIf(${branches.join(', ')}, '')`;
}

/**
 * What a check calls the value that it reads out of a column, so that the stored value can be told by name: whatever
 * stands in a statement twice is analysed twice, which takes the engine a tenth of a millisecond a function.
 */
export function readName(column: Column): string {
  return `read_${column.name}`;
}

/** SQL of the time in a text, to milliseconds. */
export function timeIn(text: string): string {
  return `parseDateTime64BestEffortOrNull(${text}, 3, 'UTC')`;
}

/** How a batch is read, and what for. */
export interface Source {
  readonly entry: DatasetEntry;
  readonly reading: Reading;
  /** Columns that no row of the batch has, nor needs. */
  readonly absent: ReadonlySet<string>;
  /** Columns all of whose texts are known to be good, by name. */
  readonly proven: ReadonlyMap<string, Proven>;
  /** Absent for rows that were checked already: ids of products are in their registered spelling. */
  readonly facts: Facts | undefined;
}

/** SQL of the value that is stored. Checks that were made for the column have named what they read. */
export function stored(source: Source, column: Column, bound: Bound): string {
  const { reading, facts, absent, proven } = source;
  const csv = reading === 'csv';
  const value = `i.${column.name}`;
  const corrections = proven.get(column.name)?.corrections;
  if (corrections !== undefined) return corrected(column, corrections, bound);
  const gone = absent.has(column.name);
  const orMissing = (given: string, missing: string) => {
    if (gone) return missing;
    return csv || isNullable(column) ? `ifNull(${given}, ${missing})` : given;
  };
  switch (column.type) {
    case 'timestamp':
      return `assumeNotNull(${facts === undefined ? timeIn(value) : readName(column)})`;
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
      if (facts === undefined) return value;
      return gone ? `''` : readName(column);
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
      throw new TypeError(`${column.name}: ${column.type} columns are completed, not stored`);
    case 'text':
      return storedText(source, column, bound);
  }
}

/** Texts of a column of which is known what is stored for each, if it is not the text itself. */
function corrected(column: Column, corrections: NonNullable<Proven['corrections']>, bound: Bound): string {
  const value = `i.${column.name}`;
  if (corrections.length === 0) return value;
  const given = corrections.map(([text]) => text);
  const spelt = corrections.map(([, text]) => text);
  const from = bind(bound, `given_${column.name}`, 'Array(String)', given);
  return `transform(${value}, ${from}, ${bind(bound, `spelt_${column.name}`, 'Array(String)', spelt)})`;
}

function storedText({ entry, absent }: Source, column: Column, bound: Bound): string {
  const value = `i.${column.name}`;
  if (typeof column.missing === 'object') return channel(column, absent, bound);
  const missing = String(column.missing ?? '');
  if (absent.has(column.name)) return quoteText(missing);
  const values = column.only ?? column.values;
  const plain = missing === '' ? value : `if(${value} = '', ${quoteText(missing)}, ${value})`;
  const text = values === undefined ? plain : listed(value, column.name, values, missing, bound);
  const other = column.valuesWhenPresent;
  if (other === undefined || absent.has(other.column)) return text;
  const spelt = listed(value, `${column.name}_present`, other.values, missing, bound);
  return `if(i.${columnOf(entry, other.column).name} != '', ${spelt}, ${text})`;
}

/** The channel; when it is not given, the campaign counts before the referrer. */
function channel(column: Column, absent: ReadonlySet<string>, bound: Bound): string {
  const value = `i.${column.name}`;
  const derived = [
    ['customCampaignId', `i.customCampaignId != '', 'CustomCampaignId'`],
    ['referrerUriDomain', `i.referrerUriDomain = 'Universal Client Store', 'Store Traffic'`],
  ].flatMap(([name = '', sql = '']) => (absent.has(name) ? [] : [sql]));
  const given = absent.has(column.name) ? [] : [column.values ?? []];
  const text = given.map((values) => listed(value, column.name, values, 'Other', bound));
  if (derived.length === 0) return text[0] ?? `'Other'`;
  return `multiIf(${[...text.map((sql) => `${value} != '', ${sql}`), ...derived].join(', ')}, 'Other')`;
}

function columnOf(entry: DatasetEntry, name: string): Column {
  const column = entry.columns.find((one) => one.name === name);
  if (column === undefined) throw new TypeError(`dataset ${entry.name} has no column ${name}`);
  return column;
}
