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
import { type Bound, bind, isNullable, otherIs, product, type Reading, rangeOf } from './stored-values.js';

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
    case 'text': {
      const long = `length(${text}) > ${column.maxBytes ?? defaultMaxBytes}`;
      if (column.only === undefined) return long;
      const only = bind(bound, `only_${column.name}`, 'Array(String)', column.only.map(asciiLower));
      return `${long} OR NOT has(${only}, lower(${text}))`;
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

/**
 * Boolean SQL that is true for a row whose value in a column is bad or wrongly missing, or undefined if nothing can be
 * wrong. NULL counts as true: what cannot be judged is bad.
 */
export function badColumn(column: Column, reading: Reading, facts: Facts, bound: Bound): string | undefined {
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
  if (bad === undefined || (column.type === 'text' && column.only === undefined)) return bad;
  const given = `(${value} != '' AND (${bad}))`;
  const { depends } = column;
  if (depends === undefined || depends.requiredFor.length === 0) return given;
  return `${given} OR (${value} = '' AND ${otherIs(depends.column, depends.requiredFor)})`;
}
