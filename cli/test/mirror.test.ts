/** `storelens mirror` as a user runs it: what A answers, B answers afterwards, however often and badly it ran. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { unlisted } from '@storelens/client';
import { type Lab, startLab } from './mirror-lab.js';

const app = '9NBLGGGZ5QDR';
const now = Date.UTC(2016, 5, 20, 12);
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;

function acquisition(daysAgo: number, market: string, quantity: number) {
  const timestamp = new Date(now - daysAgo * 86_400_000).toISOString();
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

test('what the source answers is answered by the copy, run by run', async (context) => {
  const lab = await startLab(context, { now, products });
  const rows = Array.from({ length: 60 }, (_, day) =>
    ['US', 'DE', "O'Brien"].flatMap((market, index) =>
      (day + index) % 5 === 0 ? [] : [acquisition(day, market, 1 + ((day * 7 + index) % 9))],
    ),
  ).flat();
  await lab.account.ingest('acquisitions', rows);
  const args = [...once, '--report', 'appacquisitions', '--since', '2016-04-01'];

  const first = await lab.mirror(args);
  assert.equal(first.err, '');
  assert.match(
    first.out,
    /^REPORT +PRODUCT +READ +CHANGED +EMPTY +KEPT +FAILED +ROWS +FILES\nappacquisitions +9NBLGGGZ5QDR +81 +81 +21 +0 +0 +144 +0\n$/,
  );
  await sameRows(lab, 'appacquisitions', '2016-04-01', 3);

  const status = await lab.mirror(['status']);
  assert.match(
    status.out,
    /appacquisitions +9NBLGGGZ5QDR +2016-04-01 +2016-06-20 +49 +11 +21 +0 +2016-06-20T12/,
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
  await sameRows(lab, 'appacquisitions', '2016-04-01', 3);
});

test('killed at any moment, the mirror or the target, the next run completes the copy', async (context) => {
  const lab = await startLab(context, { now, products });
  await lab.account.ingest(
    'acquisitions',
    Array.from({ length: 80 }, (_, day) => acquisition(day, day % 2 === 0 ? 'US' : 'DE', day + 1)),
  );
  const args = [...once, '--report', 'appacquisitions', '--since', '2016-04-02'];
  const known = async (): Promise<number> => {
    const answer = await lab.target.request('/ingest/v1/mirror/state');
    const { reports } = (await answer.json()) as { reports: { days: Record<string, number> }[] };
    return Object.values(reports[0]?.days ?? {}).reduce((sum, count) => sum + count, 0);
  };
  const kills: number[] = [];
  for (const share of [10, 35]) {
    const started = (process: ChildProcess): void => {
      const look = async (): Promise<void> => {
        if (process.exitCode !== null || process.signalCode !== null) return;
        if ((await known()) < share) return look();
        process.kill('SIGKILL');
      };
      void look();
    };
    const ran = await lab.mirror(args, { started });
    assert.equal(ran.code, null, 'it was killed');
    kills.push(await known());
  }
  assert.ok(kills[0] !== undefined && kills[0] >= 10 && kills[0] < 80, `${kills}`);
  await lab.killTarget();
  const last = await lab.mirror(args);
  assert.equal(last.err, '');
  assert.match(last.out, /appacquisitions +9NBLGGGZ5QDR +\d+ +\d+ +0 +0 +0 +\d+ +0\n/);
  await sameRows(lab, 'appacquisitions', '2016-04-02', 3);
  assert.match((await lab.mirror(args)).out, /appacquisitions +9NBLGGGZ5QDR +11 +0 +0 +0 +0 +11 +0\n/);
});
