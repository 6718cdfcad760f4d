/**
 * Goals 6 and 7, and tiny questions: the server beside PostgreSQL and DuckDB, each behind HTTP in a process of its
 * own. All answers have the same rows, which is checked before they are timed.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client.mjs';
import { exportSql as duckdbSql, startDuckdb } from '../contenders/duckdb.mjs';
import { copyEngine, startEngine } from '../contenders/engine.mjs';
import { exportSql as postgresSql, programs, reaches, startPostgres } from '../contenders/postgres.mjs';
import { appId } from '../data.mjs';
import { folderOf, place } from '../folder.mjs';
import { interleave, median } from '../measure.mjs';
import { cleanly, removeWith } from '../processes.mjs';
import { fullGrain, monthByMarket, small } from '../questions.mjs';
import { startServer } from '../server.mjs';

/** Writes the rows of a copied folder into a file, in the format of a contender. */
async function exported(data, path, sql, format) {
  const copy = await copyEngine(data.folder);
  const engine = await startEngine(copy);
  try {
    await engine.query(`INSERT INTO FUNCTION file('${path}', '${format}') ${sql}`, undefined, {
      output_format_parquet_string_as_string: 1,
      engine_file_truncate_on_insert: 1,
    });
    await chmod(path, 0o644);
  } finally {
    await engine.stop();
    await rm(copy, { recursive: true, force: true });
  }
  return path;
}

/** Rows as text, so that contenders that print numbers or dates otherwise can be compared. */
const plainRows = (rows) =>
  JSON.stringify(
    rows.map(({ applicationName: _, ...row }) => ({
      ...row,
      date: String(row.date).slice(0, 10),
      acquisitionQuantity: Number(row.acquisitionQuantity),
    })),
  );

/** Starts every contender that this machine can run, on the rows of a data folder; `undo` takes how to end them. */
async function startContenders(data, undo) {
  const rows = data.folder.split('-').at(-1);
  const name = `contenders-${rows}-${data.madeFrom}`;
  for (const found of await readdir(place)) {
    const outdated = found.startsWith(`contenders-${rows}-`) && !found.startsWith(name);
    if (outdated) await rm(join(place, found), { recursive: true, force: true });
  }
  const base = join(place, name);
  const started = {};
  // Also if the run ends while they are read.
  for (const ending of ['parquet', 'csv']) removeWith(`${base}.${ending}`);
  const parquet = () => exported(data, `${base}.parquet`, duckdbSql, 'Parquet');
  started.duckdb = await startDuckdb(`${base}.duckdb`, parquet);
  undo(() => started.duckdb.stop());
  await rm(`${base}.parquet`, { force: true });
  if ((await programs()) === undefined) {
    console.log('    PostgreSQL is not installed here (apt-get install postgresql): left out');
    return started;
  }
  let folder = `${base}.postgres`;
  if (!reaches(place)) {
    folder = await mkdtemp(join(tmpdir(), 'bench-pg-'));
    removeWith(folder);
  }
  const csv = () => exported(data, `${base}.csv`, postgresSql, 'CSV');
  started.postgres = await startPostgres(folder, csv);
  undo(() => started.postgres.stop());
  await rm(`${base}.csv`, { force: true });
  return started;
}

/** Measures on the sparse acquisitions of one size. */
export const databases = ({ rows, rounds }) =>
  cleanly(async (undo) => {
    const data = await folderOf('acquisitions', rows, 'sparse');
    const contenders = await startContenders(data, undo);
    const contender = (name, dialect, table) => {
      const client = createClient(contenders[name].url);
      undo(() => client.close());
      return (sql) => {
        const body = JSON.stringify({ sql: sql[dialect] ?? sql, table, skip: 0, top: 10_000 });
        return client.fine('POST', '/page', { 'content-type': 'application/json' }, body);
      };
    };
    const others = {
      DuckDB: contender('duckdb', 'duckdb', 'acquisitions'),
      ...(contenders.postgres && {
        'PostgreSQL raw': contender('postgres', 'postgres', 'acquisitions'),
        'PostgreSQL rollup': contender('postgres', 'postgres', 'acquisitions_daily'),
      }),
    };

    /** A new server, which has answered another question, and then what `run` asks its client. */
    const served = (run) =>
      cleanly(async (back) => {
        const server = await startServer(data.folder);
        back(() => server.stop());
        const client = createClient(server.url);
        back(() => client.close());
        await client.signIn(data);
        const other = fullGrain(data.accountId, appId(500));
        await client.ask(other.report, other.parameters);
        return await run(client);
      });
    const cold = (question) => served((client) => client.ask(question.report, question.parameters));
    const agree = async (question, answer) => {
      const { Value, TotalCount } = JSON.parse(answer.body.toString());
      const expected = plainRows(Value);
      for (const [name, run] of Object.entries(others)) {
        const said = JSON.parse((await run(question.sql)).body.toString());
        assert.equal(said.TotalCount, TotalCount, `${name}: total`);
        assert.ok(
          plainRows(said.Value) === expected,
          `${name} answers ${question.report} as the server does`,
        );
      }
    };
    const ids = { DuckDB: 'VsDuckdb', 'PostgreSQL raw': 'VsPostgres', 'PostgreSQL rollup': 'VsRollup' };
    const figures = [];
    const note = (prefix, { times }, ratio) => {
      for (const name of Object.keys(others)) {
        const value = ratio(median(times[name]), median(times.server));
        const pair = { server: times.server, [name]: times[name] };
        figures.push({ id: prefix + ids[name], rows, shape: 'sparse', value, times: pair });
      }
    };

    for (const [prefix, question] of [
      ['page', fullGrain(data.accountId)],
      ['months', monthByMarket(data.accountId)],
    ]) {
      await agree(question, await cold(question));
      const asked = Object.entries(others).map(([name, run]) => [
        name,
        async () => (await run(question.sql)).milliseconds,
      ]);
      const server = async () => (await cold(question)).milliseconds;
      const contenders = { server, ...Object.fromEntries(asked) };
      const measured = await interleave(contenders, Math.max(3, rounds >> 1), { warmUp: 0 });
      note(prefix, measured, (other, own) => other / own);
    }

    const tiny = await served(async (client) => {
      const question = (round) => small(data.accountId, appId(100 + round));
      const ask = (round) => client.ask(question(round).report, question(round).parameters);
      await agree(question(-2), await ask(-2));
      const asked = Object.entries(others).map(([name, run]) => [
        name,
        async (round) => (await run(question(round).sql)).milliseconds,
      ]);
      const server = async (round) => (await ask(round)).milliseconds;
      return await interleave({ server, ...Object.fromEntries(asked) }, rounds * 4);
    });
    note('tiny', tiny, (other, own) => own / other);
    return figures;
  });
