/**
 * Groups by a digest of the keys instead of the keys: the bucket's number plus one 128-bit hash a key (`row-digest.ts`
 * says why sums of hashes tell rows apart). The engine serialises every row's keys as soon as a text is among several;
 * a digest has a fixed width, and its hashes are made once per entry of a dictionary. Hits by week and failure take half
 * of the processor time (195 ms instead of 366 for a million rows, 2 cores, loaded).
 *
 * What a key is made of is then picked per group by `any`, which reads the text of every row: three keys take 0.7 to 1 of
 * the time, ten with nearly as many groups as rows 1.2. Hence only few keys are grouped this way. The rest of a key is made
 * once per group: that the first month begins with the range takes a tenth of the processor time of months by market.
 */
import type { Expression, Key } from './plan.js';

/** With more keys besides the bucket the keys themselves are no dearer. */
const mostKeys = 3;

/** What a grouped query selects and groups by, in SQL. */
export interface Grouping {
  readonly columns: readonly string[];
  readonly groupBy: string;
}

/** How keys are written: the value out of columns, or out of what is picked of them, and what rows are grouped by. */
export interface KeyWriter {
  expression(expression: Expression, pick?: (column: string) => string): string;
  groupedBy(expression: Expression): string;
}

/** The grouping of rows by at least one key. */
export function groupingOf(keys: readonly Key[], writer: KeyWriter): Grouping {
  const others = keys.filter(({ expression }) => expression.kind !== 'bucket');
  if (keys.length === 1 || others.length > mostKeys) {
    return {
      columns: keys.map(({ name, expression }) => `${writer.expression(expression)} AS ${name}`),
      groupBy: keys.map(({ expression }) => writer.groupedBy(expression)).join(', '),
    };
  }
  const parts = keys.map(({ expression }, place) =>
    expression.kind === 'bucket'
      ? `toUInt32(${writer.groupedBy(expression)})`
      : `reinterpretAsUInt128(sipHash128(${writer.groupedBy(expression)}, ${place}))`,
  );
  const any = (column: string) => `any(${column})`;
  return {
    columns: keys.map(({ name, expression }) => `${writer.expression(expression, any)} AS ${name}`),
    groupBy: parts.join(' + '),
  };
}
