/**
 * Counts a page index in two pieces, each on a session of its own: the quarter of the range that the order begins with,
 * and the rest. A page begins as soon as the pieces that it lies in are counted, so a first page is made beside the rest
 * of the index. Aggregation in the table's order, which bounds an index's memory, keeps one core busy however many
 * threads it has; the quarter and a page take about as long as the rest. A cold first page of ten million events takes
 * 0.6 of the time on two cores, for 5 ms more of processor time.
 *
 * A piece is the same plan with a shorter range, cut where a bucket begins, so that no row is counted twice.
 */
import { addDays, daysBetween } from './dates.js';
import { bucketDays, type OrderPlan, type RowsPlan } from './plan.js';

/** Shorter ranges take the engine longer to plan than to count. */
const leastDays = 28;

/** Plans whose answers, one after the other in the order that begins with `lead`, are the plan's answer. */
export function piecesOf(plan: RowsPlan, lead: OrderPlan): readonly RowsPlan[] {
  const { start, end, sources } = plan;
  const days = daysBetween(start, end);
  if (days < leastDays || lead.key?.expression.kind !== 'bucket') return [plan];
  // Without the day among its keys a replacing dataset looks for the latest rows in all days, for every piece.
  if (sources.some(({ latestBy }) => latestBy?.includes('date') === false)) return [plan];
  const middle = addDays(start, Math.floor(days * (lead.descending ? 0.75 : 0.25)));
  const { last } = bucketDays(lead.key.expression.level, middle, start, end);
  if (last === end) return [plan];
  const pieces = [
    { ...plan, end: last },
    { ...plan, start: addDays(last, 1) },
  ];
  return lead.descending ? pieces.reverse() : pieces;
}
