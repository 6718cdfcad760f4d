/** Reports on single failures: their details, their stacks, their files. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';
import { renameFailures, type StoredFailure, storeFailures } from './failure-rows.js';

const now = Date.parse('2018-05-31T12:34:56Z');
const app = '9NBLGGGZ5QDR';
const driver = '18430592857500421';
const base = '/v1.0/my/analytics';
const hash = 'ABCDEF00-0000-0000-0000-000000000001';
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

/** The sentences of a refusal with a status. */
function refusal(answer: TestAnswer, status: number): readonly string[] {
  assert.equal(answer.status, status, answer.text);
  return (answer.json as { innererror: { data: readonly string[] } }).innererror.data;
}

const get = (target: string) => account.get(`${base}/${target.replaceAll(' ', '%20')}`);
const details = `failuredetails?applicationId=${app}&failureHash=${hash}`;

const failed = (timestamp: string, more: Partial<StoredFailure> = {}): StoredFailure => ({
  timestamp,
  applicationId: app,
  failureHash: hash,
  ...more,
});

test('details are single failures by the second, newest first, of one hash in any letter case', async () => {
  await storeFailures(server, account, [
    failed('2018-05-30 09:11:25.900', { cabId: '1000000000002' }),
    failed('2018-05-30 09:11:25.100', { cabId: '1000000000001' }),
    failed('2018-05-31 00:00:00.000', { cabId: '1000000000003', market: 'US', cabBytes: 7 }),
    failed('2018-05-31 00:00:00.000', { failureHash: 'another' }),
  ]);
  const answer = await get(details.replace(hash, `%20${hash.toLowerCase()}%20`));
  assert.deepEqual(
    page(answer).Value.map((row) => [row.date, row.cabId, row.cabExpirationTime, row.cabDownloadable]),
    [
      ['2018-05-31 00:00:00', '1000000000003', '9999-12-31 23:59:59', true],
      // The same second: the remaining keys decide.
      ['2018-05-30 09:11:25', '1000000000001', '9999-12-31 23:59:59', false],
      ['2018-05-30 09:11:25', '1000000000002', '9999-12-31 23:59:59', false],
    ],
  );
  assert.equal(page(answer).Value[0]?.failureHash, hash);
  const total = async (query: string) => page(await get(`${details}&${query}`)).TotalCount;
  assert.equal(await total("filter=date eq '5/30/2018'"), 2);
  assert.equal(await total("filter=date ne '2018-05-30 09:11:25'"), 1);
  assert.equal(await total("filter=cabExpirationTime eq '9999-12-31'"), 3);
  assert.equal(await total("filter=cabExpirationTime ne '9999-12-31 23:59:59'"), 0);
  assert.equal(await total("filter=cabId eq '1000000000002'"), 1);
  // The engine finds out while it plans that nothing is both.
  assert.equal(await total("filter=deviceModel eq 'a' and deviceModel eq 'b'"), 0);
  assert.equal(await total('startDate=2018-05-31&endDate=2018-05-31'), 1);
});

test('pages of details join, days with many failures and none alike', async () => {
  const times = Array.from(
    { length: 40 },
    (_, index) =>
      `2018-05-${10 + ((index * 7) % 5) * 3} 00:00:${String(index % 3).padStart(2, '0')}.${100 + index}`,
  );
  await storeFailures(
    server,
    account,
    times.map((time) => failed(time)),
  );
  for (const order of ['', '&orderby=date', '&orderby=date desc,cabId desc', '&orderby=market,date desc']) {
    const whole = page(await get(details + order)).Value;
    assert.equal(whole.length, 40);
    const rows: Record<string, unknown>[] = [];
    for (let link: string | null = `${details}${order}&top=7`; link !== null; ) {
      const answer: Page = page(await get(link));
      assert.equal(answer.TotalCount, 40);
      rows.push(...answer.Value);
      link = answer['@nextLink'];
    }
    assert.deepEqual(rows, whole, order);
  }
  const link = page(await get(`${details}&top=1`))['@nextLink'] ?? '';
  assert.match(link, new RegExp(`^failuredetails\\?applicationId=${app}&failureHash=${hash}&startDate=`));
});

test('a former hash finds the details of a failure that was renamed', async () => {
  const cabIdHash = '22222222-aaaa-4aaa-8aaa-000000000001';
  const time = '2018-05-30 09:11:25.000';
  await storeFailures(server, account, [failed(time, { cabIdHash })]);
  await renameFailures(server, account, [
    { ...failed(time), cabIdHash, failureHash: 'new-hash', formerHashes: [hash.toLowerCase()] },
  ]);
  for (const name of [hash, 'NEW-HASH']) {
    const { Value } = page(await get(`failuredetails?applicationId=${app}&failureHash=${name}`));
    assert.deepEqual(
      Value.map(({ failureHash }) => failureHash),
      ['new-hash'],
      name,
    );
  }
});

test('a required parameter that is missing is told where its value comes from', async () => {
  assert.match(
    refusal(await get(`failuredetails?applicationId=${app}&failureHash=%20`), 400).join(),
    /^failureHash parameter is missing; give the failure, as `failurehits` prints it/,
  );
  assert.deepEqual(refusal(await get('stacktrace?'), 400), [
    'applicationId parameter is missing; give the id of the product',
    'cabId parameter is missing; give the crash file, as `failuredetails` prints it',
  ]);
});

test('an unknown hash answers without rows and says so', async () => {
  const answer = await get(details);
  assert.deepEqual(page(answer), { Value: [], '@nextLink': null, TotalCount: 0 });
  assert.equal(answer.headers.get('storelens-notice'), `no failure has the failureHash '${hash}'`);
  await storeFailures(server, account, [failed('2018-01-30 09:11:25.000')]);
  assert.equal(
    (await get(details)).headers.get('storelens-notice'),
    'data begins 2018-01-30 and ends 2018-01-30',
  );
});

test('keys that rows do not print order them all the same', async () => {
  const hardware = (osBuild: string, packageVersion: string, more: Partial<StoredFailure> = {}) =>
    failed('2018-05-30 09:11:25.000', {
      source: 'hardware',
      applicationId: '',
      osBuild,
      packageVersion,
      ...more,
    });
  await storeFailures(server, account, [
    hardware('10', '3.0.0.0', { market: 'A' }),
    hardware('10', '2.0.0.0', { market: 'B' }),
    hardware('9', '1.0.0.0', { market: 'C' }),
  ]);
  const markets = async (order: string) => {
    const { Value } = page(await get(`hardware/failuredetails?failureHash=${hash}&orderby=${order}`));
    assert.ok(Value.every((row) => !('osBuild' in row) && !('packageVersion' in row)));
    return Value.map(({ market }) => market).join('');
  };
  assert.equal(await markets('osBuild,packageVersion'), 'BAC');
  assert.equal(await markets('osBuild desc,packageVersion desc'), 'CAB');
  const second = page(
    await get(`hardware/failuredetails?failureHash=${hash}&orderby=packageVersion desc&top=1&skip=1`),
  );
  assert.equal(second.Value[0]?.market, 'B');
  assert.match(
    refusal(await get('hardware/failurehits?orderby=osBuild'), 400).join(),
    /'osBuild' cannot be sorted in hardware\/failurehits/,
  );
});

test('a device without an id prints null, the seller id is the account', async () => {
  const of = (clientDeviceId: string, market: string) =>
    failed('2018-05-30 09:11:25.000', { source: 'driver', applicationId: driver, clientDeviceId, market });
  await storeFailures(server, account, [of('', 'A'), of('s:1', 'B')]);
  const query = `driver/failuredetails?applicationId=${driver}&failureHash=${hash}&orderby=market`;
  const { text } = await get(query);
  assert.match(text, /"clientDeviceId":null,.*"clientDeviceId":"s:1",/);
  const filtered = page(await get(`${query}&filter=clientDeviceId ne 's:1'`));
  assert.deepEqual(
    filtered.Value.map(({ market }) => market),
    ['A'],
  );
  await storeFailures(server, account, [
    failed('2018-05-30 09:11:25.000', { source: 'ihvdriver', applicationId: driver }),
  ]);
  const { sellerId } = await server.app.parts.identity.tenants.get(account.tenantId);
  const ihv = page(await get(`ihvdriver/failuredetails?failureHash=${hash}`)).Value;
  assert.deepEqual(
    ihv.map((row) => row.sellerId),
    [sellerId],
  );
});

const stack = [
  { image: 'ContosoGame.exe', function: 'game::Inventory::CountOf', offset: '0x25C' },
  { image: 'kernel32.dll', function: '', offset: '0x1A "quoted"' },
];

test('a stack is one row per frame, with its number as text', async () => {
  await storeFailures(server, account, [
    failed('2018-05-30 09:11:25.000', { cabId: '1336373323853', frames: stack }),
  ]);
  const answer = await get(`stacktrace?applicationId=${app}&cabId=%201336373323853&startDate=x`);
  assert.equal(
    answer.text,
    '{"Value":[{"level":"0","image":"ContosoGame.exe","function":"game::Inventory::CountOf","offset":"0x25C"},' +
      '{"level":"1","image":"kernel32.dll","function":"","offset":"0x1A \\"quoted\\""}],"@nextLink":null,"TotalCount":2}',
  );
  assert.equal(
    answer.headers.get('storelens-notice'),
    'startDate is no parameter of stacktrace and was ignored',
  );
  const unknown = await get(`stacktrace?applicationId=${app}&cabId=1336373323854`);
  assert.equal(unknown.text, '{"Value":[],"@nextLink":null,"TotalCount":0}');
  assert.equal(unknown.headers.get('storelens-notice'), "no failure has the cabId '1336373323854'");
});

test('a stack that was read again shows its new state, a failure without one says so', async () => {
  const desktop = '10238467886765136388';
  await server.app.parts.products.create(account.accountId, { kind: 'desktop', id: desktop, name: 'Desk' });
  const cabIdHash = '33333333-aaaa-4aaa-8aaa-00000000000a';
  const row = failed('2018-05-30 09:11:25.000', { source: 'desktop', applicationId: desktop, cabIdHash });
  await storeFailures(server, account, [row]);
  const query = `desktop/stacktrace?applicationId=${desktop}&cabIdHash=${cabIdHash.toUpperCase()}`;
  const before = await get(query);
  assert.equal(page(before).TotalCount, 0);
  assert.equal(
    before.headers.get('storelens-notice'),
    `the failure with cabIdHash '${cabIdHash.toUpperCase()}' has no stack`,
  );
  await renameFailures(server, account, [{ ...row, cabIdHash, frames: stack }]);
  assert.equal(page(await get(query)).TotalCount, 2);
  // Another programme's file is none of the app's.
  const { text } = await get(`stacktrace?applicationId=${app}&cabId=${cabIdHash}`);
  assert.match(text, /"TotalCount":0/);
});

test('files that are not there answer 404 with the reason', async () => {
  await storeFailures(server, account, [
    failed('2018-05-30 09:11:25.000', { cabId: '1336373323853' }),
    failed('2018-05-30 09:11:25.000', { cabId: '1336373323854', source: 'desktop', cabBytes: 5 }),
  ]);
  const download = (cabId: string) => get(`cabdownload?applicationId=${app}&cabId=${cabId}`);
  assert.deepEqual(refusal(await download('1'), 404), ["No failure has the cabId '1'."]);
  assert.deepEqual(refusal(await download('1336373323854'), 404), [
    "No failure has the cabId '1336373323854'.",
  ]);
  assert.deepEqual(refusal(await download('1336373323853'), 404), [
    "The failure with cabId '1336373323853' came without a crash file, or it is not kept.",
  ]);
  const wrongKind = await get(`driver/cabdownload?applicationId=${app}&cabIdHash=${hash}`);
  assert.deepEqual(refusal(wrongKind, 404), [
    `No failure has the cabIdHash '${hash}'; driver/cabdownload has no rows for '${app}': it is registered as an app.`,
  ]);
  assert.equal((await get('cabdownload?applicationId=somebodys&cabId=1')).status, 403);
  assert.equal((await get(`cabdownload?applicationId=${app}`)).status, 400);
});
