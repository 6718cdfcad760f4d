/**
 * Counts the rows of full grain per product and day, so that a first page need not: counting those of a product of a million
 * rows takes 50 to 75 ms of processor time, half of its cold first page; reading the counts takes 3
 * (`query/stored-counts.ts`). A day is counted anew when a step has rows of it, with all the rows it has by then: digests
 * of rows do not add up, as a row of a later commit may be equal to an earlier one. What steps are worth while bounds that:
 * each takes a sixteenth more rows at least, so a row is counted sixteen times at worst, where every batch touches every
 * day, and once or twice where days come one after the other. Ten million rows of a thousand products and two years take
 * four seconds of one processor, with what the engine does to store the counts.
 */
import type { Condition } from '@storelens/contract';
import type { EngineParams } from '../engine/index.js';
import { type Grain, grains } from './grains.js';
import { distinctRows } from './row-digest.js';
import type { Ask, Kind, Range, Step } from './steps.js';

/** The table of the counts. */
export const dayCounts = 'dayCounts';

/** Memory is bounded by it: 64 bytes a row or so. */
const usualRowsAtOnce = 500_000;

/** Products in a row, as the table is sorted, or some days of one. */
interface Part {
  readonly from: string;
  readonly to: string;
  readonly firstDay: string;
  readonly lastDay: string;
}

const everyDay = { firstDay: '1970-01-01', lastDay: '2149-06-06' } as const;

/** The counts of all grains. */
export function dayCountsOfGrains(): readonly Kind[] {
  return [...grains.values()].map(countsOf);
}

function countsOf(grain: Grain): Kind {
  const { name, table, columns } = grain;
  const { sql: own, params } = conditionsOf(grain);
  const inPart =
    'applicationId BETWEEN {from:String} AND {to:String} AND date BETWEEN {firstDay:Date} AND {lastDay:Date}';
  const digest = distinctRows(columns.map((column) => ({ name: column })));
  const insert = (
    further: string,
  ) => `INSERT INTO ${dayCounts} (accountId, grain, applicationId, date, rowCount, seq)
SELECT accountId, {grain:String}, applicationId, date, ${digest}, {upTo:UInt64}
FROM ${table} WHERE ${own} AND ${inPart}${further}
GROUP BY accountId, applicationId, date`;
  const touched = ` AND (applicationId, date) IN (
  SELECT applicationId, date FROM ${table} WHERE ${own} AND seq > {above:UInt64} AND ${inPart})`;
  return {
    ...{ mark: name, dataset: table, table: dayCounts },
    own: { sql: 'grain = {grain:String}', params: { grain: name } },
    made: 'count()',
    // A day is written once the next one begins, instead of all at the end.
    settings: { optimize_aggregation_in_order: 1 },
    async plan(range, ask, rowsAtOnce = usualRowsAtOnce): Promise<Step> {
      const { days, parts } = await partsOf(table, own, { ...range, ...params }, ask, rowsAtOnce);
      // All days have rows of a first step; to ask which would take it as long as counting them.
      const { above, ...first } = { ...range, ...params, grain: name };
      const [sql, values] = above === 0 ? [insert(''), first] : [insert(touched), { ...first, above }];
      const pieces = parts.map((part) => ({ sql, params: { ...values, ...part } }));
      return { made: days, pieces };
    },
  };
}

/** SQL of the rows that a step sees of a grain, with its values. */
function conditionsOf({ where }: Grain): { readonly sql: string; readonly params: EngineParams } {
  const params: Record<string, string | number | boolean> = {};
  const terms = where.map((condition, index) => {
    if (!('equals' in condition)) return `${condition.column} ${condition.is === 'empty' ? '=' : '!='} ''`;
    params[`equal${index}`] = condition.equals;
    return `${condition.column} = {equal${index}:${typeOf(condition)}}`;
  });
  const all = ['accountId = {account:String}', 'seq <= {upTo:UInt64}', ...terms];
  return { sql: all.join(' AND '), params };
}

function typeOf({ equals }: Extract<Condition, { equals: unknown }>): string {
  if (typeof equals === 'boolean') return 'Bool';
  return typeof equals === 'string' ? 'String' : 'Int64';
}

/** What the statements of a step count, and how many days of products these are. */
async function partsOf(
  table: string,
  own: string,
  range: Range,
  ask: Ask,
  most: number,
): Promise<{ days: number; parts: readonly Part[] }> {
  const touched = (further: string) =>
    `SELECT applicationId, date, count() AS n FROM ${table} WHERE ${own}${further}
GROUP BY applicationId, date HAVING max(seq) > {above:UInt64}`;
  const products = await ask(
    `SELECT applicationId, sum(n), count() FROM (${touched('')}) GROUP BY applicationId ORDER BY applicationId`,
    range,
  );
  const parts: Part[] = [];
  let days = 0;
  // Rows of the last part that may still grow; undefined: it may not.
  let taken: number | undefined;
  for (const [product, number, ofDays] of products) {
    const [id, rows] = [String(product), Number(number)];
    days += Number(ofDays);
    const last = parts.at(-1);
    if (last !== undefined && taken !== undefined && taken + rows <= most) {
      parts[parts.length - 1] = { ...last, to: id };
      taken += rows;
    } else if (rows <= most) {
      parts.push({ from: id, to: id, ...everyDay });
      taken = rows;
    } else {
      const found = await ask(
        `SELECT toString(date), n FROM (${touched(' AND applicationId = {id:String}')}) ORDER BY date`,
        { ...range, id },
      );
      for (const { firstDay, lastDay } of daysInParts(found, most)) {
        parts.push({ from: id, to: id, firstDay, lastDay });
      }
      taken = undefined;
    }
  }
  return { days, parts };
}

/** Days in a row of so many rows; a day with more stands alone. */
function daysInParts(
  days: readonly (readonly (string | number)[])[],
  most: number,
): readonly Pick<Part, 'firstDay' | 'lastDay'>[] {
  const parts: Pick<Part, 'firstDay' | 'lastDay'>[] = [];
  let taken = 0;
  for (const [ofDay, number] of days) {
    const [day, rows] = [String(ofDay), Number(number)];
    const last = parts.at(-1);
    if (last !== undefined && taken + rows <= most) {
      parts[parts.length - 1] = { ...last, lastDay: day };
      taken += rows;
    } else {
      parts.push({ firstDay: day, lastDay: day });
      taken = rows;
    }
  }
  return parts;
}
