/** The client against the real server: every kind of report, pages, filters, errors, tokens. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AuthenticationError,
  type Client,
  connect,
  ForbiddenError,
  field,
  InvalidRequestError,
  NotFoundError,
  type ReportParameters,
  unlisted,
} from '@storelens/client';
import { startServer, type TestAccount, type TestServer } from '@storelens/server/test-harness';

const applicationId = '9NBLGGGZ5QDR';
const desktopId = '10238467886765136388';
const markets = ['US', 'DE', 'FR', 'JP', 'IS', 'BR', 'IN'];

let server: TestServer;
let account: TestAccount;
let client: Client<'2018'>;

before(async () => {
  server = await startServer({ now: Date.UTC(2018, 5, 1, 12) });
  account = await server.account({
    products: [
      { kind: 'app', id: applicationId, name: "Contoso's Demo" },
      { kind: 'desktop', id: desktopId, name: 'Contoso Desktop' },
    ],
  });
  client = connect({ ...credentials(), url: server.url, rowShape: '2018' });
  await account.ingest(
    'acquisitions',
    markets.flatMap((market, index) =>
      Array.from({ length: index + 1 }, (_, hour) => ({
        timestamp: `2018-05-${20 + index}T${10 + hour}:00:00Z`,
        applicationId,
        acquisitionType: 'Free',
        market,
        deviceType: index % 2 === 0 ? 'PC' : 'Phone',
        userId: `user-${index}-${hour}`,
      })),
    ),
  );
});

after(() => server?.close());

function credentials() {
  const { tenantId, clientId, clientSecret } = account;
  return { tenantId, clientId, clientSecret };
}

const may = { applicationId, startDate: new Date(Date.UTC(2018, 4, 1)), endDate: '2018-05-31' } as const;

test('rows walk through all pages, in the order asked for', async () => {
  const seen: string[] = [];
  for await (const row of client.rows('appacquisitions', {
    ...may,
    groupby: ['market'],
    orderby: ['market', 'date desc'],
    top: 2,
  })) {
    seen.push(`${row.market} ${row.date} ${row.acquisitionQuantity}`);
  }
  assert.deepEqual(
    seen,
    markets.map((market, index) => `${market} 2018-05-${20 + index} ${index + 1}`).sort(),
  );
});

test('a page tells total and link, and the link leads on', async () => {
  const parameters = { ...may, top: 5, filter: "market ne 'US'" };
  const first = await client.page('appacquisitions', parameters);
  assert.equal(first.rows.length, 5);
  assert.equal(first.total, 6);
  const second = await client.page('appacquisitions', parameters, { from: first.next });
  assert.equal(second.rows.length, 1);
  assert.equal(second.next, undefined);
});

test('filters are built from fields and arrive as they were meant', async () => {
  const wanted = async (filter: ReportParameters<'appacquisitions'>['filter']) =>
    (await client.rows('appacquisitions', { ...may, groupby: ['market'], filter }).toArray())
      .map((row) => row.market)
      .sort();
  assert.deepEqual(await wanted(field('market').eq('us').or(field('market').eq('IS'))), ['IS', 'US']);
  assert.deepEqual(
    await wanted((field) =>
      field('deviceType')
        .eq('Phone')
        .and(field('market').eq('DE').or(field('market').eq('US'))),
    ),
    ['DE'],
  );
  assert.deepEqual(await wanted("market eq 'FR'"), ['FR']);
  assert.deepEqual(await wanted(field('orderName').eq("it's 100% #1 & \u65e5\u672c")), []);
});

test('notices of the server reach the caller', async () => {
  const page = await client.page(unlisted('appacquisitions'), {
    ...may,
    failureHash: 'x',
    startDate: '2018-06-01',
    endDate: '2018-06-01',
  });
  assert.deepEqual(page.rows, []);
  assert.ok(
    page.notices.some((notice) => notice.includes('failureHash')),
    page.notices.join('\n'),
  );
});

test('the funnel answers its steps', async () => {
  const steps = await client.rows('funnel', may).toArray();
  assert.deepEqual(
    steps.map(({ MetricType, UserCount }) => [MetricType, UserCount]),
    [
      ['PageView', 0],
      ['Acquisition', 28],
      ['Install', 0],
      ['Usage', 0],
    ],
  );
});

test('refusals come as classes, with what the server said and its request id', async () => {
  await assert.rejects(client.page('appacquisitions', { ...may, top: 10001 }), (error) => {
    assert.ok(error instanceof InvalidRequestError);
    assert.equal(error.status, 400);
    assert.equal(error.code, 'InvalidQueryParameters');
    assert.deepEqual(error.data, ['top parameter cannot be more than 10000']);
    assert.match(String(error.requestId), /^[0-9a-f-]{36}$/);
    assert.match(error.message, /top parameter cannot be more than 10000/);
    return true;
  });
  await assert.rejects(client.page('appacquisitions', { applicationId: '9WZDNCRFJ3TJ' }), ForbiddenError);
  await assert.rejects(client.page(unlisted('usagedaily'), {}), NotFoundError);
  await assert.rejects(client.page('appacquisitions', { ...may, filter: 'market' }), (error) => {
    assert.ok(error instanceof InvalidRequestError && error.data.length === 1);
    return true;
  });
});

test('wrong credentials are an AuthenticationError that does not show them', async () => {
  const clientSecret = 'not-the-secret-0123456789';
  const stranger = connect({ ...credentials(), clientSecret, url: server.url });
  await assert.rejects(stranger.rows('appacquisitions', may).toArray(), (error) => {
    assert.ok(error instanceof AuthenticationError);
    assert.equal(error.status, 401);
    assert.equal(error.code, 'invalid_client');
    assert.match(error.message, /AADSTS7000215/);
    assert.ok(!error.message.includes(clientSecret));
    return true;
  });
});

test('a token that ended early is renewed in mid-run', async () => {
  const rows = client
    .rows('appacquisitions', { ...may, groupby: ['market'], top: 2 })
    [Symbol.asyncIterator]();
  await rows.next();
  await rows.next();
  server.setTime(Date.UTC(2018, 5, 1, 14));
  let count = 2;
  while (!(await rows.next()).done) count++;
  assert.equal(count, markets.length);
});

test("requests of one's own carry the token", async () => {
  const answer = await client.request('/ingest/v1/acquisitions', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'one' },
    body: JSON.stringify({
      timestamp: '2018-04-01T00:00:00Z',
      applicationId,
      acquisitionType: 'Free',
      market: 'US',
    }),
  });
  assert.equal(((await answer.json()) as { accepted: number }).accepted, 1);
  await assert.rejects(client.request('//other.example/'), TypeError);
});
