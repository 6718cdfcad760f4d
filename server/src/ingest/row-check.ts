/**
 * SQL of the check that is true for a bad row, column by column. The scanner has seen to JSON types before, and the
 * completion to nested values.
 */
import type { Column } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { utcDay } from '../system.js';
import { jsonTypeOf } from './json-language.js';
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
import {
  type Bound,
  bind,
  isNullable,
  otherIs,
  product,
  type Reading,
  rangeOf,
  readName,
  type Source,
  timeIn,
} from './stored-values.js';

/** Whether a day in a text exists: the engine reads 2024-02-31 as 2 March. */
function noDay(text: string, again = text): string {
  return `toString(toDate32OrNull(${text})) != ${again}`;
}

/**
 * Boolean SQL, or NULL, that is not false if a text is none of its column's; undefined if every text is. Length is
 * looked at apart.
 */
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
      const [name, latest] = [readName(column), bind(bound, 'latest', 'Int64', facts.latest)];
      const day = noDay(`(substring(${text}, 1, 10) AS ${name}_day)`, `${name}_day`);
      const time = `(toUnixTimestamp64Milli(${timeIn(text)} AS ${name}) AS ${name}_ms)`;
      return `NOT match(${text}, '${timePattern}') OR ${day} OR ${time} < 0 OR ${name}_ms > ${latest}`;
    }
    case 'day': {
      const latest = bind(bound, 'latestDay', 'String', utcDay(facts.latest));
      return `NOT match(${text}, '${dayPattern}') OR ${noDay(text)} OR ${text} < '${firstDay}' OR ${text} > ${latest}`;
    }
    case 'guid':
      return `NOT match(${text}, '${guidPattern}')`;
    case 'product':
      return `(${product(column, facts, bound)} AS ${readName(column)}) = ''`;
    case 'text': {
      if (column.only === undefined) return undefined;
      const only = bind(bound, `only_${column.name}`, 'Array(String)', column.only.map(asciiLower));
      return `NOT has(${only}, lower(${text}))`;
    }
    case 'integer':
      return `NOT match(${text}, '${integerPattern}') OR ${outOfRange(column, `toInt64OrNull(${text})`)}`;
    case 'amount':
      return `NOT match(${text}, '${amountPattern}')`;
    case 'code':
    case 'object':
    case 'list':
      throw new TypeError(`${column.name}: ${column.type} columns are completed, not stored`);
    case 'boolean':
      return reading === 'csv' ? `lower(${text}) NOT IN ('true', 'false')` : undefined;
  }
}

function outOfRange(column: Column, value: string): string {
  const [least, greatest] = rangeOf(column);
  return `${value} < ${least} OR ${value} > ${greatest}`;
}

/** Types of texts whose check refuses an empty one. */
const neverEmpty: readonly Column['type'][] = ['timestamp', 'instant', 'day', 'guid', 'product'];

/**
 * Boolean SQL that is true for a row whose value in a column is bad or wrongly missing, or undefined if nothing can be
 * wrong but a length. NULL counts as true: what cannot be judged is bad.
 */
export function badColumn(
  source: Source & { readonly facts: Facts },
  column: Column,
  bound: Bound,
): string | undefined {
  const { reading, facts, absent } = source;
  const value = `i.${column.name}`;
  const { depends } = column;
  if (absent.has(column.name)) return undefined;
  const proven = source.proven.get(column.name);
  if (proven !== undefined) return proven.mayLack ? `${value} = ''` : undefined;
  if (reading === 'json' && jsonTypeOf(column) !== 'text') {
    const missing = column.required ? `isNull(${value})` : undefined;
    if (column.type !== 'integer') return missing;
    const [least] = rangeOf(column);
    const given = isNullable(column) && !column.required ? `ifNull(${value}, ${least})` : value;
    return [missing, outOfRange(column, given)].filter((part) => part !== undefined).join(' OR ');
  }
  const bad = badText(column, value, reading, facts, bound);
  if (column.required) {
    const missing = neverEmpty.includes(column.type) ? undefined : `${value} = ''`;
    return [missing, bad].filter((part) => part !== undefined).join(' OR ');
  }
  if (bad === undefined) return undefined;
  const given = `(${value} != '' AND (${bad}))`;
  if (depends === undefined || depends.requiredFor.length === 0) return given;
  return `${given} OR (${value} = '' AND ${otherIs(depends.column, depends.requiredFor)})`;
}

/** Boolean SQL that is true for a row with a text that is too long. */
export function tooLong({ entry, absent, proven }: Source): string[] {
  const texts = entry.columns.filter(
    ({ type, name }) => type === 'text' && !absent.has(name) && !proven.has(name),
  );
  const limits = new Set(texts.map(({ maxBytes = defaultMaxBytes }) => maxBytes));
  return [...limits].map((most) => {
    const lengths = texts
      .filter(({ maxBytes = defaultMaxBytes }) => maxBytes === most)
      .map(({ name }) => `length(i.${name})`);
    return `${lengths.length === 1 ? lengths[0] : `greatest(${lengths.join(', ')})`} > ${most}`;
  });
}
