/**
 * What the engine's check says of odd rows in a file: an engine with all tables, in a folder of its own. Seed and
 * number of rows come from the environment; the seed is printed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetEntry } from '@storelens/contract';
import { openChdb } from '../../src/engine/chdb.js';
import type { Engine } from '../../src/engine/index.js';
import { migrateEngine } from '../../src/engine/migrate.js';
import { type Facts, factsOf } from '../../src/ingest/rules.js';
import { statementOf } from '../../src/ingest/statement.js';
import type { Reading } from '../../src/ingest/stored-values.js';
import { oddNow, oddProducts } from './odd-rows.js';

/** Seed of a run. */
export const seed = Number(process.env.STORELENS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Rows of each dataset in a run. */
export const rowsEach = (usual: number) => Number(process.env.STORELENS_TEST_ROWS ?? usual);

/** What odd rows are checked against. */
export const oddFacts: Facts = factsOf(oddNow, {
  find: () => undefined,
  ofKind: (kind) => oddProducts[kind].map((id) => ({ id, kind, parentId: null, name: id })),
});

/** An engine that judges rows. */
export interface Judge {
  readonly engine: Engine;
  /** A place for a file. */
  file(name: string): string;
  /** For every row of a file whether the check calls it bad. */
  isBad(entry: DatasetEntry, reading: Reading, file: string): Promise<boolean[]>;
  /** Closes the engine and removes its folder. */
  close(): Promise<void>;
}

/** Opens an engine and prints the seed. */
export async function openJudge(): Promise<Judge> {
  console.log(`STORELENS_TEST_SEED=${seed}`);
  const folder = await mkdtemp(join(tmpdir(), 'storelens-odd-'));
  const engine = await openChdb({ folder: join(folder, 'engine'), sessions: 1, queueLength: 10 });
  await migrateEngine(engine);
  return {
    engine,
    file: (name) => join(folder, name),
    async isBad(entry, reading, file) {
      const {
        bad,
        params = {},
        ...statement
      } = statementOf(entry, reading, oddFacts, {
        accountId: 'a',
        seq: 1,
      });
      const bytes = await engine.query({
        account: 'a',
        // As the insert does, this reads every column.
        sql: `SELECT ifNull(${bad}, 1) OR ignore(i.*) FROM file('${file}', ${statement.format}, '${statement.structure}') AS i`,
        params: Object.fromEntries(Object.entries(params).filter(([name]) => bad.includes(`{${name}:`))),
        format: 'TSV',
        settings: { ...statement.settings, max_threads: 1 },
      });
      const lines = Buffer.from(bytes).toString('utf8').trimEnd().split('\n');
      return lines.map((line) => line !== '0' && line !== 'false');
    },
    async close() {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
