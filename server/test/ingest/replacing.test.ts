/**
 * Replacing datasets: the later commit wins, within a batch the later line; what a purge removes and keeps. The clock
 * only moves forward, from test to test.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Bench, event, noon, startBench } from './posting.js';

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

const minute = 60_000;
const adDay = { date: '2024-02-28', applicationId: event.applicationId, adUnitId: 'unit' } as const;

/** Impressions per ad unit as the report gives them at a snapshot. */
async function impressions(snapshot?: number): Promise<Record<string, number>> {
  const query = `applicationId=${event.applicationId}&startDate=2024-02-01&endDate=2024-02-29&groupby=adUnitId`;
  const extra = snapshot === undefined ? '' : `&snapshot=${snapshot}`;
  const answer = await bench.account.get(`/v1.0/my/analytics/adsperformance?${query}${extra}`);
  assert.equal(answer.status, 200, answer.text);
  const { Value } = answer.json as { Value: { adUnitId: string; impressions: number }[] };
  return Object.fromEntries(Value.map((row) => [row.adUnitId, row.impressions]));
}

async function storedRows(): Promise<unknown> {
  const [row] = await bench.rows('SELECT count() AS count FROM adperformance');
  return row?.count;
}

async function purge(): Promise<void> {
  await bench.server.app.parts.ingest.purge();
}

test('reviews are replaced whole, by app and id', async () => {
  const { account } = bench;
  const id = '6be543ff-1c9c-4534-aced-af8b4fbe0316';
  const review = { ...event, id, rating: 2 };
  await account.ingest('reviews', [
    { ...review, reviewText: 'first', market: 'US' },
    { ...review, applicationId: '9WZDNCRDABCD', reviewText: 'of another app' },
  ]);
  await account.ingest('reviews', [
    { ...review, rating: 3, reviewText: 'second' },
    { ...review, rating: 4, reviewText: 'third', id: id.toUpperCase() },
  ]);
  const texts = async (applicationId: string) => {
    const query = `applicationId=${applicationId}&startDate=2024-02-29&endDate=2024-02-29`;
    const answer = await account.get(`/v1.0/my/analytics/reviews?${query}`);
    const { Value } = answer.json as { Value: { reviewText: string; rating: number; market: string }[] };
    return Value.map(({ reviewText, rating, market }) => [reviewText, rating, market]);
  };
  assert.deepEqual(await texts(event.applicationId), [['third', 4, 'Unknown']]);
  assert.deepEqual(await texts('9WZDNCRDABCD'), [['of another app', 2, 'Unknown']]);
});

test('ad days are restated, and old states are purged when no snapshot needs them', async () => {
  const { server, account } = bench;
  const { ledger } = server.app.parts;
  await account.ingest('adperformance', [
    { ...adDay, impressions: 1 },
    { ...adDay, impressions: 2 },
    { ...adDay, adUnitId: 'other', impressions: 100 },
  ]);
  const first = await ledger.snapshot(account.accountId);
  assert.deepEqual(await impressions(), { unit: 2, other: 100 });
  server.setTime(noon + minute);
  await account.ingest('adperformance', [{ ...adDay, impressions: 3 }]);
  const second = await ledger.snapshot(account.accountId);
  assert.deepEqual(await impressions(), { unit: 3, other: 100 });
  assert.deepEqual(await impressions(first), { unit: 2, other: 100 }, 'the first state is still there');

  // Eleven minutes after the first commit and its grace, ten after the second: only the lost line goes.
  server.setTime(noon + 12 * minute);
  await purge();
  assert.equal(await ledger.purgedBelow(account.accountId, 'adperformance'), first);
  assert.deepEqual(await impressions(first), { unit: 2, other: 100 });
  assert.equal(await storedRows(), 3);

  server.setTime(noon + 13 * minute);
  await purge();
  assert.equal(await ledger.purgedBelow(account.accountId, 'adperformance'), second);
  assert.equal(await storedRows(), 2);
  assert.deepEqual(await impressions(), { unit: 3, other: 100 });
  // What is gone is not given wrongly: the present state is answered.
  assert.deepEqual(await impressions(first), { unit: 3, other: 100 });

  await purge();
  assert.equal(await storedRows(), 2, 'nothing is left to purge');
});

test('an open commit below holds the purge back', async () => {
  const { server, account } = bench;
  const { ledger } = server.app.parts;
  const row = { date: '2024-02-27', applicationId: event.applicationId, campaignId: 'held' };
  await account.ingest('campaigns', [{ ...row, spend: 1 }]);
  const begun = await ledger.begin({
    accountId: account.accountId,
    dataset: 'usage',
    batchId: 'slow',
    bodyHash: 'x',
    rows: 1,
  });
  assert.ok(begun.outcome === 'open');
  await account.ingest('campaigns', [{ ...row, spend: 2 }]);
  const count = async () =>
    (await bench.rows("SELECT count() AS count FROM campaigns WHERE campaignId = 'held'"))[0]?.count;
  server.setTime(noon + 60 * minute);
  await purge();
  assert.equal(await count(), 2, 'a snapshot below the open commit still needs the first row');
  await ledger.abandon(begun.commit);
  server.setTime(noon + 120 * minute);
  await purge();
  assert.equal(await count(), 1);
});
