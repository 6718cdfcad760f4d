/**
 * Which rows of a table a plan may see, whatever else it asks: those of its account, of commits up to its snapshot, that
 * no commit up to there has superseded. Every statement on an account's rows begins with these conditions.
 */
import type { Plan } from './plan.js';

/** What of a plan they hang on. */
export type Visible = Pick<Plan, 'accountId' | 'snapshot' | 'unbounded'>;

/** Writes a placeholder for a value. */
export type Bind = (value: string | number, type: string) => string;

/** Conditions on the account and the commits of rows. */
export function visibleRows(
  { accountId, snapshot, unbounded }: Visible,
  alias: string,
  bind: Bind,
): string[] {
  const account = `${alias}.accountId = ${bind(accountId, 'String')}`;
  return unbounded ? [account] : [account, `${alias}.seq <= ${bind(snapshot, 'UInt64')}`];
}

/** Condition on rows of a table whose rows later commits may supersede. */
export function currentRows({ snapshot, unbounded }: Visible, alias: string, bind: Bind): string {
  const current = `${alias}.supersededBy = 0`;
  return unbounded ? current : `(${current} OR ${alias}.supersededBy > ${bind(snapshot, 'UInt64')})`;
}
