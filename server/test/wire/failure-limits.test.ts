/** Settings that make failures and crash files end: how far back is answered, how long files are kept, who has them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';
import { type StoredFailure, storeFailures } from './failure-rows.js';

const now = Date.parse('2018-05-31T12:34:56Z');
const app = '9NBLGGGZ5QDR';
const base = '/v1.0/my/analytics';
const hash = '00000000-0000-0000-0000-000000000001';
let server: TestServer;
let account: TestAccount;

interface Page {
  readonly Value: readonly Record<string, unknown>[];
  readonly TotalCount: number;
}

before(async () => {
  server = await startServer({
    now,
    args: ['--limit-failure-days=30', '--limit-hours=72', '--crash-file-days=10', '--cab-download=managers'],
  });
});
after(() => server.close());
beforeEach(async () => {
  account = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
});

function page(answer: TestAnswer): Page {
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Page;
}

/** The sentences of a refusal with a status. */
function refusal(answer: TestAnswer, status: number): readonly string[] {
  assert.equal(answer.status, status, answer.text);
  return (answer.json as { innererror: { data: readonly string[] } }).innererror.data;
}

const failed = (timestamp: string, more: Partial<StoredFailure> = {}): StoredFailure => ({
  timestamp,
  applicationId: app,
  failureHash: hash,
  ...more,
});

test('failures and hours are answered as far back as the settings say', async () => {
  const hits = `${base}/failurehits?applicationId=${app}`;
  await storeFailures(
    server,
    account,
    [
      '2018-04-30 23:00:00.000',
      '2018-05-01 00:00:00.000',
      '2018-05-28 11:59:59.999',
      '2018-05-28 12:00:00.000',
    ].map((time) => failed(time)),
  );
  const dates = async (query: string) => {
    const answer = await account.get(`${hits}&${query}&groupby=market`);
    return [page(answer).Value.map(({ date }) => date), answer.headers.get('storelens-notice')];
  };
  assert.deepEqual(await dates('startDate=4/1/2018'), [
    ['2018-05-28', '2018-05-01'],
    'failures before 2018-05-01 are not answered (limit-failure-days is 30)',
  ]);
  assert.deepEqual(await dates('startDate=4/1/2018&aggregationLevel=month'), [
    ['2018-05-01'],
    'failures before 2018-05-01 are not answered (limit-failure-days is 30)',
  ]);
  assert.deepEqual(await dates('startDate=5/1/2018&aggregationLevel=hour'), [
    ['2018-05-28 12:00:00'],
    'failures before 2018-05-28 12:00:00 are not answered (limit-hours is 72)',
  ]);
  assert.deepEqual(await dates('startDate=5/1/2018'), [['2018-05-28', '2018-05-01'], null]);
  const old = await account.get(`${hits}&startDate=4/1/2018&endDate=4/30/2018`);
  assert.equal(page(old).TotalCount, 0);
  assert.match(old.headers.get('storelens-notice') ?? '', /^failures before 2018-05-01 are not answered/);
  const details = await account.get(`${base}/failuredetails?applicationId=${app}&failureHash=${hash}`);
  assert.deepEqual([page(details).TotalCount, details.headers.get('storelens-notice')], [3, null]);
});

test('crash files expire so many days after the event', async () => {
  await storeFailures(server, account, [
    failed('2018-05-21 12:34:56.000', { cabId: '1000000000001', cabBytes: 5 }),
    failed('2018-05-21 12:34:56.001', { cabId: '1000000000002', cabBytes: 5 }),
    failed('2018-05-30 00:00:00.500', { cabId: '1000000000003' }),
  ]);
  const details = (query = '') =>
    account.get(
      `${base}/failuredetails?applicationId=${app}&failureHash=${hash}${query.replaceAll(' ', '%20')}`,
    );
  assert.deepEqual(
    page(await details()).Value.map((row) => [row.cabId, row.cabExpirationTime, row.cabDownloadable]),
    [
      ['1000000000003', '2018-06-09 00:00:00', false],
      ['1000000000001', '2018-05-31 12:34:56', false],
      ['1000000000002', '2018-05-31 12:34:56', true],
    ],
  );
  const ids = async (query: string) => page(await details(query)).Value.map(({ cabId }) => cabId);
  assert.deepEqual(await ids('&orderby=cabExpirationTime,cabId desc&top=1&skip=1'), ['1000000000001']);
  assert.deepEqual(await ids("&filter=cabExpirationTime eq '2018-06-09'"), ['1000000000003']);
  assert.deepEqual((await ids("&filter=cabExpirationTime ne '2018-05-31 12:34:55'")).length, 1);
  assert.deepEqual(await ids("&filter=cabExpirationTime eq '9999-12-31'"), []);
  const download = (cabId: string) => account.get(`${base}/cabdownload?applicationId=${app}&cabId=${cabId}`);
  assert.deepEqual(refusal(await download('1000000000001'), 404), [
    "The crash file with cabId '1000000000001' expired at 2018-05-31 12:34:56.",
  ]);
  assert.deepEqual(refusal(await download('1000000000003'), 404), [
    "The failure with cabId '1000000000003' came without a crash file, or it is not kept.",
  ]);
});

test('stacks and files of failures that are not answered any more are unknown', async () => {
  await storeFailures(server, account, [
    failed('2018-04-30 23:00:00.000', {
      cabId: '1000000000004',
      cabBytes: 5,
      frames: [{ image: 'a.exe', function: 'f', offset: '0x1' }],
    }),
  ]);
  const query = `?applicationId=${app}&cabId=1000000000004`;
  const stack = await account.get(`${base}/stacktrace${query}`);
  assert.equal(page(stack).TotalCount, 0);
  assert.equal(
    stack.headers.get('storelens-notice'),
    "no failure has the cabId '1000000000004'; failures before 2018-05-01 are not answered (limit-failure-days is 30)",
  );
  assert.deepEqual(refusal(await account.get(`${base}/cabdownload${query}`), 404), [
    "No failure has the cabId '1000000000004'; failures before 2018-05-01 are not answered (limit-failure-days is 30).",
  ]);
});

test('only managers may download where the setting says so, and readers are told before all else', async () => {
  const reader = await server.account({
    role: 'Reader',
    products: [{ kind: 'app', id: app, name: 'Contoso' }],
  });
  await storeFailures(server, reader, [failed('2018-05-30 00:00:00.000', { cabBytes: 5 })]);
  assert.deepEqual(refusal(await reader.get(`${base}/cabdownload?wrong=1`), 403), [
    "The role 'Reader' may not download crash files here; it takes Manager (cab-download is managers).",
  ]);
  const details = page(await reader.get(`${base}/failuredetails?applicationId=${app}&failureHash=${hash}`));
  assert.deepEqual(
    details.Value.map(({ cabDownloadable }) => cabDownloadable),
    [false],
  );
});
