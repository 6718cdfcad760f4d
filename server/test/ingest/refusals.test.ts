/** Bad batches: what is refused, in which words, and that nothing of them is stored. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { datasets } from '@storelens/contract';
import { type Bench, event, ndjson, problems, startBench } from './posting.js';

let bench: Bench;

before(async () => {
  bench = await startBench(['--max-rows', '1000', '--max-body-mib', '2', '--max-decoded-mib', '4']);
});

after(() => bench.server.close());

async function nothingLeft(): Promise<void> {
  const { server, account } = bench;
  assert.deepEqual(await readdir(join(server.folder, 'spool')), []);
  for (const table of ['acquisitions', 'usage', 'reviews', 'campaigns', 'ratings', 'installs']) {
    assert.deepEqual(await bench.rows(`SELECT count() AS count FROM ${table}`), [{ count: 0 }], table);
  }
  assert.deepEqual(await server.app.parts.ledger.unfinished(), []);
  assert.equal(account.accountId.length > 0, true);
}

/** Rows with what is added to the smallest good one, and the problems they must cause. */
const badRows: readonly (readonly [dataset: string, row: object, ...problems: string[]])[] = [
  ['acquisitions', { colour: 1 }, 'colour: unknown key'],
  ['acquisitions', { Market: 'US' }, 'Market: unknown key; did you mean market'],
  ['acquisitions', { timestamp: null }, 'timestamp: missing'],
  ['acquisitions', { applicationId: '' }, 'applicationId: missing'],
  ['acquisitions', { acquisitionType: 5 }, 'acquisitionType: expected text, got number'],
  ['acquisitions', { quantity: '5' }, 'quantity: expected a whole number, got text'],
  ['acquisitions', { quantity: true }, 'quantity: expected a whole number, got boolean'],
  ['acquisitions', { quantity: 1.5 }, "quantity: expected a whole number, got '1.5'"],
  ['acquisitions', { quantity: 0 }, "quantity: expected 1 to 1000000000, got '0'"],
  ['acquisitions', { quantity: 4294967297 }, "quantity: expected 1 to 1000000000, got '4294967297'"],
  ['acquisitions', { quantity: [1] }, 'quantity: expected a whole number, got list'],
  ['acquisitions', { userId: { a: { b: 1 } } }, 'userId: expected text, got object'],
  [
    'acquisitions',
    { purchasePriceUSDAmount: 0.1234567 },
    "purchasePriceUSDAmount: expected a number with at most 12 digits before and 6 after the point, got '0.1234567'",
  ],
  ['acquisitions', { purchasePriceUSDAmount: '1' }, 'purchasePriceUSDAmount: expected a number, got text'],
  [
    'acquisitions',
    { applicationId: '9UNKNOWN0000' },
    "applicationId: '9UNKNOWN0000' is not an app of the account",
  ],
  [
    'acquisitions',
    { applicationId: '9NADDON00001' },
    "applicationId: '9NADDON00001' is not an app of the account",
  ],
  [
    'acquisitions',
    { inAppProductId: '9NBLGGGZ5QDR' },
    "inAppProductId: '9NBLGGGZ5QDR' is not an addon of the account",
  ],
  ...['2024-02-31T00:00:00Z', '2024-99-01T00:00:00Z', '2024-02-29T12:00:00', '2024-02-29', 'yesterday'].map(
    (timestamp): [string, object, string] => [
      'usage',
      { timestamp },
      `timestamp: '${timestamp}' is not a time; expected ISO 8601 with a zone, such as 2024-02-29T13:45:00Z`,
    ],
  ),
  [
    'usage',
    { timestamp: '2024-03-01T12:00:00.001Z' },
    "timestamp: '2024-03-01T12:00:00.001Z' is more than a day in the future",
  ],
  ['usage', { timestamp: '1969-12-31T23:59:59Z' }, "timestamp: '1969-12-31T23:59:59Z' is before 1970-01-01"],
  ['usage', { timestamp: 1709208000 }, 'timestamp: expected text, got number'],
  ['usage', { userId: 'a\0b' }, 'userId: holds the character NUL'],
  ['usage', { userId: 'a\ud800' }, 'userId: holds half a surrogate pair'],
  ['usage', { userId: 'x'.repeat(4097) }, 'userId: longer than 4096 bytes'],
  ['reviews', { rating: 5, reviewText: 'x'.repeat(65_537) }, 'reviewText: longer than 65536 bytes'],
  ['reviews', { rating: 5, id: '{6be543ff}' }, "id: '{6be543ff}' is not a GUID"],
  ['ratings', { rating: 6 }, "rating: expected 1 to 5, got '6'"],
  ['ratings', {}, 'rating: missing'],
  ['ratings', { rating: 5, isRevised: 1 }, 'isRevised: expected true or false, got number'],
  ['ratings', { rating: 5, isRevised: 'true' }, 'isRevised: expected true or false, got text'],
];

for (const [dataset, row, ...expected] of badRows) {
  test(`${dataset}: ${expected.join('; ').slice(0, 100)}`, async () => {
    const good = dataset === 'ratings' || dataset === 'reviews' ? { ...event, rating: 5 } : event;
    const bad = { ...event, ...row };
    for (const [type, body] of [
      ['application/x-ndjson', ndjson([good, bad, good])],
      ['application/json', JSON.stringify([good, bad, good])],
    ] as const) {
      const answer = await bench.post(dataset, body, { 'content-type': type });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(
        problems(answer),
        expected.map((problem) => `row 2: ${problem}`),
      );
      assert.equal((answer.json as { innererror: { code: string } }).innererror.code, 'InvalidRows');
    }
    await nothingLeft();
  });
}

test('a key given twice is seen behind a row that has them all', async () => {
  const { installs } = datasets;
  assert.ok(installs);
  const every = { ...Object.fromEntries(installs.columns.map(({ name }) => [name, null])), ...event };
  const twice = `${JSON.stringify(every).slice(0, -1)},"market":"DE"}`;
  assert.deepEqual(problems(await bench.post('installs', twice)), ['row 1: market: given twice']);
  await nothingLeft();
});

test('days and their dataset', async () => {
  const good = { date: '2024-02-29', applicationId: event.applicationId, campaignId: 'c' };
  const rows = ['2024-02-30', '2024-03-02', '1969-12-31', '2024-02-29T00:00:00Z', '2024-2-1'].map((date) => ({
    ...good,
    date,
  }));
  const answer = await bench.post('campaigns', [good, ...rows]);
  assert.deepEqual(problems(answer), [
    "row 2: date: '2024-02-30' is not a day; expected YYYY-MM-DD",
    "row 3: date: '2024-03-02' is more than a day in the future",
    "row 4: date: '1969-12-31' is before 1970-01-01",
    "row 5: date: '2024-02-29T00:00:00Z' is not a day; expected YYYY-MM-DD",
    "row 6: date: '2024-2-1' is not a day; expected YYYY-MM-DD",
  ]);
  await nothingLeft();
});

test('all problems of all rows, up to a hundred', async () => {
  const rows = Array.from({ length: 80 }, () => ({ ...event, quantity: 'x', colour: 1 }));
  const answer = await bench.post('acquisitions', rows);
  assert.equal(problems(answer).length, 100);
  assert.deepEqual(problems(answer).slice(0, 3), [
    'row 1: colour: unknown key',
    'row 1: quantity: expected a whole number, got text',
    'row 2: colour: unknown key',
  ]);
});

test('CSV: types are judged by the column', async () => {
  const body = [
    'timestamp,applicationId,quantity,purchasePriceUSDAmount,inAppProductId',
    `${event.timestamp},${event.applicationId},5.0,,`,
    `${event.timestamp},${event.applicationId},,1e5,`,
    `${event.timestamp},,,,nope`,
    ',,,,,',
    `${event.timestamp},${event.applicationId},1,1,"9NADDON00001"`,
  ].join('\n');
  const answer = await bench.post('acquisitions', body, { 'content-type': 'text/csv' });
  assert.deepEqual(problems(answer), [
    "row 1: quantity: expected a whole number, got '5.0'",
    "row 2: purchasePriceUSDAmount: expected a number with at most 12 digits before and 6 after the point, got '1e5'",
    'row 3: applicationId: missing',
    "row 3: inAppProductId: 'nope' is not an addon of the account",
    'row 4: not CSV: 6 cells, but the header has 5',
  ]);
});

const malformed: readonly (readonly [type: string, body: string | Buffer, problem: RegExp])[] = [
  ['application/x-ndjson', 'nonsense', /^row 1: not a JSON object$/],
  ['application/x-ndjson', `${ndjson([event])}[]`, /^row 2: not a JSON object$/],
  ['application/x-ndjson', JSON.stringify([event]), /^row 1: not a JSON object$/],
  [
    'application/x-ndjson',
    `${JSON.stringify(event)} ${JSON.stringify(event)}`,
    /^row 1: not JSON: something follows the object$/,
  ],
  ['application/x-ndjson', JSON.stringify(event, null, 1), /^row 1: not JSON/],
  [
    'application/x-ndjson',
    `${JSON.stringify(event)},\n${JSON.stringify(event)}`,
    /^row 1: not JSON: something follows/,
  ],
  [
    'application/x-ndjson',
    JSON.stringify(event).slice(0, -1),
    /^row 1: not JSON: a comma or a closing brace/,
  ],
  [
    'application/x-ndjson',
    `{"market":"US","market":"DE",${JSON.stringify(event).slice(1)}`,
    /^row 1: market: given twice$/,
  ],
  [
    'application/x-ndjson',
    `{"mark\\u0065t":"US",${JSON.stringify(event).slice(1)}`,
    /^row 1: 'mark\\u0065t': keys are taken as they are written, without escapes$/,
  ],
  ['application/x-ndjson', Buffer.from('{"userId":"\xff"}', 'latin1'), /^row 1: not UTF-8$/],
  ['application/x-ndjson', '{"userId":"a\tb"}', /^row 1: not JSON: the value of "userId"/],
  ['application/json', JSON.stringify(event), /^row 1: not a JSON array$/],
  ['application/json', '[', /^row 1: not JSON: the body ends too early$/],
  ['application/json', `[${JSON.stringify(event)}`, /^row 2: not JSON: the body ends too early$/],
  [
    'application/json',
    `[${JSON.stringify(event)},]`,
    /^row 2: not JSON: unexpected character at byte \d+ of the row$/,
  ],
  ['application/json', `[${JSON.stringify(event)}] []`, /^row 2: not JSON: something follows the array$/],
  ['application/json', '[1]', /^row 1: not a JSON object$/],
  ['text/csv', 'timestamp,applicationId\n"a"b,c', /^row 1: not CSV/],
  ['text/csv', 'timestamp,applicationId\na"b,c', /^row 1: /],
  [
    'text/csv',
    `timestamp,applicationId\n${event.timestamp},${event.applicationId}\n\n${event.timestamp},${event.applicationId}`,
    /^row 2: not CSV: a blank line, which may stand at the end of the body alone$/,
  ],
  ['text/csv', 'timestamp,applicationId\n"open', /^row 1: /],
  ['text/csv', 'timestamp,applicationId,timestamp\n', /^header: timestamp: given twice$/],
  ['text/csv', 'timestamp,applicationId,Market\n', /^header: 'Market': unknown key; did you mean market$/],
  ['text/csv', 'timestamp;applicationId\n', /^header: 'timestamp;applicationId': unknown key$/],
];

for (const [type, body, expected] of malformed) {
  test(`${type}: ${String(body).slice(0, 60)}`, async () => {
    const answer = await bench.post('usage', body, { 'content-type': type });
    assert.equal(answer.status, 400, answer.text);
    assert.match(problems(answer)[0] ?? '', expected);
  });
}

test('batches without rows', async () => {
  for (const [type, body] of [
    ['application/x-ndjson', ''],
    ['application/x-ndjson', ' \n\n'],
    ['application/json', '[]'],
    ['text/csv', 'timestamp,applicationId\n'],
  ] as const) {
    const answer = await bench.post('usage', body, { 'content-type': type });
    assert.equal(answer.status, 400, type);
    assert.deepEqual(problems(answer), ['The batch has no rows.']);
  }
  const nothing = await bench.post('usage', '', { 'content-type': 'text/csv' });
  assert.equal(nothing.status, 400);
  await nothingLeft();
});

test('media types, charsets and encodings', async () => {
  const refused: readonly Readonly<Record<string, string>>[] = [
    { 'content-type': 'application/xml' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'text/csv; header=absent' },
    { 'content-encoding': 'br' },
    { 'content-encoding': 'gzip, gzip' },
    { 'content-encoding': 'constructor' },
  ];
  for (const headers of refused) {
    const answer = await bench.post('usage', [event], headers);
    assert.equal(answer.status, 415, JSON.stringify(headers));
    assert.match(problems(answer).join(' '), /application\/x-ndjson, application\/json, text\/csv.* gzip/);
  }
  for (const body of ['no gzip', gzipSync(ndjson([event])).subarray(0, -9)]) {
    const answer = await bench.post('usage', body, { 'content-encoding': 'gzip' });
    assert.equal(answer.status, 400);
    assert.deepEqual(problems(answer), ['The body is not valid gzip.']);
  }
  await nothingLeft();
});

test('limits: rows, wire, decoded, ratio', async () => {
  const tooMany = await bench.post(
    'usage',
    Array.from({ length: 1001 }, () => event),
  );
  assert.deepEqual([tooMany.status, problems(tooMany)], [413, ['A batch may have 1000 rows.']]);
  const wire = 'A body may have 2 MiB on the wire.';
  const announced = await bench.post('usage', 'x'.repeat(2 * 1024 * 1024 + 1));
  assert.deepEqual([announced.status, problems(announced)], [413, [wire]]);
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(Buffer.alloc(65_536, ' '));
    },
  });
  // Without a length the body is cut off after a while; the answer or the end of the connection comes first.
  const streamed = await bench.post('usage', endless).catch((error: unknown) => error);
  if (!(streamed instanceof Error)) assert.equal((streamed as { status: number }).status, 413);
  const words = Array.from({ length: 900 }, (_, index) =>
    createHash('sha512').update(`${index}`).digest('hex'),
  );
  const spread = words.map((word) => ({ ...event, userId: word.repeat(36) }));
  const decoded = await bench.post('usage', gzipSync(ndjson(spread)), { 'content-encoding': 'gzip' });
  assert.deepEqual(
    [decoded.status, problems(decoded)],
    [413, ['A body may have 4 MiB after decompression.']],
  );
  const thin = await bench.post('usage', gzipSync(Buffer.alloc(3 * 1024 * 1024)), {
    'content-encoding': 'gzip',
  });
  const ratio = 'A body may be 200 times as large after decompression as on the wire.';
  assert.deepEqual([thin.status, problems(thin)], [413, [ratio]]);
  const bomb = gzipSync(Buffer.alloc(1024 * 1024 * 1024));
  assert.ok(bomb.length < 2 * 1024 * 1024);
  const before = process.memoryUsage().rss;
  const bombed = await bench.post('usage', bomb, { 'content-encoding': 'gzip' });
  assert.deepEqual([bombed.status, problems(bombed)], [413, ['A body may have 4 MiB after decompression.']]);
  assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024, 'memory is bounded');
  await nothingLeft();
});

test('a client that reads only after it has sent everything gets its refusal', {
  timeout: 60_000,
}, async () => {
  const { hostname, port } = new URL(bench.server.url);
  const socket = connect(Number(port), hostname);
  const chunk = Buffer.alloc(65_536, ' ');
  const chunks = 300;
  socket.write(
    `POST /ingest/v1/usage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${chunks * chunk.length}\r\n\r\n`,
  );
  for (let left = chunks; left > 0; left -= 1) {
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 401 /);
});

test('a sender that goes away leaves nothing behind', async () => {
  const url = new URL('/ingest/v1/usage', bench.server.url);
  const aborted = new Promise<void>((resolve) => {
    const sent = httpRequest(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        authorization: `Bearer ${bench.account.token}`,
        'content-length': 1000,
      },
    });
    sent.on('error', () => resolve());
    sent.write(ndjson([event]));
    sent.once('socket', (socket) => setImmediate(() => socket.destroy()));
  });
  await aborted;
  // A batch that comes later is only answered when the spool has been cleared of it or holds its own files.
  while ((await readdir(join(bench.server.folder, 'spool'))).length > 0) await new Promise(setImmediate);
  await nothingLeft();
});

test('bad keys', async () => {
  for (const key of ['', 'a b', 'x'.repeat(256), '\u00e9']) {
    const answer = await bench.post('usage', [event], { 'idempotency-key': key });
    assert.equal(answer.status, 400, key);
    assert.deepEqual(problems(answer), ['Idempotency-Key takes 1 to 255 visible ASCII characters.']);
  }
});
