/** A paging run is a snapshot: whatever is ingested meanwhile, its pages fit together. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';

const start = Date.parse('2026-03-01T12:00:00Z');
const app = '9NBLGGGZ5QDR';
let server: TestServer;
let account: TestAccount;

interface Page {
  readonly Value: readonly Record<string, unknown>[];
  readonly '@nextLink': string | null;
  readonly TotalCount: number;
}

before(async () => {
  server = await startServer({ now: start });
});
after(() => server.close());
beforeEach(async () => {
  server.setTime(start);
  account = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
});

function page(answer: TestAnswer): Page {
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Page;
}

const installs = `/v1.0/my/analytics/installs?applicationId=${app}&startDate=2026-02-01&endDate=2026-02-28&groupby=market`;
const install = (day: string, market: string) => ({
  timestamp: `2026-02-${day}T08:00:00Z`,
  applicationId: app,
  market,
});
const follow = (link: string) => account.get(`/v1.0/my/analytics/${link.replaceAll(' ', '%20')}`);

test('links carry the snapshot, and later commits do not show in a run', async () => {
  await account.ingest('installs', [install('01', 'US'), install('02', 'DE'), install('03', 'FR')]);
  const first = page(await account.get(`${installs}&top=2`));
  assert.equal(first.TotalCount, 3);
  assert.match(first['@nextLink'] ?? '', /&snapshot=1$/);
  await account.ingest('installs', [install('28', 'US'), install('01', 'US'), install('01', 'AT')]);
  const second = page(await follow(first['@nextLink'] ?? ''));
  assert.deepEqual(second.Value, [
    { date: '2026-02-01', applicationId: app, market: 'US', successfulInstallCount: 1 },
  ]);
  assert.equal(second.TotalCount, 3);
  assert.equal(second['@nextLink'], null);
  assert.equal(page(await account.get(`${installs}&top=2`)).TotalCount, 5);
});

test('a client that counts skip itself gets the snapshot of its first page for ten minutes', async () => {
  await account.ingest('installs', [install('01', 'US'), install('02', 'DE')]);
  assert.equal(page(await account.get(`${installs}&top=1`)).TotalCount, 2);
  await account.ingest('installs', [install('03', 'FR')]);
  assert.equal(page(await account.get(`${installs}&top=1&skip=1`)).TotalCount, 2);
  server.setTime(start + 10 * 60_000 + 1);
  assert.equal(page(await account.get(`${installs}&top=1&skip=1`)).TotalCount, 3);
});

test('a snapshot of the future is answered with the present and says so', async () => {
  await account.ingest('installs', [install('01', 'US')]);
  const answer = await account.get(`${installs}&snapshot=99`);
  assert.equal(page(answer).TotalCount, 1);
  assert.equal(
    answer.headers.get('storelens-notice'),
    'snapshot 99 can no longer be had; this page shows the present state',
  );
});

test('replaced rows stay readable for ten minutes and are purged later', async () => {
  const review = (id: number, text: string) => ({
    timestamp: `2026-02-0${id}T00:00:00Z`,
    applicationId: app,
    rating: 5,
    id: `00000000-0000-4000-8000-00000000000${id}`,
    reviewText: text,
  });
  const reviews = `/v1.0/my/analytics/reviews?applicationId=${app}&startDate=2026-02-01&endDate=2026-02-28&top=1`;
  await account.ingest('reviews', [review(1, 'first'), review(2, 'second')]);
  const first = page(await account.get(reviews));
  assert.equal(first.Value[0]?.reviewText, 'second');
  await account.ingest('reviews', [review(1, 'first, revised')]);
  const link = first['@nextLink'] ?? '';
  assert.equal(page(await follow(link)).Value[0]?.reviewText, 'first');
  server.setTime(start + 9 * 60_000);
  await server.app.parts.ingest.purge();
  assert.equal(page(await follow(link)).Value[0]?.reviewText, 'first');
  server.setTime(start + 21 * 60_000);
  await server.app.parts.ingest.purge();
  const late = await follow(link);
  assert.equal(page(late).Value[0]?.reviewText, 'first, revised');
  assert.match(late.headers.get('storelens-notice') ?? '', /snapshot 1 can no longer be had/);
});

test('pages of every order join to the whole answer', async () => {
  const markets = ['US', 'DE', 'FR', 'AT', 'us', '\u{1f600}', 'Ä', 'Z', "O'B", '"q"', '\\', 'a/b'];
  await account.ingest(
    'installs',
    markets.flatMap((market, index) =>
      Array.from({ length: index + 1 }, (_, day) => install(String(day + 1).padStart(2, '0'), market)),
    ),
  );
  for (const order of [
    '',
    '&orderby=market',
    '&orderby=market%20desc,date',
    '&orderby=successfulInstallCount%20desc',
    '&orderby=date,market%20desc',
  ]) {
    for (const level of ['day', 'week', 'month']) {
      const whole = page(await account.get(`${installs}&aggregationLevel=${level}${order}`));
      const joined: unknown[] = [];
      let link: string | null = `installs?${installs.split('?')[1]}&aggregationLevel=${level}${order}&top=7`;
      while (link !== null) {
        const next: Page = page(await follow(link));
        assert.equal(next.TotalCount, whole.TotalCount);
        joined.push(...next.Value);
        link = next['@nextLink'];
      }
      assert.deepEqual(joined, whole.Value, `${level} ${order}`);
      assert.equal(joined.length, whole.TotalCount);
    }
  }
});
