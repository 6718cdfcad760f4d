/** What answers show of mirrored days: newest content, no events beside it, bounds of distinct counts, snapshots. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { type MirrorClient, mirrorClient } from './days.js';

const app = '9NBLGGGZ5QDR';
const addon = '9NBLGGH3LHKL';
const driver = '14027140605000001';
const now = Date.UTC(2026, 2, 20, 12);

let server: TestServer;
let account: TestAccount;
let client: MirrorClient;

before(async () => {
  server = await startServer({ now });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'driver', id: driver, name: 'Contoso Driver' },
      { kind: 'addon', id: addon, parentId: app, name: 'Contoso add-on' },
    ],
  });
  client = mirrorClient(server, account);
});

after(() => server.close());

const range = 'startDate=2026-03-09&endDate=2026-03-18';

async function rows(report: string, query: string) {
  const answer = await account.get(`/v1.0/my/analytics/${report}?${query}`);
  assert.equal(answer.status, 200, answer.text);
  const { Value } = answer.json as { Value: Record<string, unknown>[] };
  return { Value, notice: answer.headers.get('storelens-notice') };
}

async function put(path: string, body: readonly object[]): Promise<void> {
  const answer = await client.put(path, body);
  assert.equal(answer.status, 200, answer.text);
}

test('a mirrored day hides events, an empty one too; its newest content shows', async () => {
  const event = { applicationId: app, market: 'US', quantity: 100 };
  await account.ingest(
    'acquisitions',
    ['2026-03-10', '2026-03-11', '2026-03-12'].map((day) => ({ ...event, timestamp: `${day}T10:00:00Z` })),
  );
  const quantities = async (extra = '', level = 'day') => {
    const query = `applicationId=${app}&${range}&aggregationLevel=${level}&groupby=market${extra}`;
    const { Value } = await rows('appacquisitions', query);
    return Value.map(({ date, market, acquisitionQuantity }) => [date, market, acquisitionQuantity]);
  };
  const us = (quantity: number) => ({ market: 'US', acquisitionQuantity: quantity });
  await put(`appacquisitions/2026-03-10?applicationId=${app}&groupby=market`, [
    us(1),
    us(2),
    { ...us(5), market: 'DE' },
  ]);
  await put(`appacquisitions/2026-03-11?applicationId=${app}&groupby=market`, []);
  const before = await server.app.parts.ledger.snapshot(account.accountId);
  const first = [
    ['2026-03-12', 'US', 100],
    ['2026-03-10', 'DE', 5],
    ['2026-03-10', 'US', 3],
  ];
  assert.deepEqual(await quantities(), first);
  assert.deepEqual(await quantities('', 'week'), [
    ['2026-03-09', 'DE', 5],
    ['2026-03-09', 'US', 103],
  ]);
  assert.deepEqual(await quantities("&filter=market eq 'de'".replaceAll(' ', '%20')), [
    ['2026-03-10', 'DE', 5],
  ]);
  await put(`appacquisitions/2026-03-10?applicationId=${app}&groupby=market`, [us(7)]);
  await put(`appacquisitions/2026-03-11?applicationId=${app}&groupby=market`, [us(8)]);
  assert.deepEqual(await quantities(), [
    ['2026-03-12', 'US', 100],
    ['2026-03-11', 'US', 8],
    ['2026-03-10', 'US', 7],
  ]);
  assert.deepEqual(await quantities(`&snapshot=${before}`), first, 'a paging run goes on as it began');
});

test('names are those that are registered, and an add-on finds its rows in the days of its app', async () => {
  await put(`inappacquisitions/2026-03-10?applicationId=${app}`, [
    { inAppProductId: addon.toLowerCase(), inAppProductName: 'Old name', acquisitionQuantity: 4 },
    { inAppProductId: '9NOBODYKNOWS', acquisitionQuantity: 1 },
  ]);
  const { Value } = await rows('inappacquisitions', `inAppProductId=${addon}&${range}`);
  assert.deepEqual(
    Value.map((row) => [
      row.inAppProductId,
      row.inAppProductName,
      row.applicationName,
      row.acquisitionQuantity,
    ]),
    [[addon, 'Contoso add-on', 'Contoso Demo', 4]],
  );
  const all = await rows('inappacquisitions', `applicationId=${app}&${range}&groupby=inAppProductName`);
  assert.deepEqual(
    all.Value.map((row) => [row.inAppProductId, row.inAppProductName]),
    [
      [addon, 'Contoso add-on'],
      ['9NOBODYKNOWS', ''],
    ],
  );
});

test('distinct counts are exact at the mirrored grain and bounds elsewhere, which the notice says', async () => {
  const hit = { failureName: 'f', eventCount: 2, deviceCount: 1 };
  await put(`failurehits/2026-03-10?applicationId=${app}&groupby=failureName,market`, [
    { ...hit, market: 'US' },
    { ...hit, market: 'DE' },
  ]);
  const bound = 'deviceCount is an upper bound where days were mirrored: their rows are added up';
  const base = `applicationId=${app}&${range}`;
  for (const [query, devices, notice] of [
    [`${base}&groupby=market,failureName`, [1, 1], null],
    [`${base}&groupby=market,failureName,symbol`, [1, 1], null],
    [base, [1, 1], 'osRelease is not known where days were mirrored by groups'],
    [`${base}&groupby=failureName`, [2], bound],
    [`${base}&groupby=market,failureName&aggregationLevel=week`, [1, 1], bound],
    [`applicationId=${app}&startDate=2026-03-17&endDate=2026-03-18&groupby=failureName`, [], undefined],
    [`${base}&aggregationLevel=hour`, [], 'days that were mirrored have no hours and are left out'],
  ] as const) {
    const { Value, notice: said } = await rows('failurehits', query);
    assert.deepEqual(
      Value.map((row) => row.deviceCount),
      devices,
      query,
    );
    if (notice !== undefined && Value.length > 0) assert.equal(said, notice, query);
    if (Value.length === 0 && notice) assert.match(said ?? '', new RegExp(notice), query);
  }
});

test('events stand for devices where rows of groups lack them', async () => {
  const hit = { failureName: 'f', market: 'US', eventCount: 3 };
  const path = (name: string) => `driver/failurehits/2026-03-${name}`;
  await put(path(`10?applicationId=${driver}&groupby=failureName,market`), [hit]);
  await put(path(`11?applicationId=${driver}`), [{ ...hit, osName: 'W', deviceCount: 2 }]);
  const { Value, notice } = await rows('driver/failurehits', `applicationId=${driver}&${range}`);
  assert.deepEqual(
    Value.map(({ deviceCount, osName }) => [deviceCount, osName]),
    [
      [2, 'W'],
      [3, ''],
    ],
  );
  assert.match(notice ?? '', /deviceCount is an upper bound where .* by groups: there it is eventCount/);
  const day = 'startDate=2026-03-11&endDate=2026-03-11';
  assert.equal((await rows('driver/failurehits', `applicationId=${driver}&${day}`)).notice, null);
});

test('the funnel of a mirrored day is that of the source, and a bound over several or with a filter', async () => {
  const seen = (userId: string, day: string) => ({
    ...{ applicationId: app, timestamp: `${day}T10:00:00Z`, userId, market: 'DE' },
  });
  await account.ingest('pageviews', [
    seen('a', '2026-03-01'),
    seen('b', '2026-03-02'),
    seen('c', '2026-03-03'),
    seen('c', '2026-03-04'),
  ]);
  const day = (name: string) => `funnel/${name}?applicationId=${app}`;
  const users = (PageView: number, Usage: number) => [
    { MetricType: 'PageView', UserCount: PageView },
    { MetricType: 'usage', UserCount: Usage },
  ];
  await put(day('2026-03-01'), users(5, 3));
  await put(day('2026-03-02'), users(4, 3));
  const funnel = async (query: string) => {
    const { Value, notice } = await rows('funnel', `applicationId=${app}&${query}`);
    return [Value.map(({ MetricType, UserCount }) => `${MetricType} ${UserCount}`).join(', '), notice];
  };
  const steps = (views: number, usage: number) =>
    `PageView ${views}, Acquisition 0, Install 0, Usage ${usage}`;
  assert.deepEqual(await funnel('startDate=2026-03-01&endDate=2026-03-01'), [steps(5, 3), null]);
  assert.deepEqual(
    await funnel('startDate=2026-03-03&endDate=2026-03-04'),
    [steps(1, 0), null],
    'own events',
  );
  const bound = 'UserCount is an upper bound where days were mirrored: ';
  const range = 'startDate=2026-03-01&endDate=2026-03-04';
  assert.deepEqual(await funnel(range), [steps(10, 6), `${bound}their users are added up`]);
  assert.deepEqual(await funnel(`${range}&filter=market eq 'US'`), [
    steps(9, 6),
    `${bound}they are added up without the filter`,
  ]);
  const csv = await server.request(`/v1.0/my/analytics/funnel?applicationId=${app}&${range}`, {
    headers: { authorization: `Bearer ${account.token}`, accept: 'text/csv' },
  });
  assert.match(csv.text, /^"PageView",10$/m);
  assert.match(csv.headers.get('storelens-notice') ?? '', /upper bound/);
  const refused = await client.put(day('2026-03-05'), [{ MetricType: 'Acqusition', UserCount: 1 }]);
  assert.equal(refused.status, 400);
  assert.match(
    refused.text,
    /row 1: MetricType: 'Acqusition' is none of PageView, Acquisition, Install, Usage/,
  );
});

test('amounts of money and of mirrored days add up exactly', async () => {
  const day = { date: '2026-03-12', applicationId: app, campaignId: '1', spend: 0.1 };
  await account.ingest('campaigns', [day, { ...day, date: '2026-03-13', spend: 0.2 }]);
  const counts = { impressions: 0, installs: 0, clicks: 0, iapInstalls: 0, activeUsers: 0 };
  await put('promotion/2026-03-12', [
    { applicationId: app, campaignId: '1', spend: 0.7, ...counts },
    { applicationId: '9UNKNOWN', campaignId: '2', spend: 1e-7, ...counts },
  ]);
  const query = `${range}&groupby=campaignId`;
  assert.deepEqual(
    (await rows('promotion', query)).Value.map(({ campaignId, spend }) => [campaignId, spend]),
    [
      ['1', 0.9],
      ['2', 1e-7],
    ],
  );
  const narrowed = await rows('promotion', `applicationId=${app}&${query}`);
  assert.deepEqual(
    narrowed.Value.map(({ spend }) => spend),
    [0.9],
  );
});
