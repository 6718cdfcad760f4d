/**
 * One engine for the tests of a file: opened once, with all tables, and emptied between tests. What it remembers of
 * inserts goes with their rows. With STORELENS_TEST_CLICKHOUSE_URL set it is a database of that ClickHouse server.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openChdb } from '../../src/engine/chdb.js';
import { openClickHouse } from '../../src/engine/clickhouse.js';
import type { Engine } from '../../src/engine/index.js';
import { migrateEngine } from '../../src/engine/migrate.js';

/** An engine that its user empties between tests. */
export interface SharedEngine {
  readonly engine: Engine;
  /** Removes all rows. */
  empty(): Promise<void>;
  /** Closes the engine and removes its folder. */
  close(): Promise<void>;
}

/** Opens the engine of a folder, or a database of the ClickHouse server named like it, with all tables. */
export async function openEngine(folder: string, sessions = 2): Promise<Engine> {
  const limits = { sessions, queueLength: 500 };
  const server = process.env.STORELENS_TEST_CLICKHOUSE_URL?.replace(/\/$/, '');
  const engine =
    server === undefined
      ? await openChdb({ folder: join(folder, 'engine'), ...limits })
      : await openClickHouse({ url: `${server}/${basename(folder).replaceAll(/\W/g, '_')}`, ...limits });
  await migrateEngine(engine);
  return engine;
}

/** Opens an engine to share, in a folder of its own. */
export async function shareEngine(sessions?: number): Promise<SharedEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-engine-'));
  const engine = await openEngine(folder, sessions);
  const tables = Buffer.from(
    await engine.query({
      account: '',
      sql: `SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schemaSteps'`,
      format: 'TSV',
    }),
  )
    .toString('utf8')
    .trim()
    .split('\n');
  return {
    engine,
    async empty() {
      for (const table of tables) await engine.command({ account: '', sql: `TRUNCATE TABLE ${table}` });
    },
    async close() {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
