/** The client against the real server in the form in which it plays Microsoft's: 2022, limited, other links. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { connect, field, RateLimitError } from '@storelens/client';
import { startServer } from '@storelens/server/test-harness';

const desktopId = '10238467886765136388';
const markets = ['US', 'DE', 'FR', 'JP', 'IS', 'BR', 'IN'];

test('a server with absolute links, rows as of 2022 and a limit on requests is walked as well', async () => {
  let moment = Date.UTC(2018, 5, 1, 12);
  const other = await startServer({
    now: moment,
    args: ['--next-link', 'absolute', '--row-shape', '2022', '--rate-limit', '6'],
  });
  try {
    const owner = await other.account({ products: [{ kind: 'desktop', id: desktopId, name: 'Contoso' }] });
    await owner.ingest(
      'failures',
      markets.map((market, index) => ({
        timestamp: `2018-05-20T10:0${index}:00Z`,
        source: 'desktop',
        applicationId: desktopId,
        failureName: 'NULL_READ_c0000005_contoso.exe!Main',
        market,
      })),
    );
    const waits: number[] = [];
    const patient = connect({
      ...owner,
      url: other.url,
      rowShape: '2022',
      onRetry: ({ error }) => assert.ok(error instanceof RateLimitError),
      clock: {
        now: () => moment,
        async wait(milliseconds, signal) {
          // Nobody runs out of patience here.
          if (milliseconds === 120_000) await once(signal, 'abort').then(() => signal.throwIfAborted());
          waits.push(milliseconds);
          moment += milliseconds;
          other.setTime(moment);
        },
      },
    });
    const month = { applicationId: desktopId, startDate: '2018-05-01', endDate: '2018-05-31' } as const;
    const filter = field('market').ne("it's + 100% #1");
    const rows = await patient
      .rows('desktop/failurehits', { ...month, groupby: ['market'], filter, orderby: 'market', top: 1 })
      .toArray();
    assert.deepEqual(
      rows.map(({ market, date, eventCount }) => [market, date, eventCount]),
      markets.toSorted().map((market) => [market, null, 1]),
    );
    assert.ok(waits.length > 0, 'the server asked to wait');
    const [total] = await patient.rows('desktop/failurehits', month).toArray();
    assert.deepEqual([total?.eventCount, total?.market], [markets.length, undefined]);
  } finally {
    await other.close();
  }
});
