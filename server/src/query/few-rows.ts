/**
 * First pages out of few rows, which cost what they take to plan: grouped by the keys themselves and printed where they
 * are grouped. Digests (`group-digest.ts`) and a query around the page pay from some ten thousand rows; before they are
 * 0.8 of the 6 ms of a small answer (processor time, 2 cores). Whether there are few `product-sizes.ts` says.
 */
import type { RowsPlan } from './plan.js';
import { groupingKeys, jsonColumns, shownColumns } from './sql.js';
import { columnsOf, type Statement, Writer } from './sql-writer.js';

/** The first rows; undefined for what is not one table's rows under keys. */
export function fewRowsStatement(plan: RowsPlan, limit: number): Statement | undefined {
  const [source, ...others] = plan.sources;
  const keys = groupingKeys(plan);
  if (plan.kind !== 'grouped' || source === undefined || others.length > 0 || keys.length === 0)
    return undefined;
  const writer = new Writer(plan);
  const values = new Map(keys.map(({ name, expression }) => [name, writer.expression(expression)]));
  for (const [name, aggregate] of Object.entries(source.measures)) {
    values.set(name, writer.aggregate(aggregate, source));
  }
  const shownAs = (name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new TypeError(`${name} is neither a key nor a measure`);
    return value;
  };
  const rows = writer.from(source, columnsOf(plan, source), []);
  const groupBy = keys.map(({ expression }) => writer.groupedBy(expression)).join(', ');
  const order = plan.order.map(({ name, descending }) => `${shownAs(name)}${descending ? ' DESC' : ''}`);
  const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  return writer.statement(
    `SELECT ${shownColumns(writer, plan, jsonColumns, shownAs)} ${rows} GROUP BY ${groupBy}${orderBy} LIMIT ${writer.params.bind(limit, 'UInt64')}`,
  );
}
