/**
 * Fills the engine of a data folder that no server has, sums and counts its rows, and brings folders of earlier versions
 * up to date. In a process of its own: the engine goes on merging until its process ends, and folders are copied.
 */
import { join } from 'node:path';
import { openChdb } from '../../server/dist/src/engine/chdb.js';
import { migrateEngine } from '../../server/dist/src/engine/migrate.js';
import { createLedger } from '../../server/dist/src/ledger/ledger.js';
import { Rollups } from '../../server/dist/src/ledger/rollups.js';
import { openLibsqlRegistry } from '../../server/dist/src/registry/libsql.js';
import { migrateRegistry } from '../../server/dist/src/registry/migrate.js';
import { createSums } from '../../server/dist/src/sums/index.js';
import { generate, rowsPerCommit } from './data.mjs';

/** Writes the commits of generated rows into the ledger, as ingestion would have. */
async function record(registry, accountId, dataset, rows) {
  const last = Math.ceil(rows / rowsPerCommit);
  await registry.transaction(async (queries) => {
    for (let seq = 1; seq <= last; seq += 1) {
      await queries.all(
        `INSERT INTO commits (account_id, seq, dataset, batch_id, body_hash, shard, row_count, first_day, last_day, state, begun_at, done_at)
VALUES ($1, $2, $3, NULL, '', 0, $4, '1970-01-01', '2149-06-06', 'done', 0, 0)`,
        [accountId, seq, dataset, Math.min(rowsPerCommit, rows - (seq - 1) * rowsPerCommit)],
      );
    }
    await queries.all('INSERT INTO account_commits (account_id, last_seq) VALUES ($1, $2)', [
      accountId,
      last,
    ]);
  });
}

/** Sums and counts rows as the server does some minutes after they came, which spreads it over many. */
async function sum(engine, registry) {
  const ledger = createLedger(registry, Date);
  const rollups = new Rollups(registry);
  const parts = { engine, ledger, rollups, leastRows: 250_000, embedded: true, grace: 0 };
  await createSums({ ...parts, piecesAtOnce: Number.POSITIVE_INFINITY }).run(Date.now());
}

const [, , folder, task] = process.argv;
const { name, accountId, dataset, rows, shape } = JSON.parse(task);
const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
const engine = await openChdb({ folder: join(folder, 'engine'), sessions: 1, queueLength: 1 });
try {
  await migrateRegistry(registry);
  await migrateEngine(engine);
  if (dataset !== undefined) {
    await generate(engine, accountId, dataset, rows, shape, (done) =>
      process.stderr.write(`\rmaking ${name}: ${done.toLocaleString('en')} rows`),
    );
    process.stderr.write('\n');
    // As a server has it after a quiet hour. One that starts with many parts merges them beside what is measured.
    await engine.command({ account: accountId, sql: `OPTIMIZE TABLE ${dataset} FINAL` });
    await record(registry, accountId, dataset, rows);
  }
  await sum(engine, registry);
} finally {
  await engine.close();
  await registry.close();
}
process.exit();
