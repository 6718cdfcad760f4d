/** Rows of failures over HTTP: what is stored of good ones, and what is said of bad ones. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Bench, ndjson, problems, startBench } from './posting.js';

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

const timestamp = '2024-02-29T11:22:33.456Z';
const app = '9NBLGGGZ5QDR';
const good = { timestamp, source: 'app', applicationId: app };
const tag = (() => {
  let number = 0;
  return () => {
    number += 1;
    return `device ${number}`;
  };
})();
const stored = (device: string, columns = '*') =>
  bench.rows(`SELECT ${columns} FROM failures WHERE deviceId = '${device}' ORDER BY timestamp`);

test('a full row is completed and stored', async () => {
  const deviceId = tag();
  const row = {
    ...good,
    source: 'APP',
    applicationId: app.toLowerCase(),
    deviceId,
    eventType: 'crash',
    market: 'US',
    exception: { code: 3221225620, class: null },
    frames: [
      { image: 'ntdll.dll', function: 'RtlRaise', offset: 604 },
      { image: 'Game.exe', function: 'Game::Divide(int, int)', offset: '0x2f' },
      {},
    ],
  };
  const answer = await bench.post('failures', [row]);
  assert.equal(answer.status, 200, answer.text);
  const [found] = await stored(deviceId);
  assert.ok(found);
  const given = { found: 'given', file: '', line: 0 };
  const { cabId, cabIdHash, seq, accountId, ...rest } = found;
  assert.match(String(cabId), /^[1-9]\d{12}$/);
  assert.match(String(cabIdHash), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(Number(seq) > 0 && accountId === bench.account.accountId);
  const expected = {
    source: 'app',
    applicationId: app,
    date: '2024-02-29',
    timestamp: '2024-02-29 11:22:33.456',
    deviceId,
    eventType: 'crash',
    failureName: 'INTEGER_DIVIDE_BY_ZERO_c0000094_Game.exe!Game::Divide',
    symbol: 'game!Game::Divide',
    market: 'US',
    osVersion: 'Unknown',
    packageVersion: '0.0.0.0',
    mode: 'Kernel',
    clientDeviceId: '',
    exceptionCode: '0xc0000094',
    exceptionClass: '',
    nameGiven: false,
    hashGiven: false,
    namingVersion: 1,
    formerHashes: [],
    cabBytes: 0,
    processed: '',
    frames: [
      { image: 'ntdll.dll', function: 'RtlRaise', offset: '0x25C', ...given },
      { image: 'Game.exe', function: 'Game::Divide(int, int)', offset: '0x2f', ...given },
      { image: '', function: '', offset: '', ...given },
    ],
    supersededBy: 0,
  };
  assert.deepEqual({ ...rest, ...expected }, rest);
});

test('a row with nothing but what is required', async () => {
  for (const row of [
    { timestamp, source: 'ihvdriver' },
    { timestamp, source: 'hardware', exception: {}, frames: [] },
    { timestamp, source: 'hardware', exception: null, frames: null },
    { timestamp, source: 'app', applicationId: app },
  ]) {
    const deviceId = tag();
    const answer = await bench.post('failures', [{ ...row, deviceId }]);
    assert.equal(answer.status, 200, answer.text);
    const [found] = await stored(deviceId, 'failureName, failureHash, frames');
    assert.equal(found?.failureName, 'APPLICATION_FAULT');
    assert.deepEqual(found?.frames, []);
  }
});

test('a given name and hash are kept; without a hash it is made from the name', async () => {
  const deviceId = tag();
  const failureName = '0x5a_c0000428_IMAGE_filecrypt.sys';
  const rows = [
    { ...good, source: 'driver', applicationId: '13510798888881234', failureName: ` ${failureName} ` },
    { ...good, failureName: 'Mine', failureHash: ' {MY}-hash ', timestamp: '2024-02-29T12:00:00Z' },
  ];
  const answer = await bench.post(
    'failures',
    rows.map((row) => ({ ...row, deviceId })),
  );
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await stored(deviceId, 'failureName, failureHash, nameGiven, hashGiven'), [
    { failureName, failureHash: '35f25777-b01e-70a1-c502-f690dab6cb3a', nameGiven: true, hashGiven: false },
    { failureName: 'Mine', failureHash: '{MY}-hash', nameGiven: true, hashGiven: true },
  ]);
});

test('CSV rows are completed too', async () => {
  const deviceId = tag();
  const csv = `timestamp,source,applicationId,deviceId,failureName,moduleName\n${timestamp},App,${app},${deviceId},"a ""b"", c",\n${timestamp},app,${app},${deviceId},,m.dll\n`;
  const answer = await bench.post('failures', csv, { 'content-type': 'text/csv' });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual((await stored(deviceId, 'failureName')).map(({ failureName }) => failureName).sort(), [
    'APPLICATION_FAULT_m.dll!Unknown',
    'a "b", c',
  ]);
});

test('CSV cannot give nested keys', async () => {
  const csv = `timestamp,source,frames,exception\n${timestamp},ihvdriver,,\n`;
  const answer = await bench.post('failures', csv, { 'content-type': 'text/csv' });
  assert.equal(answer.status, 400);
  assert.deepEqual(problems(answer), [
    'header: frames: only JSON can give it',
    'header: exception: only JSON can give it',
  ]);
});

test('a JSON array of rows, spread over lines', async () => {
  const deviceId = tag();
  const rows = [1, 2, 3].map(() => ({ ...good, deviceId, frames: [{ image: '{[",' }] }));
  const body = `\ufeff${JSON.stringify(rows, null, 2)}\n`;
  const answer = await bench.post('failures', body, { 'content-type': 'application/json' });
  assert.equal(answer.status, 200, answer.text);
  const frames = [{ image: '{[",', function: '', offset: '', found: 'given', file: '', line: 0 }];
  assert.deepEqual(await stored(deviceId, 'frames'), [{ frames }, { frames }, { frames }]);
});

const cases: readonly (readonly [row: object | string, ...problems: string[]])[] = [
  [{ ...good, source: 'web' }, "source: 'web' is none of app, desktop, driver, ihvdriver, hardware"],
  [{ timestamp, source: 'app' }, "applicationId: missing; source 'app' needs it"],
  [{ timestamp, source: 'Driver' }, "applicationId: missing; source 'driver' needs it"],
  [{ ...good, source: 'desktop' }, `applicationId: '${app}' is not a desktop of the account`],
  [{ ...good, source: 'hardware' }, `applicationId: '${app}' is not a driver of the account`],
  [{ timestamp, applicationId: app }, 'source: missing'],
  [{ ...good, exception: 5 }, 'exception: expected an object, got number'],
  [{ ...good, exception: '' }, 'exception: expected an object, got text'],
  [{ ...good, exception: [] }, 'exception: expected an object, got list'],
  [{ ...good, exception: { code: true } }, 'exception.code: expected text or a whole number, got boolean'],
  [{ ...good, exception: { code: 1.5 } }, "exception.code: expected text or a whole number, got '1.5'"],
  [
    `{"timestamp":"${timestamp}","source":"ihvdriver","exception":{"code":123456789012345678}}`,
    "exception.code: expected text, or a whole number that is exact as one, got '123456789012345678'",
  ],
  [{ ...good, exception: { Code: 5 } }, 'exception.Code: unknown key; did you mean code'],
  [{ ...good, exception: { class: 5 } }, 'exception.class: expected text, got number'],
  [{ ...good, frames: {} }, 'frames: expected a list of objects, got object'],
  [{ ...good, frames: [{}, 'x'] }, 'frames[1]: expected an object, got text'],
  [{ ...good, frames: [null] }, 'frames[0]: expected an object, got null'],
  [{ ...good, frames: [{}, {}, { image: 5 }] }, 'frames[2].image: expected text, got number'],
  [{ ...good, frames: [{ images: '' }] }, 'frames[0].images: unknown key'],
  [{ ...good, frames: [{ image: 'x'.repeat(5000) }] }, /^frames\[0\]\.image: longer than \d+ bytes$/.source],
  [{ ...good, frames: Array.from({ length: 129 }, () => ({})) }, 'frames: 129 entries; at most 128'],
  [{ ...good, failureName: 'é'.repeat(3000) }, /^failureName: longer than \d+ bytes$/.source],
  [`{"timestamp":"${timestamp}","source":"ihvdriver","source":"hardware"}`, 'source: given twice'],
  [
    `{"timestamp":"${timestamp}","source":"ihvdriver","frames":[{"image":"a","image" : "b"}]}`,
    'frames[0].image: given twice',
  ],
  [
    `{"timestamp":"${timestamp}","source":"ihvdriver","exception":{"c\\u006fde":"a"}}`,
    "exception.'c\\u006fde': keys are taken as they are written, without escapes",
  ],
];

test('bad rows are named by row and path, and nothing is stored', async () => {
  const deviceId = tag();
  for (const [bad, ...expected] of cases) {
    const text = typeof bad === 'string' ? `${bad}\n` : ndjson([bad]);
    const body = `${ndjson([{ ...good, deviceId }])}\n${text}`;
    const answer = await bench.post('failures', body);
    assert.equal(answer.status, 400, body);
    const found = problems(answer);
    assert.equal(found.length, expected.length, answer.text);
    expected.forEach((problem, index) => {
      if (problem.startsWith('^'))
        assert.match(found[index] ?? '', new RegExp(problem.replace('^', '^row 2: ')));
      else assert.equal(found[index], `row 2: ${problem}`);
    });
  }
  assert.deepEqual(await stored(deviceId), []);
  const broken = await bench.post('failures', `{"timestamp":"${timestamp}","frames":[{"image":"a",}]}`);
  assert.match(problems(broken)[0] ?? '', /^row 1: not JSON/);
  const late = await bench.post('failures', [{ ...good, timestamp: '2025-01-01T00:00:00Z' }]);
  assert.deepEqual(problems(late), [
    "row 1: timestamp: '2025-01-01T00:00:00Z' is more than a day in the future",
  ]);
});

test('a batch under a key counts once, and its ids stay', async () => {
  const deviceId = tag();
  const headers = { 'idempotency-key': 'failures-1' };
  const rows = [{ ...good, deviceId, frames: [{ image: 'a' }] }];
  const first = await bench.post('failures', rows, headers);
  assert.deepEqual(first.json, { dataset: 'failures', accepted: 1, batch: 'failures-1', duplicate: false });
  const before = await stored(deviceId);
  const again = await bench.post('failures', rows, headers);
  assert.deepEqual(again.json, { dataset: 'failures', accepted: 1, batch: 'failures-1', duplicate: true });
  assert.deepEqual(await stored(deviceId), before);
  assert.equal((await bench.post('failures', [{ ...good, deviceId }], headers)).status, 409);
});
