/**
 * Holds that a registry and an engine belong together. Batches are remembered in the one and rows lie in the other: with
 * an engine that is not its own, a server would answer that there is no data, and that a batch was stored before which
 * is nowhere. Both carry the same id, which is made when they first meet.
 */
import { SettingError } from './config.js';
import { type Engine, readMark, writeMark } from './engine/index.js';
import type { Registry } from './registry/index.js';
import { newGuid, type Random } from './system.js';

/** Accounts and datasets that are looked for, where nothing but rows can tell. */
const mostLookedFor = 200;

/** Whether a row of any remembered batch is in the engine; true if there are no batches. */
async function hasRows(registry: Registry, engine: Engine): Promise<boolean> {
  const remembered = await registry.all(
    "SELECT DISTINCT account_id, dataset FROM commits WHERE state = 'done' AND row_count > 0 LIMIT $1",
    [mostLookedFor],
  );
  for (const { account_id, dataset } of remembered) {
    const account = String(account_id);
    const sql = `SELECT 1 FROM ${String(dataset)} WHERE accountId = {account:String} LIMIT 1`;
    const found = await engine.query({ account, sql, params: { account }, format: 'TSV' });
    if (found.length > 0) return true;
  }
  return remembered.length === 0;
}

/** Refuses an engine that is not the registry's own: SettingError. Both are migrated. */
export async function holdTogether(
  { registry, engine, random }: { registry: Registry; engine: Engine; random: Random },
  data: string,
): Promise<void> {
  const row = await registry.get("SELECT value FROM installation WHERE name = 'engine'");
  const own = row === undefined ? undefined : String(row.value);
  const mark = await readMark(engine);
  if (mark !== undefined && mark === own) return;
  const place =
    engine.kind === 'chdb' ? `the folder ${data} itself` : 'the database that --clickhouse-url names';
  if (mark !== undefined) {
    throw new SettingError(
      `${place} holds the events of another data folder than ${data}; use that folder with it, or another database`,
    );
  }
  // An older version has no marks, and a start may have ended between the two.
  if (!(await hasRows(registry, engine))) {
    throw new SettingError(
      `the events of the data folder ${data} are not in ${place}; start it with the --clickhouse-url that it had${
        engine.kind === 'chdb' ? '' : ', or without one if it had none'
      }`,
    );
  }
  const id = own ?? newGuid(random);
  if (own === undefined) {
    await registry.all("INSERT INTO installation (name, value) VALUES ('engine', $1)", [id]);
  }
  await writeMark(engine, id);
}
