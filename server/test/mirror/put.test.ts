/** Mirrored days come in: once, whole, refused by row and field; and what is known of them afterwards. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { type MirrorClient, mirrorClient } from './days.js';

const app = '9NBLGGGZ5QDR';
const other = '9NBLGGGZ5QDS';
const now = Date.UTC(2026, 2, 20, 12);

let server: TestServer;
let account: TestAccount;
let client: MirrorClient;

before(async () => {
  server = await startServer({ now });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'app', id: other, name: 'Contoso Other' },
      { kind: 'driver', id: '14027140605000001', name: 'Contoso Driver' },
    ],
  });
  client = mirrorClient(server, account);
});

after(() => server.close());

const row = { date: '2026-03-14', applicationId: app, market: 'US', acquisitionQuantity: 3 };

function data(answer: { json: unknown }): readonly string[] {
  return (answer.json as { innererror: { data: string[] } }).innererror.data;
}

async function stored(table: string, columns: string): Promise<unknown> {
  const bytes = await server.app.parts.engine.query({
    account: account.accountId,
    sql: `SELECT ${columns} FROM ${table} WHERE accountId = {account:String} ORDER BY seq, isDay`,
    params: { account: account.accountId },
    format: 'JSONCompactEachRow',
  });
  return Buffer.from(bytes)
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

test('a day is stored once; other content takes its place, and may come back', async () => {
  const path = `appacquisitions/2026-03-14?applicationId=${app.toLowerCase()}&groupby=market,date`;
  const first = await client.put(path, [row, { ...row, market: null, acquisitionQuantity: 1, later: 'x' }]);
  assert.equal(first.status, 200, first.text);
  const { batch, ...said } = first.json as { batch: string };
  assert.match(batch, new RegExp(`^${app}/2026-03-14/0/[0-9a-f]{64}$`));
  assert.deepEqual(said, {
    report: 'appacquisitions',
    applicationId: app,
    day: '2026-03-14',
    state: 'read',
    rows: 2,
    duplicate: false,
    ignoredFields: ['later'],
  });
  const again = await client.put(`${path}&settled=true`, [
    row,
    { ...row, market: null, acquisitionQuantity: 1 },
  ]);
  assert.deepEqual(
    [
      again.status,
      (again.json as Record<string, unknown>).duplicate,
      (again.json as { state: string }).state,
    ],
    [200, true, 'settled'],
  );
  const { ledger } = server.app.parts;
  assert.equal(await ledger.snapshot(account.accountId), 1, 'a duplicate makes no commit');
  assert.deepEqual(
    await stored(
      'mirror_appacquisitions',
      'scope, toString(date), isDay, market, toInt32(acquisitionQuantity), grouping, toInt32(dayRows)',
    ),
    [
      [app, '2026-03-14', false, 'US', 3, 'date,market', 0],
      [app, '2026-03-14', false, 'Unknown', 1, 'date,market', 0],
      [app, '2026-03-14', true, '', 0, 'date,market', 2],
    ],
  );
  assert.equal((await client.put(path, [row])).status, 200);
  const back = await client.put(path, [row, { ...row, market: null, acquisitionQuantity: 1 }]);
  assert.equal((back.json as { duplicate: boolean }).duplicate, false, back.text);
  assert.equal(await ledger.snapshot(account.accountId), 3);
});

test('no rows are a day that is known to be empty', async () => {
  for (const [day, body, type] of [
    ['2026-03-01', '', 'application/x-ndjson'],
    ['2026-03-02', '[]', 'application/json'],
  ] as const) {
    const answer = await client.put(`appacquisitions/${day}?applicationId=${app}`, body, type);
    assert.equal(answer.status, 200, answer.text);
    const { state, rows } = answer.json as { state: string; rows: number };
    assert.deepEqual([state, rows], ['empty', 0]);
  }
});

test('the same empty day of two products is known of both', async () => {
  for (const product of [app, other]) {
    const answer = await client.put(`appacquisitions/2026-03-03?applicationId=${product}`, []);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((answer.json as { duplicate: boolean }).duplicate, false, answer.text);
  }
  const days = (await stored('mirror_appacquisitions', 'scope, toString(date), isDay')) as unknown[][];
  assert.deepEqual(
    days.filter(([, day]) => day === '2026-03-03'),
    [
      [app, '2026-03-03', true],
      [other, '2026-03-03', true],
    ],
  );
});

test('a name that every object has is no report', async () => {
  for (const name of ['constructor', '__proto__']) {
    const answer = await client.put(`${name}/2026-03-14?applicationId=${app}`, [row]);
    assert.equal(answer.status, 404, answer.text);
  }
});

test('a path of a hundred thousand characters takes no time, which comes before any token', async () => {
  const began = performance.now();
  const answer = await server.request(`/ingest/v1/mirror/appacquisitions/${'1'.repeat(100_000)}/x`);
  assert.equal(answer.status, 404);
  assert.ok(performance.now() - began < 5000, 'milliseconds are expected; a pattern took a minute');
});

test('all reports with rows of days take one, whatever their fields', async () => {
  const count = { eventCount: 2.0, deviceCount: 1.0 };
  const bodies: Readonly<Record<string, object>> = {
    [`failurehits/2026-03-14?applicationId=${app}`]: count,
    [`failuredetails/2026-03-14?applicationId=${app}`]: {
      date: '2026-03-14 11:12:13',
      cabId: '1234567890123',
    },
    'driver/failurehits/2026-03-14?applicationId=14027140605000001': { eventCount: 2 },
    'hardware/failurehits/2026-03-14': { eventCount: 2, sellerId: '12345678' },
    'adsperformance/2026-03-14': {
      applicationId: app,
      revenueInAccountCurrency: 0.1,
      impressions: 1,
      requests: 1,
      clicks: 1,
      adProviderRequests: 1,
    },
    [`reviews/2026-03-14?applicationId=${app}`]: { rating: 4, isTouchEnabled: true, reviewText: 'ü "\n' },
  };
  for (const [path, body] of Object.entries(bodies)) {
    const answer = await client.put(path, [body]);
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
    assert.deepEqual((answer.json as { ignoredFields: unknown }).ignoredFields, []);
  }
});

test('amounts and counts are kept as they are written', async () => {
  const body =
    '{"spend":123456789012.000000000000000019,"impressions":3.0,"installs":0,"clicks":1,"iapInstalls":0,"activeUsers":9}\n' +
    '{"spend":5e-05,"impressions":0,"installs":0,"clicks":0,"iapInstalls":0,"activeUsers":0}\n' +
    '{"spend":0.30000000000000004,"impressions":0,"installs":0,"clicks":0,"iapInstalls":0,"activeUsers":0}';
  const answer = await client.put('promotion/2026-03-14', body);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await stored('mirror_promotion', 'toString(spend), toString(impressions)'), [
    ['123456789012.000000000000000019', '3'],
    ['0.00005', '0'],
    ['0.30000000000000004', '0'],
    ['0', '0'],
  ]);
});

test('a bad row refuses the day, by row and field', async () => {
  const before = await server.app.parts.ledger.snapshot(account.accountId);
  const answer = await client.put(`appacquisitions/2026-03-14?applicationId=${app}`, [
    row,
    { ...row, market: 7 },
    { ...row, acquisitionQuantity: 'many' },
    { ...row, acquisitionQuantity: 1.5 },
    { market: 'US' },
    { ...row, date: '2026-03-15' },
    { ...row, applicationId: 'another' },
    { ...row, market: 'x'.repeat(5000) },
  ]);
  assert.equal(answer.status, 400, answer.text);
  assert.deepEqual(data(answer), [
    'row 2: market: expected text, got number',
    'row 3: acquisitionQuantity: expected a whole number, got text',
    "row 4: acquisitionQuantity: '1.5' is no whole number",
    'row 5: acquisitionQuantity: missing',
    "row 6: date: '2026-03-15' is not 2026-03-14",
    `row 7: applicationId: 'another' is not the day's ${app}`,
    'row 8: market: longer than 4096 bytes',
  ]);
  const odd = '{"market":"US","market":"DE","acquisitionQuantity":1}\n{"market":\nnothing';
  assert.deepEqual(data(await client.put(`appacquisitions/2026-03-14?applicationId=${app}`, odd)), [
    'row 1: market: given twice',
    'row 2: not JSON: the value of "market" cannot be read',
    'row 3: not a JSON object',
  ]);
  assert.equal(await server.app.parts.ledger.snapshot(account.accountId), before);
});

test('requests that cannot be meant are refused', async () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['appacquisitions/2026-03-14', 400, /applicationId is missing/],
    ['appacquisitions/2026-03-14?applicationId=9OTHER', 400, /'9OTHER', which is no product of the account/],
    ['appacquisitions/2026-03-14?applicationId=14027140605000001', 400, /of kind app/],
    [`promotion/2026-03-14?applicationId=${app}`, 400, /those of the whole account/],
    [`appacquisitions/2026-02-30?applicationId=${app}`, 400, /'2026-02-30'; expected a day/],
    [`appacquisitions/2026-03-22?applicationId=${app}`, 400, /in the future/],
    [`appacquisitions/2026-03-14?applicationId=${app}&groupby=color`, 400, /groupby names 'color'/],
    [`failuredetails/2026-03-14?applicationId=${app}&groupby=market`, 400, /is grouped by none/],
    [`appacquisitions/2026-03-14?applicationId=${app}&aggregationLevel=week`, 400, /mirrored at level day/],
    [`appacquisitions/2026-03-14?applicationId=${app}&settled=yes`, 400, /settled is 'yes'/],
    [`appacquisitions/2026-03-14?applicationId=${app}&top=1`, 400, /Unknown parameter 'top'/],
    [`usage/2026-03-14?applicationId=${app}`, 404, /expected the name of a report and a day/],
    [`appacquisitions?applicationId=${app}`, 404, /expected the name of a report and a day/],
  ];
  for (const [path, status, sentence] of cases) {
    const answer = await client.put(path, [row]);
    assert.equal(answer.status, status, `${path}: ${answer.text}`);
    assert.match(data(answer).join(' '), sentence);
  }
  const csv = await client.put(`appacquisitions/2026-03-14?applicationId=${app}`, 'a\n1', 'text/csv');
  assert.equal(csv.status, 415);
  const reader = mirrorClient(server, await server.account({ role: 'Reader' }));
  assert.equal((await reader.put(`appacquisitions/2026-03-14?applicationId=${app}`, [row])).status, 403);
  assert.equal((await reader.state()).status, 403);
  const stranger = mirrorClient(server, await server.account());
  assert.equal((await stranger.put(`appacquisitions/2026-03-14?applicationId=${app}`, [row])).status, 400);
  const posted = await server.request(`/ingest/v1/mirror/appacquisitions/2026-03-14`, { method: 'POST' });
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'PUT']);
});

test('the state tells days apart that are read, settled, empty, failed, kept and without rows, and remembers', async () => {
  const own = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
  const mine = mirrorClient(server, own);
  assert.deepEqual((await mine.state()).json, { reports: [] });
  const day = (number: number) => `installs/2026-03-0${number}?applicationId=${app}`;
  const install = { successfulInstallCount: 1 };
  await mine.put(day(1), [install]);
  await mine.put(`${day(2)}&settled=true`, [install]);
  await mine.put(`${day(3)}&settled=true`, []);
  await mine.put(day(4), [install]);
  const failed = (path: string, body: object) => mine.put(path, JSON.stringify(body), 'application/json');
  const failure = { state: 'failed', error: '429 after 5 attempts' };
  assert.equal((await failed(`state/${day(4)}`, failure)).status, 204);
  assert.equal((await failed(`state/${day(5)}`, failure)).status, 204);
  assert.equal((await failed(`state/${day(1)}`, failure)).status, 204);
  await mine.put(day(1), [install]);
  // What the source has no longer: rows that are there stay, also behind a failure; what comes back counts again.
  const gone = { state: 'gone', error: 'The source keeps 30 days.' };
  await mine.put(day(6), [install]);
  for (const number of [6, 7, 8]) {
    assert.equal((await failed(`state/${day(number)}`, failure)).status, 204);
    assert.equal((await failed(`state/${day(number)}`, gone)).status, 204);
  }
  await mine.put(day(8), [install]);
  const cursor = { windows: ['2026-03'], profile: 'contoso' };
  assert.equal((await failed(`state/installs?applicationId=${app}`, cursor)).status, 204);
  assert.equal((await failed('state/promotion', { run: 1 })).status, 204);
  const at = new Date(now).toISOString();
  const known = {
    report: 'installs',
    applicationId: app,
    first: '2026-03-01',
    last: '2026-03-08',
    days: { empty: 1, read: 2, settled: 1, failed: 2, kept: 1, without: 1 },
    cursor,
    cursorAt: at,
  };
  const none = { empty: 0, read: 0, settled: 0, failed: 0, kept: 0, without: 0 };
  assert.deepEqual((await mine.state()).json, {
    reports: [
      known,
      {
        report: 'promotion',
        applicationId: null,
        first: null,
        last: null,
        days: none,
        cursor: { run: 1 },
        cursorAt: at,
      },
    ],
  });
  const one = (number: number, state: string, settled: boolean, rows: number | null) => ({
    applicationId: app,
    day: `2026-03-0${number}`,
    state,
    settled,
    rows,
    readAt: rows === null ? null : at,
    error: { failed: failure.error, kept: gone.error, without: gone.error }[state] ?? null,
    failedAt: state === 'failed' ? at : null,
    goneAt: state === 'kept' || state === 'without' ? at : null,
  });
  const { days } = (await mine.state('?report=installs&applicationId=9nblgggz5qdr')).json as {
    days: unknown;
  };
  assert.deepEqual(days, [
    one(1, 'read', false, 1),
    one(2, 'settled', true, 1),
    one(3, 'empty', true, 0),
    one(4, 'failed', false, 1),
    one(5, 'failed', false, null),
    one(6, 'kept', false, 1),
    one(7, 'without', false, null),
    one(8, 'read', false, 1),
  ]);
  const part = (await mine.state('?report=installs&from=2026-03-02&to=2026-03-03')).json as {
    days: unknown[];
  };
  assert.equal(part.days.length, 2);
  assert.deepEqual((await client.state('?report=installs')).json, { reports: [], days: [] });
  assert.equal((await failed(`state/installs?applicationId=${app}`, { x: 'y'.repeat(17_000) })).status, 413);
  assert.equal((await failed(`state/${day(5)}`, { state: 'read', error: 'x' })).status, 400);
  assert.equal((await mine.state('?report=usage')).status, 400);
});

test('a superseded content is purged when no snapshot needs it', async () => {
  const own = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
  const mine = mirrorClient(server, own);
  const path = `ratings/2026-03-14?applicationId=${app}`;
  const stars = { oneStar: 1, twoStars: 0, threeStars: 0, fourStars: 0, fiveStars: 5 };
  await mine.put(path, [stars, { ...stars, market: 'DE' }]);
  await mine.put(`ratings/2026-03-15?applicationId=${app}`, [stars]);
  await mine.put(path, [stars]);
  const count = async () => {
    const bytes = await server.app.parts.engine.query({
      account: own.accountId,
      sql: 'SELECT groupArray((toInt32(seq), n)) FROM (SELECT seq, count() AS n FROM mirror_ratings GROUP BY seq ORDER BY seq)',
      format: 'JSONCompactEachRow',
    });
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  };
  assert.deepEqual(await count(), [
    [
      [1, 3],
      [2, 2],
      [3, 2],
    ],
  ]);
  server.setTime(now + 30 * 60_000);
  await server.app.parts.ingest.purge();
  assert.deepEqual(await count(), [
    [
      [2, 2],
      [3, 2],
    ],
  ]);
  assert.equal(await server.app.parts.ledger.purgedBelow(own.accountId, 'mirror_ratings'), 3);
});
