/** `storelens mirror` as a user runs it: what A answers, B answers afterwards, however often and badly it ran. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { unlisted } from '@storelens/client';
import { literalReports } from '@storelens/contract';
import { Dice } from '@storelens/server/test-oracle/random';
import { answerOf, rowsIn, someQuestion } from '../mirror-compare.js';
import { knownDays, type Lab, runKilled, runWithoutTarget, startLab } from '../mirror-lab.js';

const app = '9NBLGGGZ5QDR';
const now = Date.UTC(2016, 5, 20, 12);
const seed = Number(process.env.STORELENS_TEST_SEED ?? randomInt(1_000_000_000));
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;

const timeBefore = (days: number) => new Date(now - days * 86_400_000).toISOString();
const dayBefore = (days: number) => timeBefore(days).slice(0, 10);

function acquisition(daysAgo: number, market: string, quantity: number) {
  const timestamp = timeBefore(daysAgo);
  return { applicationId: app, timestamp, market, deviceType: 'PC', quantity };
}

/** Questions whose answers must be the same. */
const questions = [
  {},
  { aggregationLevel: 'week', groupby: ['market'] },
  { aggregationLevel: 'month' },
  { filter: "market eq 'US'", orderby: 'market desc,date' },
] as const;

async function sameRows(
  { source, target }: Lab,
  name: string,
  startDate: string,
  least: number,
): Promise<void> {
  for (const question of questions) {
    const parameters = { applicationId: app, startDate, endDate: '2016-06-20', ...question };
    const wanted = await source.rows(unlisted(name), parameters).toArray();
    assert.ok(wanted.length >= least, `${wanted.length} rows`);
    assert.deepEqual(await target.rows(unlisted(name), parameters).toArray(), wanted);
  }
}

const once = ['--once', '--source', 'source', '--app', app, '--pace', '0'];

test(`what the source answers is answered by the copy, run by run (seed ${seed})`, async (context) => {
  const lab = await startLab(context, { now, products });
  const rows = Array.from({ length: 25 }, (_, day) =>
    ['US', 'DE', "O'Brien"].flatMap((market, index) =>
      (day + index) % 5 === 0 ? [] : [acquisition(day, market, 1 + ((day * 7 + index) % 9))],
    ),
  ).flat();
  await lab.account.ingest('acquisitions', rows);
  const args = [...once, '--report', 'appacquisitions', '--since', '2016-05-22'];

  const first = await lab.mirror(args);
  assert.equal(first.err, '');
  assert.match(
    first.out,
    /^REPORT +PRODUCT +READ +CHANGED +EMPTY +KEPT +FAILED +ROWS +FILES\nappacquisitions +9NBLGGGZ5QDR +30 +30 +5 +0 +0 +60 +0\n$/,
  );
  await sameRows(lab, 'appacquisitions', '2016-05-22', 3);

  const status = await lab.mirror(['status']);
  assert.match(
    status.out,
    /appacquisitions +9NBLGGGZ5QDR +2016-05-22 +2016-06-20 +14 +11 +5 +0 +0 +0 +2016-06-20T12/,
  );

  const second = await lab.mirror(args);
  assert.match(
    second.out,
    /appacquisitions +9NBLGGGZ5QDR +11 +0 +0 +0 +0 +26 +0\n/,
    'recent days alone, and none changed',
  );

  // Late data of a recent day.
  await lab.account.ingest('acquisitions', [acquisition(3, 'FR', 5)]);
  assert.match((await lab.mirror(args)).out, /appacquisitions +9NBLGGGZ5QDR +11 +1 +0 +0 +0 +27 +0\n/);
  await sameRows(lab, 'appacquisitions', '2016-05-22', 3);

  const dice = new Dice('questions', seed);
  let answered = 0;
  for (let count = 0; count < 40; count += 1) {
    const [start = 0, end = 0] = [dice.whole(0, 29), dice.whole(0, 29)].sort((one, other) => other - one);
    const range = { start: dayBefore(start), end: dayBefore(end) };
    const asking = { ...range, shape: '2018', products: [{ ...products[0], parentId: null }] } as const;
    const question = someQuestion(literalReports.appacquisitions, asking, dice);
    const wanted = await answerOf(lab.source, question);
    assert.deepEqual(rowsIn((await answerOf(lab.target, question)).body), rowsIn(wanted.body), question);
    answered += rowsIn(wanted.body).length;
  }
  assert.ok(answered > 20, `${answered} rows`);
});

test('killed at any moment, the mirror or the target, the next run completes the copy', async (context) => {
  const lab = await startLab(context, { now, products });
  await lab.account.ingest(
    'acquisitions',
    Array.from({ length: 40 }, (_, day) => acquisition(day, day % 2 === 0 ? 'US' : 'DE', day + 1)),
  );
  const args = [...once, '--report', 'appacquisitions', '--since', '2016-05-12'];
  const kills: number[] = [];
  for (const share of [8, 10]) {
    await runKilled(lab, args, share);
    kills.push(await knownDays(lab));
  }
  assert.ok(kills[0] !== undefined && kills[0] >= 8 && kills[0] < 40, `${kills}`);
  const last = await runWithoutTarget(lab, args, 5);
  assert.equal(last.err, '');
  assert.match(last.out, /appacquisitions +9NBLGGGZ5QDR +\d+ +\d+ +0 +0 +0 +\d+ +0\n/);
  await sameRows(lab, 'appacquisitions', '2016-05-12', 3);
  assert.match((await lab.mirror(args)).out, /appacquisitions +9NBLGGGZ5QDR +11 +0 +0 +0 +0 +11 +0\n/);
});
