/** DuckDB in a file behind a small Fastify handler of its own process: rows sorted by app and day, JSON made in Node. */
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startHandler } from './handler.mjs';

const file = fileURLToPath(import.meta.url);

/** What the bare engine exports for DuckDB, as Parquet. */
export const exportSql = `SELECT toString("accountId") AS "accountId", "applicationId", date, "inAppProductId", "acquisitionType", toInt32(quantity) AS quantity, "deviceType", "osVersion", "storeClient", "orderName", market, gender, "ageGroup", toInt64(seq) AS seq FROM acquisitions`;

/** Starts the handler; the database is made, from the Parquet file that `parquet` writes, unless it is there. */
export async function startDuckdb(path, parquet) {
  if (!existsSync(`${path}.filled`)) {
    await rm(path, { force: true });
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(path, { threads: '2' });
    const connection = await instance.connect();
    await connection.run(
      `CREATE TABLE acquisitions AS SELECT * REPLACE (CAST(date AS DATE) AS date) FROM read_parquet('${await parquet()}') ORDER BY "applicationId", date`,
    );
    await connection.run('CHECKPOINT');
    connection.closeSync();
    instance.closeSync();
    await writeFile(`${path}.filled`, '');
  }
  return await startHandler(file, [path]);
}

async function serve(path) {
  process.on('disconnect', () => process.exit(0));
  const [{ default: fastify }, { DuckDBInstance }] = await Promise.all([
    import('fastify'),
    import('@duckdb/node-api'),
  ]);
  const instance = await DuckDBInstance.create(path, { threads: '2', access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const app = fastify();
  app.post('/page', async (request, reply) => {
    const { sql, skip, top } = request.body;
    const paged = `SELECT *, count(*) OVER () AS total FROM (${sql}) LIMIT ${Number(top)} OFFSET ${Number(skip)}`;
    const reader = await connection.runAndReadAll(paged);
    let total = 0;
    const Value = reader.getRowObjectsJson().map(({ total: count, ...row }) => {
      total = Number(count);
      return { ...row, acquisitionQuantity: Number(row.acquisitionQuantity) };
    });
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify({ Value, TotalCount: total }));
  });
  process.send(await app.listen({ host: '127.0.0.1', port: 0 }));
}

if (process.argv[1] === file && process.send !== undefined) await serve(process.argv[2]);
