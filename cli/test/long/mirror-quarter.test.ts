/**
 * A quarter of mirroring, once from either form of rows. A forgets failures after 30 days, lets few requests through in
 * a minute, gets late data, and other numbers for days that it had told; the mirror and B are killed in mid-run. Random
 * questions: what A still holds is answered by B as by A, what A has forgotten as A answered it in its time.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { datasets, literalReports, type ReportEntry, reports } from '@storelens/contract';
import { someRows } from '@storelens/server/test-oracle/generate-data';
import { bodyOf, Num, type PostedRow } from '@storelens/server/test-oracle/posted';
import { Dice } from '@storelens/server/test-oracle/random';
import { type Answered, answerOf, rowsIn, same, someQuestion } from '../mirror-compare.js';
import { type Lab, runKilled, runWithoutTarget, startLab, uploadCrash } from '../mirror-lab.js';

const seed = Number(process.env.STORELENS_TEST_SEED ?? randomInt(1_000_000_000));
const app = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;
const known = products.map((product) => ({ parentId: null, ...product }));
const day = 86_400_000;
const start = Date.UTC(2016, 2, 1, 12);
/** Runs, and days between them. Days that a run finds recent are read again by the next, before A forgets them. */
const visits = 6;
const between = 15;
/** Days before a run that data is late for, or told anew. */
const late = 7;
/** Days that A keeps failures. */
const keeps = 30;
const names = ['appacquisitions', 'ratings', 'adsperformance', 'failurehits', 'failuredetails'] as const;

const iso = (time: number) => new Date(time).toISOString();
const dayAt = (time: number) => iso(time).slice(0, 10);

/** Rows of a dataset, on days from one to another. */
function rowsBetween(
  name: string,
  count: number,
  from: number,
  to: number,
  dice: Dice,
): readonly PostedRow[] {
  const entry = datasets[name];
  assert.ok(entry);
  return someRows(entry, count, known, dice).map((row) => {
    const time = from + dice.whole(0, Math.round((to - from) / day)) * day;
    return { ...row, [entry.time]: entry.time === 'date' ? dayAt(time) : iso(time) };
  });
}

/** Sends rows to A. */
async function post({ source }: Lab, dataset: string, rows: readonly PostedRow[]): Promise<void> {
  const answer = await source.request(`/ingest/v1/${dataset}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf(rows, 'array'),
  });
  await answer.body?.cancel();
}

/**
 * What happens in some days, what is late for the week before, and other numbers for what was told of it. Returns what
 * the next days may tell anew.
 */
async function happen(
  lab: Lab,
  visit: number,
  [from, to]: readonly [number, number],
  told: readonly PostedRow[],
): Promise<readonly PostedRow[]> {
  const dice = new Dice('events', seed, visit);
  for (const [name, count] of [
    ['acquisitions', 60],
    ['ratings', 30],
    ['failures', 30],
  ] as const) {
    await post(lab, name, rowsBetween(name, count, from, to, dice));
    if (visit > 0) await post(lab, name, rowsBetween(name, count / 4, from - late * day, from - day, dice));
  }
  const rows = rowsBetween('adperformance', 30, from, to, dice);
  const week = told.filter(({ date }) => String(date) >= dayAt(from - late * day));
  await post(lab, 'adperformance', [
    ...rows,
    ...week.map((row) => ({ ...row, impressions: new Num(String(dice.whole(0, 10_000))) })),
  ]);
  return rows;
}

for (const shape of ['2018', '2022'] as const) {
  test(`after a quarter the copy of a source with rows of ${shape} answers all that it ever did (seed ${seed})`, async (context) => {
    const lab = await startLab(context, {
      now: start,
      args: ['--row-shape', shape, '--limit-failure-days', String(keeps), '--rate-limit', '30'],
      targetArgs: ['--row-shape', shape],
      products,
    });
    const run = [
      ...['--once', '--source', 'source', '--app', app, '--pace', '0', '--since', '2016-03-01'],
      ...names.flatMap((name) => ['--report', name]),
    ];
    const remembered = new Map<string, Answered>();
    const asked = { rows: 0, equal: 0, bound: 0, unknown: 0 };
    const compare = async (question: string, want: Answered) => {
      const got = await answerOf(lab.target, question);
      asked.rows += rowsIn(want.body).length;
      asked[same(want.body, got.body, got.notice, question)] += 1;
    };
    const failures: readonly ReportEntry[] = [literalReports.failurehits];
    const cab = await readFile(
      new URL('../../../../server/test/crash-samples/report-stored.cab', import.meta.url),
    );
    let cabId = '';
    let throttled = 0;
    const onWait = () => {
      throttled += 1;
    };
    let told: readonly PostedRow[] = [];
    for (let visit = 0; visit < visits; visit += 1) {
      const from = start + visit * between * day;
      const to = from + (between - 1) * day;
      lab.setTime(to);
      told = await happen(lab, visit, [from, to], told);
      if (visit === 0) cabId = await uploadCrash(lab, app, cab, from + day);
      if (visit === 1 || visit === 4) await runKilled(lab, run, 5 + visit * 10);
      const ran =
        visit === 2 || visit === 5
          ? await runWithoutTarget(lab, run, visit * 10)
          : await lab.mirror(run, { onWait });
      assert.deepEqual([ran.code, ran.err], [0, ''], ran.out);
      // Nothing will come for these days any more, and some of them will be forgotten before the next run.
      const range = { start: dayAt(to - (keeps - 1) * day), end: dayAt(to - late * day) };
      const dice = new Dice('forgotten', seed, visit);
      for (let count = 0; count < 15; count += 1) {
        const question = someQuestion(dice.pick(failures), { ...range, products: known, shape }, dice);
        remembered.set(question, await answerOf(lab.source, question));
      }
    }
    assert.ok(throttled > 0, 'without a pace, all waits are those that A asked for');
    const end = start + visits * between * day - day;
    const dice = new Dice('held', seed);
    for (let count = 0; count < 100; count += 1) {
      const entry: ReportEntry | undefined = reports[dice.pick(names)];
      if (entry === undefined || entry.lookups !== undefined) continue;
      const first = entry.name.startsWith('failure') ? end - (keeps - 1) * day : start;
      const days = [0, 1].map(() => first + dice.whole(0, Math.round((end - first) / day)) * day).sort();
      const [from = first, to = end] = dice.chance(0.5) ? days : [first, end];
      const about = { products: known, shape, start: dayAt(from), end: dayAt(to) };
      const question = someQuestion(entry, about, dice);
      await compare(question, await answerOf(lab.source, question));
    }
    const held = { ...asked };
    for (const [question, want] of remembered) await compare(question, want);
    context.diagnostic(JSON.stringify({ held, all: asked }));
    assert.ok(held.equal > 30 && held.rows > 100 && asked.rows > held.rows, JSON.stringify(asked));
    const range = `startDate=${dayAt(start)}&endDate=${dayAt(start + 20 * day)}&groupby=date`;
    const forgotten = `/v1.0/my/analytics/failurehits?applicationId=${app}&${range}`;
    assert.deepEqual(rowsIn((await answerOf(lab.source, forgotten)).body), [], 'A has forgotten them');
    assert.ok(rowsIn((await answerOf(lab.target, forgotten)).body).length > 0);

    const parameters = { applicationId: app, cabId };
    assert.ok((await lab.target.rows('stacktrace', parameters).toArray()).length > 0);
    const file = await lab.target.download('cabdownload', parameters);
    assert.deepEqual(Buffer.from(await new Response(file.body).arrayBuffer()), cab);
  });
}
