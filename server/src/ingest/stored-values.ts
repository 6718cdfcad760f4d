/**
 * SQL of the values that are stored: spelling corrections, products in the registry's spelling, values for what is
 * missing. Values of a request are bound; an empty text counts as missing, as an empty cell must.
 */
import type { Column, DatasetEntry, ProductColumnKind } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { type EngineValue, quoteText } from '../engine/index.js';
import { jsonTypeOf } from './json-language.js';
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

/** SQL that is true where the column that another one depends on has one of some values, in any ASCII case. */
export function otherIs(column: string, values: readonly string[]): string {
  return `lower(i.${column}) IN (${values.map((value) => quoteText(asciiLower(value))).join(', ')})`;
}

/** SQL of the registered spelling of a product's id; empty if the account has none of the kind. */
export function product(column: Column, facts: Facts, bound: Bound): string {
  const spelt = (kind: ProductColumnKind) =>
    spelling(`i.${column.name}`, kind, [...(facts.products.get(kind) ?? [])], `''`, bound);
  const { depends } = column;
  if (depends === undefined) return spelt(column.kind ?? 'app');
  const kinds = [...new Set(Object.values(depends.kinds))];
  const branches = kinds.flatMap((kind) => {
    const values = Object.keys(depends.kinds).filter((value) => depends.kinds[value] === kind);
    return [otherIs(depends.column, values), spelt(kind)];
  });
  return `multiIf(${branches.join(', ')}, '')`;
}

/** SQL of the value that is stored. Without facts ids of products are in their registered spelling already. */
export function stored(
  entry: DatasetEntry,
  column: Column,
  reading: Reading,
  facts: Facts | undefined,
  bound: Bound,
): string {
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
      return facts === undefined ? value : product(column, facts, bound);
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
      return storedText(entry, column, bound);
  }
}

function storedText(entry: DatasetEntry, column: Column, bound: Bound): string {
  const value = `i.${column.name}`;
  const derived = typeof column.missing === 'object';
  const missing = derived ? '' : String(column.missing ?? '');
  const given = missing === '' ? value : `if(${value} = '', ${quoteText(missing)}, ${value})`;
  const values = column.only ?? column.values;
  let text = values === undefined ? given : listed(given, column.name, values, bound);
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
