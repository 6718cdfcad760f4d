/** Goals 1 to 5: first and later pages, all pages, the server's share of an answer, repeated answers. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createClient } from '../client.mjs';
import { copyEngine, startEngine } from '../contenders/engine.mjs';
import { appId, days, hotApp } from '../data.mjs';
import { copyOf, folderOf, forgetSums } from '../folder.mjs';
import { compared, interleave, metered } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { fullGrain, monthByMarket, rowsOf, small } from '../questions.mjs';
import { startServer } from '../server.mjs';

const plainJson = { output_format_json_quote_64bit_integers: 0 };
const exactTotal = { ...plainJson, exact_rows_before_limit: 1 };

/** Rows and total of the plain engine query, as the envelope would have them. */
async function plainPage(engine, sql, skip = 0) {
  const { bytes, milliseconds } = await engine.query(`${sql} LIMIT 10000 OFFSET ${skip}`, 'JSON', exactTotal);
  const { data, rows_before_limit_at_least: total } = JSON.parse(bytes.toString());
  return { rows: JSON.stringify(data), total, milliseconds };
}

/**
 * Goal 1: server and engine are new processes in every round; all have answered another app once. `server` has counted its
 * rows in advance, `uncounted` has not, and `late` has got a batch since.
 */
async function coldFirstPage(folders, copy, rounds) {
  const question = fullGrain(folders.server.accountId);
  const other = fullGrain(folders.server.accountId, appId(500));
  const serve = (data) =>
    cleanly(async (undo) => {
      const server = await startServer(data.folder);
      undo(() => server.stop());
      const client = createClient(server.url);
      undo(() => client.close());
      await client.signIn(data);
      await client.ask(other.report, other.parameters);
      return await metered(server.pid, () => client.ask(question.report, question.parameters));
    });
  const ask = () =>
    cleanly(async (undo) => {
      const engine = await startEngine(copy);
      undo(() => engine.stop());
      await plainPage(engine, other.sql);
      return await metered(engine.pid, () => plainPage(engine, question.sql));
    });
  const checked = async (data) => {
    const answer = await serve(data);
    const plain = await ask();
    // Not assert.equal: nobody wants to read megabytes.
    assert.ok(rowsOf(answer.body) === plain.rows, 'the first page has the rows of the plain query');
    assert.equal(JSON.parse(answer.body.toString()).TotalCount, plain.total);
    return answer;
  };
  return await interleave(
    {
      server: (round) => (round > 0 ? serve(folders.server) : checked(folders.server)),
      uncounted: (round) => (round > 0 ? serve(folders.uncounted) : checked(folders.uncounted)),
      late: () => serve(folders.late),
      plain: ask,
    },
    rounds,
    { warmUp: 0 },
  );
}

/** Posts a thousand rows of the hot app: of the three newest days, and one that is a year late. */
const postLate = (data) =>
  cleanly(async (undo) => {
    const server = await startServer(data.folder);
    undo(() => server.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(data);
    const lastDay = Date.parse(`${days.last}T12:00:00Z`);
    const body = Array.from({ length: 1000 }, (_, index) => {
      const timestamp = new Date(lastDay - 86_400_000 * (index === 0 ? 365 : index % 3)).toISOString();
      return JSON.stringify({ applicationId: hotApp, timestamp, market: `M${index % 50}` });
    });
    const type = { 'content-type': 'application/x-ndjson' };
    await client.fine('POST', '/ingest/v1/acquisitions', type, body.join('\n'));
  });

/** Measures on the acquisitions of one size and shape. */
export const pages = ({ rows, shape = 'sparse', rounds }) =>
  cleanly(async (undo) => {
    const data = await folderOf('acquisitions', rows, shape);
    const copy = await copyEngine(data.folder);
    undo(() => rm(copy, { recursive: true, force: true }));
    const figures = [];
    const note = (id, measured, over, under, remark = '') =>
      figures.push({ id, rows, shape, remark, ...compared(measured, over, under) });

    const uncounted = await copyOf(data, 'uncounted');
    undo(() => rm(uncounted.folder, { recursive: true, force: true }));
    await forgetSums(uncounted);
    const late = await copyOf(data, 'late');
    undo(() => rm(late.folder, { recursive: true, force: true }));
    await postLate(late);
    const folders = { server: data, uncounted, late };
    const cold = await coldFirstPage(folders, copy, Math.max(3, Math.ceil(rounds / 2)));
    note('coldPage', cold, 'server', 'plain');
    note('coldLate', cold, 'late', 'plain');
    note('coldUncounted', cold, 'uncounted', 'plain');

    const server = await startServer(data.folder);
    undo(() => server.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(data);
    const engine = await startEngine(copy);
    undo(() => engine.stop());

    const question = fullGrain(data.accountId);
    // Each call asks for another offset, so that no answer is a repeated one.
    const page = async (skip) =>
      (await client.ask(question.report, { ...question.parameters, skip, top: 10_000 })).milliseconds;
    const first = await client.ask(question.report, question.parameters);
    const { TotalCount: total } = JSON.parse(first.body.toString());
    const far = Math.max(0, Math.min(400_000, total - 11_000));
    const later = await interleave(
      { first: (round) => page(20 + 7 * round), later: (round) => page(far + 20 + 7 * round) },
      rounds * 2,
      { processes: { first: server.pid, later: server.pid } },
    );
    note('laterPage', later, 'later', 'first', `skip=${far}`);

    const bulk = async () => (await engine.query(question.sql, 'JSONEachRow', plainJson)).milliseconds;
    const all = await interleave(
      { pages: (round) => everyPage(client, question, 9_999 - Math.max(0, round), total), bulk },
      Math.max(3, rounds >> 1),
      { processes: { pages: server.pid, bulk: engine.pid } },
    );
    note('allPages', all, 'pages', 'bulk', `${total} rows`);

    const both = { http: server.pid, engine: engine.pid };
    const window = await pageWindow(engine, question, data);
    const share = await interleave(
      {
        http: (round) => page(window.skip + Math.max(0, round)),
        engine: async (round) =>
          (await engine.query(window.sql(Math.max(0, round)), 'JSONEachRow', plainJson)).milliseconds,
      },
      rounds * 2,
      { processes: both },
    );
    note('httpPage', share, 'http', 'engine');

    const tiny = await interleave(
      {
        http: async (round) => {
          const asked = small(data.accountId, appId(20 + round));
          return (await client.ask(asked.report, asked.parameters)).milliseconds;
        },
        engine: async (round) =>
          (await engine.query(small(data.accountId, appId(20 + round)).sql, 'JSONEachRow', plainJson))
            .milliseconds,
      },
      rounds * 4,
      { processes: both },
    );
    note('httpSmall', tiny, 'http', 'engine');
    note('again', await repeatedAnswer(client, data, rounds, server.pid), 'again', 'fixed');

    const months = monthByMarket(data.accountId);
    const asked = await client.ask(months.report, months.parameters);
    const direct = await engine.query(months.sql.clickhouse, 'JSON', plainJson);
    const rowsSaid = JSON.parse(asked.body.toString()).Value.map(({ applicationName: _, ...row }) => row);
    assert.deepEqual(rowsSaid, JSON.parse(direct.bytes.toString()).data, 'months by market agree');
    return figures;
  });

/** Follows the links from the first page to the last and answers milliseconds. */
async function everyPage(client, { report, parameters }, top, total) {
  const began = performance.now();
  let link = new URLSearchParams({ ...parameters, top }).toString();
  for (let count = 0; link !== null; count += 1) {
    const answer = await client.ask(report, link);
    // The link stands in the last bytes: the rows are not parsed here, as the bulk read's are not.
    const tail = answer.body.subarray(-600).toString();
    const [, next, said] = /"@nextLink":(null|"(?:[^"\\]|\\.)*"),"TotalCount":(\d+)\}$/.exec(tail) ?? [];
    assert.equal(Number(said), total, 'every page says the total');
    link = next === 'null' ? null : JSON.parse(next).split('?')[1];
    assert.ok(count <= total / 9_000, 'the links come to an end');
  }
  return performance.now() - began;
}

/** The engine query under a page in the middle: its days, and the rows to pass over in them. */
async function pageWindow(engine, question, data) {
  const { bytes } = await engine.query(
    `SELECT date, count() AS n FROM (${question.sql}) GROUP BY date ORDER BY date DESC`,
    'JSONCompactEachRow',
    plainJson,
  );
  const daysFound = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const middle = daysFound.length >> 1;
  const skip = daysFound.slice(0, middle).reduce((sum, [, count]) => sum + count, 0);
  let held = 0;
  let last = middle;
  while (last < daysFound.length && held < 10_400) held += daysFound[last++][1];
  const range = { startDate: daysFound[last - 1][0], endDate: daysFound[middle][0] };
  const { sql } = fullGrain(data.accountId, undefined, range);
  return { skip, sql: (offset) => `${sql} LIMIT 10000 OFFSET ${offset}` };
}

/** Goal 5: the same request over and over, beside a body of the same size that never changes. */
async function repeatedAnswer(client, data, rounds, pid) {
  const path = '/openapi.json';
  const fixed = await client.send('GET', path);
  const question = fullGrain(data.accountId, appId(2), { startDate: '2025-03-01', endDate: '2025-03-31' });
  const rowBytes =
    (await client.ask(question.report, { ...question.parameters, top: 100 })).body.length / 100;
  const parameters = { ...question.parameters, top: Math.round(fixed.body.length / rowBytes) };
  return await interleave(
    {
      again: async () => (await client.ask(question.report, parameters)).milliseconds,
      fixed: async () => (await client.send('GET', path)).milliseconds,
    },
    rounds * 10,
    { warmUp: 5, processes: { again: pid, fixed: pid } },
  );
}
