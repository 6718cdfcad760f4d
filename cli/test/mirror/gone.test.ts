/** `storelens mirror` and what the source has no longer, or never had: it ends in a state that says so, and is no failure. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Asked, changed, type HostileProxy, says, startProxy, type Trick } from '../hostile-proxy.js';
import { startLab, uploadCrash } from '../mirror-lab.js';

const app = '9NBLGGGZ5QDR';
const now = Date.UTC(2016, 5, 20, 12);
const day = 86_400_000;
const dayBefore = (days: number) => new Date(now - days * day).toISOString().slice(0, 10);
const timeBefore = (days: number) => new Date(now - days * day).toISOString();

test('what the source has dropped, or never had, is kept or without, and no failure', async (context) => {
  let proxy: HostileProxy | undefined;
  const lab = await startLab(context, {
    now,
    args: ['--limit-failure-days', '30'],
    products: [{ kind: 'app', id: app, name: 'Contoso Demo' }],
    front: async (url) => {
      proxy = await startProxy(context, url);
      return proxy.url;
    },
  });
  const trick = (decide: (asked: Asked) => Trick | undefined) => {
    assert.ok(proxy);
    proxy.trick = decide;
  };
  const run = (report: string, since: number) =>
    lab.mirror([
      '--source',
      'source',
      '--app',
      app,
      '--pace',
      '0',
      '--report',
      report,
      '--since',
      dayBefore(since),
    ]);
  const fail = async (report: string, name: string) => {
    const path = `/ingest/v1/mirror/state/${report}/${name}?applicationId=${app}`;
    const body = JSON.stringify({ state: 'failed', error: 'The service failed (500).' });
    const headers = { 'content-type': 'application/json' };
    await (await lab.target.request(path, { method: 'PUT', headers, body })).body?.cancel();
  };
  const states = async (report: string) => {
    const answer = await lab.target.request(`/ingest/v1/mirror/state?report=${report}`);
    const { days } = (await answer.json()) as { days: readonly Record<'day' | 'state' | 'error', string>[] };
    return new Map(days.map(({ day, state, error }) => [day, [state, error]]));
  };

  await context.test('days that are older than what the source keeps', async () => {
    const failures = [2, 25, 28].map((days) => ({
      ...{ source: 'app', applicationId: app, timestamp: timeBefore(days), market: 'US', deviceType: 'PC' },
      ...{ failureName: 'CRASH', failureHash: '0cb41ecf-0a55-4a0b-a6a7-0b2a5ba9bdfa', eventType: 'crash' },
    }));
    await lab.account.ingest('failures', failures);
    assert.equal((await run('failurehits', 40)).code, 0);
    for (const days of [25, 28, 35]) await fail('failurehits', dayBefore(days));
    lab.setTime(now + 3 * day);
    const ran = await run('failurehits', 40);
    assert.deepEqual(
      [ran.code, ran.err],
      [
        0,
        `failurehits ${app} 1 day could never be read, and the source has dropped it: \`storelens mirror status --without\` lists it\n`,
      ],
    );
    assert.match(ran.out, new RegExp(`^failurehits +${app} +\\d+ +\\d+ +\\d+ +1 +0 `, 'm'), 'one is kept');
    const known = await states('failurehits');
    const told = 'The source keeps 30 days. The last attempt: The service failed (500).';
    assert.deepEqual(known.get(dayBefore(28)), ['kept', told]);
    assert.deepEqual(known.get(dayBefore(35)), ['without', told]);
    assert.deepEqual(known.get(dayBefore(25)), ['settled', null], 'the source still has it');
    const status = await lab.mirror(['status']);
    assert.match(status.out, / SETTLED +READ +EMPTY +FAILED +KEPT +WITHOUT +LAST RUN\n/);
    assert.match(status.out, /^failurehits .* 0 +1 +1 +2016-06-23T/m);
    const listed = await lab.mirror(['status', '--without']);
    assert.match(listed.out, /^REPORT +APPLICATION ID +DAY +ROWS +GONE AT +ERROR\n/);
    assert.match(
      listed.out,
      new RegExp(`\nfailurehits +${app} +${dayBefore(35)} .*The source keeps 30 days`),
    );
    const again = await run('failurehits', 40);
    assert.deepEqual([again.code, again.err], [0, ''], 'it is told once');
    lab.setTime(now);
  });

  await context.test('days that the source answers without rows, or twice without anything', async () => {
    const rows = [20, 21, 22].map((days) => ({
      ...{ applicationId: app, timestamp: timeBefore(days), market: 'US', deviceType: 'PC', quantity: days },
    }));
    await lab.account.ingest('acquisitions', rows);
    assert.equal((await run('appacquisitions', 23)).code, 0);
    for (const days of [20, 21]) await fail('appacquisitions', dayBefore(days));
    trick(({ query }) => {
      if (query.get('startDate') === dayBefore(20)) return says('');
      return changed((page) => ({ ...page, Value: [], TotalCount: 0 }));
    });
    const first = await run('appacquisitions', 23);
    assert.equal(first.code, 1, 'an answer without a body may be trouble');
    assert.match(first.out, new RegExp(`^appacquisitions +${app} +\\d+ +\\d+ +\\d+ +1 +1 `, 'm'));
    assert.deepEqual((await states('appacquisitions')).get(dayBefore(21)), [
      'kept',
      'It had 1 row, which the source has no longer.',
    ]);
    const second = await run('appacquisitions', 23);
    assert.deepEqual([second.code, second.err], [0, '']);
    assert.equal((await states('appacquisitions')).get(dayBefore(20))?.[0], 'kept', 'it was told twice');
    trick(() => undefined);
    const range = { startDate: dayBefore(22), endDate: dayBefore(20), groupby: ['date'] } as const;
    const kept = await lab.target.rows('appacquisitions', { applicationId: app, ...range }).toArray();
    assert.deepEqual(kept.map(({ acquisitionQuantity }) => acquisitionQuantity).sort(), [20, 21, 22]);
  });

  await context.test('stacks that have no frames', async () => {
    const cab = await readFile(
      new URL('../../../../server/test/crash-samples/report-stored.cab', import.meta.url),
    );
    const cabId = await uploadCrash(lab, app, cab, now - day);
    const asked: string[] = [];
    const none = changed((page) => ({ ...page, Value: [], TotalCount: 0 }));
    trick(({ name, query }) => {
      if (name !== 'stacktrace' || query.get('cabId') !== cabId) return undefined;
      asked.push(query.get('cabId') ?? '');
      return none;
    });
    const ran = await run('failuredetails', 5);
    assert.deepEqual([ran.code, ran.err], [0, '']);
    const without = ['without', 'The source has no frames.'];
    assert.deepEqual((await states('stacktrace')).get(cabId), without);
    assert.equal((await run('failuredetails', 5)).code, 0);
    assert.deepEqual(asked, [cabId], 'once while its day is recent');
    assert.match((await lab.mirror(['status'])).out, /^stacktrace .* 0 +0 +0 +0 +[12] /m);
  });
});
