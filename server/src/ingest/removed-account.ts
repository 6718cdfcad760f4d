/**
 * Removes what an account leaves behind when its tenant has gone: its rows in every table of the engine that has an
 * account, whatever part of the server made it, and then its commits. The engine deletes in the background, because that
 * writes the parts anew which the account shares with others; so this is asked again until nothing is left.
 */
import type { Engine, EngineParams } from '../engine/index.js';
import type { Ledger, Rollups } from '../ledger/index.js';

/** What the removal works on. */
export interface RemovalParts {
  readonly engine: Engine;
  readonly ledger: Pick<Ledger, 'unfinished' | 'forget'>;
  readonly rollups: Pick<Rollups, 'forget'>;
}

const tables = `SELECT DISTINCT table FROM system.columns
WHERE database = currentDatabase() AND name = 'accountId' AND table IN (
  SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree'))
ORDER BY table`;

/**
 * Goes on removing an account. Answers how many of its tables and commits still have to go: 0 when it is done. Nobody
 * may be able to write for the account any longer.
 */
export async function removeAccount(
  { engine, ledger, rollups }: RemovalParts,
  account: string,
): Promise<number> {
  const unfinished = (await ledger.unfinished()).filter(({ commit }) => commit.accountId === account);
  // Their rows may come at any time; housekeeping ends them first.
  if (unfinished.length > 0) return unfinished.length;

  const lines = async (sql: string, params: EngineParams) => {
    const bytes = await engine.query({ account, sql, params, format: 'TSV' });
    return Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
  };
  let left = 0;
  for (const table of await lines(tables, {})) {
    const own = `FROM ${table} WHERE accountId = {account:String}`;
    if ((await lines(`SELECT 1 ${own} LIMIT 1`, { account })).length === 0) continue;
    left += 1;
    const running = `SELECT 1 FROM system.mutations WHERE database = currentDatabase() AND table = {table:String}
  AND NOT is_done AND startsWith(command, '(DELETE') AND position(command, {account:String}) > 0 LIMIT 1`;
    if ((await lines(running, { account, table })).length > 0) continue;
    await engine.command({
      account,
      sql: `ALTER TABLE ${table} DELETE WHERE accountId = {account:String}`,
      params: { account },
      settings: { mutations_sync: 0 },
    });
  }
  if (left > 0) return left;
  await rollups.forget(account);
  await ledger.forget(account);
  return 0;
}
