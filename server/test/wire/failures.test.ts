/** Reports that count failures: hours and wider buckets, exact devices, renamed failures, snapshots. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';
import { renameFailures, storeFailures } from './failure-rows.js';

const now = Date.parse('2018-05-31T12:34:56Z');
const app = '9NBLGGGZ5QDR';
const driver = '18430592857500421';
const hits = `/v1.0/my/analytics/failurehits?applicationId=${app}`;
let server: TestServer;
let account: TestAccount;

interface Page {
  readonly Value: readonly Record<string, unknown>[];
  readonly '@nextLink': string | null;
  readonly TotalCount: number;
}

before(async () => {
  server = await startServer({ now });
});
after(() => server.close());
beforeEach(async () => {
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'driver', id: driver, name: 'Contoso Driver' },
    ],
  });
});

function page(answer: TestAnswer): Page {
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Page;
}

/** The sentences of a refusal. */
function refusal(answer: TestAnswer): readonly string[] {
  assert.equal(answer.status, 400, answer.text);
  return (answer.json as { innererror: { data: readonly string[] } }).innererror.data;
}

/** Date, devices and events of every row. */
async function counts(query: string): Promise<readonly string[]> {
  const { Value } = page(await account.get(`${hits}&${query.replaceAll(' ', '%20')}&groupby=failureName`));
  return Value.map(({ date, deviceCount, eventCount }) => `${date} ${deviceCount} ${eventCount}`);
}

const failed = (timestamp: string, deviceId = '') => ({ timestamp, deviceId, applicationId: app });

test('devices are counted once an hour, day, week and month; events without device are no device', async () => {
  await storeFailures(server, account, [
    failed('2018-05-01 09:10:00.000', 'one'),
    failed('2018-05-01 09:59:59.999', 'one'),
    failed('2018-05-01 10:00:00.000', 'one'),
    failed('2018-05-01 10:30:00.000', 'two'),
    failed('2018-05-01 10:31:00.000'),
    failed('2018-05-02 00:00:00.000', 'one'),
    failed('2018-05-07 00:00:00.000', 'two'),
    failed('2018-06-01 00:00:00.000', 'two'),
  ]);
  // The seventh is a Monday.
  const range = 'startDate=5/1/2018&endDate=5/31/2018';
  assert.deepEqual(await counts(`${range}&aggregationLevel=hour&orderby=date`), [
    '2018-05-01 09:00:00 1 2',
    '2018-05-01 10:00:00 2 3',
    '2018-05-02 00:00:00 1 1',
    '2018-05-07 00:00:00 1 1',
  ]);
  assert.deepEqual(await counts(range), ['2018-05-07 1 1', '2018-05-02 1 1', '2018-05-01 2 5']);
  assert.deepEqual(await counts(`${range}&aggregationLevel=week`), ['2018-05-07 1 1', '2018-05-01 2 6']);
  assert.deepEqual(await counts(`${range}&aggregationLevel=month`), ['2018-05-01 2 7']);
  assert.deepEqual(await counts(`startDate=5/15/2018&endDate=6/30/2018&aggregationLevel=month`), [
    '2018-06-01 1 1',
  ]);
});

test('counts print as decimals', async () => {
  await storeFailures(server, account, [failed('2018-05-31 01:00:00.000')]);
  const { text } = await account.get(`${hits}&groupby=symbol`);
  assert.equal(
    text,
    `{"Value":[{"date":"2018-05-31","applicationId":"${app}","applicationName":"Contoso Demo","symbol":"","deviceCount":0.0,"eventCount":1.0}],"@nextLink":null,"TotalCount":1}`,
  );
});

test('at hour level both end hours count, and a bare endDate means the whole day', async () => {
  await storeFailures(
    server,
    account,
    ['08:59:59.999', '09:00:00.000', '12:59:59.999', '13:00:00.000', '23:59:59.999'].map((time) =>
      failed(`2018-05-01 ${time}`),
    ),
  );
  const hours = async (range: string) =>
    (await counts(`${range}&aggregationLevel=hour`)).map((row) => row.slice(11, 13));
  assert.deepEqual(await hours('startDate=2018-05-01 09:00:00&endDate=2018-05-01 12:00:00'), ['12', '09']);
  // Minutes are not looked at, whatever the form.
  assert.deepEqual(await hours('startDate=5/1/2018 9:45:00 AM&endDate=5/1/2018 12:01:00 PM'), ['12', '09']);
  assert.deepEqual(await hours('startDate=2018-05-01 13:00:00&endDate=2018-05-01'), ['23', '13']);
  assert.deepEqual(await hours('startDate=5/1/2018&endDate=5/1/2018'), ['23', '13', '12', '09', '08']);
  assert.equal((await counts('startDate=2018-05-01 13:00:00&endDate=2018-05-01 00:00:00')).length, 1);
  const turned = await account.get(
    `${hits}&aggregationLevel=hour&startDate=2018-05-01%2013:00:00&endDate=2018-05-01%2012:00:00`,
  );
  assert.deepEqual(refusal(turned), [
    'startDate parameter 2018-05-01 13:00:00 is after endDate 2018-05-01 12:00:00; give a startDate that is not later',
  ]);
});

test('links carry the hours, and pages of hours join', async () => {
  const times = Array.from({ length: 30 }, (_, hour) =>
    new Date(Date.parse('2018-05-01T00:00:00Z') + hour * 3_600_000)
      .toISOString()
      .replace('T', ' ')
      .slice(0, 23),
  );
  await storeFailures(
    server,
    account,
    times.flatMap((time) => [failed(time, 'a'), { ...failed(time, 'b'), market: 'US' }]),
  );
  const whole = page(
    await account.get(`${hits}&aggregationLevel=hour&startDate=5/1/2018&endDate=5/2/2018&groupby=market`),
  );
  assert.equal(whole.TotalCount, 60);
  const rows: Record<string, unknown>[] = [];
  const range = 'startDate=2018-05-01%2000:30:00&endDate=2018-05-02%2023:10:00';
  let answer = page(await account.get(`${hits}&aggregationLevel=hour&${range}&groupby=market&top=7`));
  assert.match(
    answer['@nextLink'] ?? '',
    /&aggregationLevel=hour&startDate=2018-05-01 00:00:00&endDate=2018-05-02 23:00:00&top=7&skip=7&groupby=market&/,
  );
  for (;;) {
    rows.push(...answer.Value);
    const link = answer['@nextLink'];
    if (link === null) break;
    answer = page(await account.get(`/v1.0/my/analytics/${link.replaceAll(' ', '%20')}`));
  }
  assert.deepEqual(rows, whole.Value);
});

test('a renamed failure answers to its former hash, and a paging run keeps the names it began with', async () => {
  const old = { failureName: 'OLD', failureHash: 'AAAAAAAA-0000-0000-0000-000000000001' };
  const made = { failureName: 'NEW', failureHash: 'bbbbbbbb-0000-0000-0000-000000000002' };
  const at = '2018-05-01 09:00:00.000';
  const [one, two] = ['11111111-aaaa-4aaa-8aaa-000000000001', '11111111-aaaa-4aaa-8aaa-000000000002'];
  await storeFailures(server, account, [
    { ...failed(at, 'a'), ...old, cabIdHash: one },
    { ...failed(at, 'b'), ...old, cabIdHash: two, market: 'US' },
  ]);
  const query = `${hits}&startDate=5/1/2018&endDate=5/1/2018&groupby=failureName,failureHash,market`;
  const first = page(await account.get(`${query}&top=1`));
  assert.equal(first.Value[0]?.failureName, 'OLD');
  await renameFailures(server, account, [
    { ...failed(at, 'a'), ...made, cabIdHash: one, formerHashes: [old.failureHash.toLowerCase()] },
    {
      ...failed(at, 'b'),
      ...made,
      cabIdHash: two,
      market: 'US',
      formerHashes: [old.failureHash.toLowerCase()],
    },
  ]);
  const second = page(
    await account.get(`/v1.0/my/analytics/${(first['@nextLink'] ?? '').replaceAll(' ', '%20')}`),
  );
  assert.deepEqual([second.Value.length, second.Value[0]?.failureName, second.TotalCount], [1, 'OLD', 2]);
  const present = page(await account.get(query));
  assert.deepEqual(
    present.Value.map(({ failureName, eventCount }) => [failureName, eventCount]),
    [
      ['NEW', 1],
      ['NEW', 1],
    ],
  );
  const filtered = async (filter: string) =>
    page(await account.get(`${query}&filter=${filter.replaceAll(' ', '%20')}`)).TotalCount;
  assert.equal(await filtered(`failureHash eq '${old.failureHash}'`), 2);
  assert.equal(await filtered(`failureHash eq '${made.failureHash.toUpperCase()}'`), 2);
  assert.equal(await filtered(`failureHash ne '${old.failureHash}'`), 0);
  assert.equal(await filtered(`failureHash eq 'cccccccc-0000-0000-0000-000000000003'`), 0);
  assert.equal(await filtered(`failureHash ne 'cccccccc-0000-0000-0000-000000000003'`), 2);
});

test('one programme never shows the failures of another', async () => {
  await storeFailures(server, account, [
    { timestamp: '2018-05-01 09:00:00.000', source: 'driver', applicationId: driver, deviceId: 'x' },
    { timestamp: '2018-05-01 09:00:00.000', source: 'ihvdriver', applicationId: driver, market: 'DE' },
    { timestamp: '2018-05-01 09:00:00.000', source: 'hardware', market: 'US' },
    failed('2018-05-01 09:00:00.000'),
  ]);
  const range = 'startDate=5/1/2018&endDate=5/1/2018';
  const rows = async (target: string) =>
    page(await account.get(`/v1.0/my/analytics/${target}${range}`)).Value;
  const ofDriver = await rows(`driver/failurehits?applicationId=${driver}&`);
  assert.deepEqual(
    ofDriver.map(({ deviceCount, eventCount }) => [deviceCount, eventCount]),
    [[1, 1]],
  );
  const grouped = await rows(`driver/failurehits?applicationId=${driver}&groupby=market&`);
  assert.deepEqual(grouped, [
    { date: '2018-05-01', applicationId: driver, market: 'Unknown', eventCount: 1 },
  ]);
  const { sellerId } = await server.app.parts.identity.tenants.get(account.tenantId);
  const ofHardware = await rows('hardware/failurehits?');
  assert.deepEqual(
    ofHardware.map((row) => [row.sellerId, row.market]),
    [[sellerId, 'US']],
  );
  assert.deepEqual(
    (await rows('ihvdriver/failurehits?')).map(({ market }) => market),
    ['DE'],
  );
});

test('a product of another kind has no rows, and the notice says what it is', async () => {
  const wrong = await account.get(`/v1.0/my/analytics/driver/failurehits?applicationId=${app}`);
  assert.deepEqual(page(wrong), { Value: [], '@nextLink': null, TotalCount: 0 });
  assert.match(wrong.headers.get('storelens-notice') ?? '', /is registered as an app$/);
  const ignored = await account.get(`/v1.0/my/analytics/hardware/failurehits?applicationId=${driver}`);
  assert.match(
    ignored.headers.get('storelens-notice') ?? '',
    /^applicationId is no parameter of hardware\/failurehits/,
  );
});
