/** Good batches: every format and encoding, spelling corrections, missing and derived values, who may post. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { datasets } from '@storelens/contract';
import { type Bench, event, ndjson, noon, post, problems, products, startBench } from './posting.js';

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

const rows = [
  { ...event, userId: 'u-1', market: 'US', quantity: 2, purchasePriceUSDAmount: 1.5 },
  { ...event, userId: 'ü, "2"', inAppProductId: '9NADDON00001', gender: 'f' },
];
const csv = [
  '\ufefftimestamp,applicationId,userId,market,quantity,purchasePriceUSDAmount,inAppProductId,gender',
  '2024-02-29T11:00:00Z,9NBLGGGZ5QDR,u-1,US,2,1.5,,',
  '2024-02-29T11:00:00Z,9NBLGGGZ5QDR,"ü, ""2""",,,,9NADDON00001,f',
].join('\r\n');

const bodies: Readonly<Record<string, string>> = {
  'application/x-ndjson': ndjson(rows),
  'application/x-ndjson; charset=utf-8': `\ufeff\n${ndjson(rows).replaceAll('\n', '\r\n \n')}`,
  'application/json': `\ufeff ${JSON.stringify(rows, null, 2)}\n`,
  'Application/JSON;charset="UTF-8"': JSON.stringify(rows),
  'text/csv': csv,
  'text/csv; header=present': `${csv}\r\n`,
};

for (const [type, body] of Object.entries(bodies)) {
  for (const encoding of ['identity', 'gzip', 'GZIP']) {
    test(`${type} in ${encoding}`, async () => {
      const bytes = encoding === 'identity' ? Buffer.from(body) : gzipSync(body);
      const answer = await bench.post('acquisitions', bytes, {
        'content-type': type,
        'content-encoding': encoding,
      });
      assert.equal(answer.status, 200, answer.text);
      const { batch, ...rest } = answer.json as { batch: string };
      assert.deepEqual(rest, { dataset: 'acquisitions', accepted: 2, duplicate: false });
      assert.deepEqual(Object.keys(answer.json as object), ['dataset', 'accepted', 'batch', 'duplicate']);
      assert.match(batch, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      const stored = await bench.rows(
        `SELECT userId, market, quantity, purchasePriceUSDAmount, inAppProductId, gender, date FROM acquisitions
         WHERE seq = (SELECT max(seq) FROM acquisitions) ORDER BY quantity DESC`,
      );
      assert.deepEqual(stored, [
        {
          userId: 'u-1',
          market: 'US',
          quantity: 2,
          purchasePriceUSDAmount: 1.5,
          inAppProductId: '',
          gender: 'Unknown',
          date: '2024-02-29',
        },
        {
          userId: 'ü, "2"',
          market: 'Unknown',
          quantity: 1,
          purchasePriceUSDAmount: 0,
          inAppProductId: '9NADDON00001',
          gender: 'f',
          date: '2024-02-29',
        },
      ]);
    });
  }
}

test('a gzip body of several members', async () => {
  const [first = '', second = ''] = ndjson(rows).split(/(?<=\n)/);
  const body = Buffer.concat([gzipSync(first), gzipSync(second)]);
  const answer = await bench.post('acquisitions', body, { 'content-encoding': 'gzip' });
  assert.equal((answer.json as { accepted: number }).accepted, 2, answer.text);
});

test('spellings are corrected, other values are kept', async () => {
  await bench.account.ingest('acquisitions', [
    {
      timestamp: '2024-02-29T00:30:00+01:00',
      applicationId: '9nblgggz5qdr',
      acquisitionType: 'FREE',
      storeClient: 'microsoft store (WEB)',
      deviceType: 'pc',
      gender: 'M',
      ageGroup: '0 \u2013 17',
      orderName: 'spelling',
      market: 'us',
    },
    {
      ...event,
      inAppProductId: '9naddon00001',
      acquisitionType: 'FREE',
      orderName: 'spelling',
      deviceType: 'Fridge',
    },
  ]);
  const stored = await bench.rows(
    `SELECT applicationId, inAppProductId, acquisitionType, storeClient, deviceType, gender, ageGroup, market, date,
       toString(timestamp) AS timestamp
     FROM acquisitions WHERE orderName = 'spelling' ORDER BY timestamp`,
  );
  assert.deepEqual(stored, [
    {
      applicationId: '9NBLGGGZ5QDR',
      inAppProductId: '',
      acquisitionType: 'Free',
      storeClient: 'Microsoft Store (web)',
      deviceType: 'PC',
      gender: 'm',
      ageGroup: '0 \u2013 17',
      market: 'us',
      date: '2024-02-28',
      timestamp: '2024-02-28 23:30:00.000',
    },
    {
      applicationId: '9NBLGGGZ5QDR',
      inAppProductId: '9NADDON00001',
      acquisitionType: 'free',
      storeClient: 'Unknown',
      deviceType: 'Fridge',
      gender: 'Unknown',
      ageGroup: 'Unknown',
      market: 'Unknown',
      date: '2024-02-29',
      timestamp: '2024-02-29 11:00:00.000',
    },
  ]);
});

test('missing values of every dataset are what its entry says', async () => {
  for (const entry of Object.values(datasets)) {
    const least = {
      timestamp: event.timestamp,
      date: '2024-02-28',
      source: 'hardware',
      rating: 3,
      adUnitId: 'a',
      campaignId: 'c',
    };
    const given: Readonly<Record<string, unknown>> = { ...least, applicationId: event.applicationId };
    const row = Object.fromEntries(
      entry.columns.map(({ name, required }) => [name, required ? given[name] : null]),
    );
    await bench.account.ingest(entry.name, [row]);
    const [stored] = await bench.rows(
      `SELECT * FROM ${entry.name} WHERE seq = (SELECT max(seq) FROM ${entry.name})`,
    );
    for (const { name, type, missing, required } of entry.columns) {
      if (required || typeof missing === 'object' || type === 'object' || type === 'list') continue;
      // These are made; failures.test.ts has them.
      if (entry.completed !== undefined && /^failure(Name|Hash)$/.test(name)) continue;
      const byType = type === 'boolean' ? false : type === 'integer' || type === 'amount' ? 0 : '';
      assert.deepEqual(stored?.[name], missing ?? byType, `${entry.name}.${name}`);
    }
    assert.equal(stored?.date, entry.time === 'date' ? '2024-02-28' : '2024-02-29');
    if (entry.replaces !== undefined) assert.equal(stored?.line, 1);
  }
});

test('an empty text counts as missing', async () => {
  await bench.account.ingest('usage', [
    { ...event, userId: 'empty', market: '', deviceType: '', customCampaignId: '' },
  ]);
  assert.deepEqual(
    await bench.rows(`SELECT market, deviceType, sessions FROM usage WHERE userId = 'empty'`),
    [{ market: 'Unknown', deviceType: 'Unknown', sessions: 1 }],
  );
});

test('the channel is made from campaign and referrer', async () => {
  const store = 'Universal Client Store';
  await bench.account.ingest('pageviews', [
    { ...event, userId: '1', customCampaignId: 'c', referrerUriDomain: store },
    { ...event, userId: '2', referrerUriDomain: store },
    { ...event, userId: '3', referrerUriDomain: 'example.org' },
    { ...event, userId: '4' },
    { ...event, userId: '5', customCampaignId: 'c', channelType: 'STORE traffic' },
    { ...event, userId: '6', channelType: 'Carrier pigeon' },
  ]);
  const stored = await bench.rows(
    "SELECT channelType FROM pageviews WHERE userId != '' ORDER BY userId, timestamp",
  );
  assert.deepEqual(
    stored.map(({ channelType }) => channelType),
    ['CustomCampaignId', 'Store Traffic', 'Other', 'Other', 'Store Traffic', 'Carrier pigeon'],
  );
});

test('reviews: ids, instants and long texts', async () => {
  const text = `${'é'.repeat(32_000)}\n"quoted"\t\\`;
  await bench.account.ingest('reviews', [
    {
      ...event,
      rating: 4,
      id: '6BE543FF-1C9C-4534-ACED-AF8B4FBE0316',
      reviewTitle: 'given',
      reviewText: text,
    },
    { ...event, rating: 5, responseDate: '2024-02-29T12:00:00.12345678+01:30', reviewTitle: 'made' },
    { ...event, rating: 5, responseDate: '2024-02-29T10:30Z', reviewTitle: 'made' },
  ]);
  const [given, one, two] = await bench.rows(
    `SELECT id, reviewText, responseDate, line FROM reviews WHERE reviewTitle IN ('given', 'made') ORDER BY line`,
  );
  assert.deepEqual(given, {
    id: '6be543ff-1c9c-4534-aced-af8b4fbe0316',
    reviewText: text,
    responseDate: '',
    line: 1,
  });
  assert.match(String(one?.id), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(one?.id, two?.id);
  assert.equal(one?.responseDate, '2024-02-29T10:30:00.1234567Z');
  assert.equal(two?.responseDate, '2024-02-29T10:30:00.0000000Z');
  assert.equal(two?.line, 3);
});

test('amounts are exact', async () => {
  const amounts = [
    '999999999999.999999',
    '-999999999999.999999',
    '0.000001',
    '-0.000001',
    '123456789012.100001',
    '0.1',
  ];
  const scaled = {
    '5e-05': '0.00005',
    '-1.2e-05': '-0.000012',
    '1E-6': '0.000001',
    '999999999999.9e-5': '9999999.999999',
    '1234.56e-04': '0.123456',
    '999999999999.99999E-01': '99999999999.999999',
  } as const;
  const written = [...amounts, ...Object.keys(scaled)];
  for (const [type, body] of [
    [
      'application/json',
      `[${written.map((one) => `{"date":"2024-02-01","applicationId":"9NBLGGGZ5QDR","campaignId":"json","lineId":"${one}","spend":${one}}`)}]`,
    ],
    [
      'text/csv',
      `date,applicationId,campaignId,lineId,spend\n${written.map((one) => `2024-02-01,9NBLGGGZ5QDR,csv,${one},${one}\n`).join('')}`,
    ],
  ] as const) {
    const answer = await bench.post('campaigns', body, { 'content-type': type });
    assert.equal(answer.status, 200, answer.text);
  }
  const stored = await bench.rows(
    "SELECT campaignId, lineId, toString(spend) AS spend FROM campaigns WHERE campaignId IN ('json', 'csv')",
  );
  assert.equal(stored.length, 2 * written.length);
  const plain = new Map<unknown, string>(Object.entries(scaled));
  for (const { lineId, spend } of stored) assert.equal(spend, plain.get(lineId) ?? lineId);
});

test('CSV booleans in any case, a cell that reads \\N is that text', async () => {
  const body = 'timestamp,applicationId,userId,successful\n'.concat(
    ...['TRUE', 'false', 'True', ''].map(
      (cell, index) => `${event.timestamp},${event.applicationId},\\N${index},${cell}\n`,
    ),
  );
  const answer = await bench.post('installs', `${body}\n\n`, { 'content-type': 'text/csv' });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(
    await bench.rows("SELECT userId, successful FROM installs WHERE userId LIKE '%N%' ORDER BY userId"),
    [
      { userId: '\\N0', successful: true },
      { userId: '\\N1', successful: false },
      { userId: '\\N2', successful: true },
      { userId: '\\N3', successful: true },
    ],
  );
});

test('lines are numbered in file order whatever the size', async () => {
  const count = 60_000;
  const header = 'date,applicationId,campaignId,impressions\n';
  const body = header.concat(
    ...Array.from(
      { length: count },
      (_, index) => `2024-01-${10 + (index % 20)},9WZDNCRDABCD,order,${index + 1}\n`,
    ),
  );
  const answer = await bench.post('campaigns', gzipSync(body), {
    'content-type': 'text/csv',
    'content-encoding': 'gzip',
  });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(
    await bench.rows(
      "SELECT count() AS count, countIf(line = impressions) AS right FROM campaigns WHERE campaignId = 'order'",
    ),
    [{ count, right: count }],
  );
});

test('who may post', async () => {
  const { server } = bench;
  const body = [{ ...event, userId: 'who' }];
  const ingestor = await server.account({ products, role: 'Ingestor' });
  assert.equal((await post(server, ingestor.token, 'usage', body)).status, 200);
  const reader = await server.account({ products, role: 'Reader' });
  const refused = await post(server, reader.token, 'usage', body);
  assert.equal(refused.status, 403);
  assert.match(String(problems(refused)), /'Reader' may not ingest/);
  assert.equal((await post(server, 'nonsense', 'usage', body)).status, 401);
  const operator = { 'storelens-tenant': reader.tenantId };
  assert.equal((await post(server, await server.operatorKey(), 'usage', body, operator)).status, 200);
  assert.equal((await post(server, reader.token, 'usage', body, operator)).status, 401);
  const unnamed = await post(server, await server.operatorKey(), 'usage', body);
  assert.equal(unnamed.status, 401);
  assert.match(String(problems(unnamed)), /the header Storelens-Tenant names the tenant/);
  const nobody = { 'storelens-tenant': '00000000-0000-0000-0000-000000000000' };
  assert.equal((await post(server, await server.operatorKey(), 'usage', body, nobody)).status, 404);
  const [audited] = await server.app.parts.identity.auditLines(1);
  assert.equal(audited?.target, `${reader.tenantId}/usage`);
});

test('paths and methods', async () => {
  const { server } = bench;
  const unknown = await bench.post('purchases', []);
  assert.equal(unknown.status, 404);
  assert.match(String(problems(unknown)), /'purchases'; the datasets are acquisitions, .*campaigns/);
  const get = await server.request('/ingest/v1/usage');
  assert.equal(get.status, 405);
  assert.equal(get.headers.get('allow'), 'POST');
  const upper = await server.request('/Ingest/V1/USAGE/', {
    method: 'POST',
    headers: { authorization: `Bearer ${bench.account.token}`, 'content-type': 'application/x-ndjson' },
    body: ndjson([{ ...event, timestamp: new Date(noon).toISOString() }]),
  });
  assert.equal(upper.status, 200, upper.text);
});
