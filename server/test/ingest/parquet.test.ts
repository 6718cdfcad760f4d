/** Batches as Parquet files, which the engine writes: good ones of many types, bad rows, bad files, limits. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Bench, problems, startBench } from './posting.js';

const parquet = { 'content-type': 'application/vnd.apache.parquet' };

let bench: Bench;
let files = 0;

before(async () => {
  bench = await startBench(['--max-decoded-mib=64', '--max-rows=200000']);
});

after(() => bench.server.close());

/** A file with the rows of a SELECT. */
async function fileOf(select: string, settings: Readonly<Record<string, string | number>> = {}) {
  files += 1;
  const path = join(tmpdir(), `storelens-${process.pid}-${files}.parquet`);
  const sql = `INSERT INTO FUNCTION file('${path}', Parquet) ${select}`;
  await bench.server.app.parts.engine.command({ account: '', sql, settings });
  try {
    return await readFile(path);
  } finally {
    await rm(path);
  }
}

const send = (body: Uint8Array, dataset = 'acquisitions', headers: Readonly<Record<string, string>> = {}) =>
  bench.post(dataset, body, { ...parquet, ...headers });

async function refused(select: string, dataset = 'acquisitions'): Promise<readonly string[]> {
  const answer = await send(await fileOf(select), dataset);
  assert.equal(answer.status, 400, answer.text);
  return problems(answer);
}

async function stored(columns: string, dataset = 'acquisitions') {
  return await bench.rows(
    `SELECT ${columns} FROM ${dataset} WHERE seq = (SELECT max(seq) FROM ${dataset}) ORDER BY timestamp`,
  );
}

const count = async () => Number((await bench.rows('SELECT count() AS n FROM acquisitions'))[0]?.n);

const texts = `'2024-02-29T11:00:00.125+01:00' AS timestamp, '9nblgggz5qdr' AS applicationId`;
const typed = `toDateTime64('2024-02-29 10:00:00.125999', 6, 'UTC') AS timestamp, '9NBLGGGZ5QDR' AS applicationId`;

test('texts, numbers and missing values', async () => {
  const body = await fileOf(`SELECT ${texts}, toUInt8(2) AS quantity, toNullable('us') AS market,
    CAST(NULL, 'Nullable(String)') AS gender, toFloat64(0.1) AS purchasePriceUSDAmount,
    toDecimal64('12.3450', 4) AS purchaseTaxUSDAmount, toInt16(7) AS purchasePriceLocalAmount,
    toFloat64('123456789012.123') AS purchaseTaxLocalAmount, toLowCardinality('ü, "2"') AS userId`);
  const answer = await send(body);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((answer.json as { accepted: number }).accepted, 1);
  assert.deepEqual(
    await stored(
      `toString(timestamp) AS time, applicationId, quantity, market, gender, userId, toString(purchasePriceUSDAmount) AS a,
       toString(purchaseTaxUSDAmount) AS b, toString(purchasePriceLocalAmount) AS c, toString(purchaseTaxLocalAmount) AS d`,
    ),
    [
      {
        time: '2024-02-29 10:00:00.125',
        applicationId: '9NBLGGGZ5QDR',
        quantity: 2,
        market: 'us',
        gender: 'Unknown',
        userId: 'ü, "2"',
        a: '0.1',
        b: '12.345',
        c: '7',
        d: '123456789012.123',
      },
    ],
  );
});

for (const [scale, unit] of [
  [3, 'milliseconds'],
  [6, 'microseconds'],
  [9, 'nanoseconds'],
] as const) {
  test(`timestamps in ${unit}`, async () => {
    const body = await fileOf(
      `SELECT toDateTime64('2024-02-29 10:00:00.125999999', ${scale}, 'UTC') AS timestamp, '9NBLGGGZ5QDR' AS applicationId`,
    );
    assert.equal((await send(body)).status, 200);
    assert.deepEqual(await stored('toString(timestamp) AS time, toString(date) AS day'), [
      { time: '2024-02-29 10:00:00.125', day: '2024-02-29' },
    ]);
  });
}

for (const type of ['Int8', 'Int16', 'Int32', 'Int64', 'UInt8', 'UInt16', 'UInt32', 'UInt64']) {
  test(`numbers as ${type}`, async () => {
    assert.equal((await send(await fileOf(`SELECT ${typed}, to${type}(3) AS quantity`))).status, 200);
    assert.deepEqual(await stored('quantity'), [{ quantity: 3 }]);
  });
}

for (const codec of ['none', 'snappy', 'gzip', 'lz4', 'brotli', 'zstd']) {
  test(`compressed with ${codec}, sent with gzip and under a key`, async () => {
    const select = `SELECT ${typed}, toString(number) AS userId, concat('m', toString(number % 5)) AS market FROM numbers(3000)`;
    const body = await fileOf(select, {
      output_format_parquet_compression_method: codec,
      output_format_parquet_row_group_size: 1000,
    });
    const before = await count();
    const headers = { 'content-encoding': 'gzip', 'idempotency-key': `codec-${codec}` };
    const [first, second] = [
      await send(gzipSync(body), 'acquisitions', headers),
      await send(gzipSync(body), 'acquisitions', headers),
    ];
    assert.equal(first.status, 200, first.text);
    assert.equal((second.json as { duplicate: boolean }).duplicate, true, second.text);
    assert.equal(await count(), before + 3000);
    const other = await send(await fileOf(`SELECT ${typed}`), 'acquisitions', {
      'idempotency-key': `codec-${codec}`,
    });
    assert.equal(other.status, 409);
  });
}

test('rows that replace others, with days as DATE and as text: the later line wins', async () => {
  const row = (day: string, spend: string) =>
    `SELECT ${day} AS date, '9NBLGGGZ5QDR' AS applicationId, 'u' AS adUnitId, 'USD' AS accountCurrencyCode, toFloat64(${spend}) AS revenueInAccountCurrency`;
  for (const day of [`toDate32('2024-02-28')`, `'2024-02-28'`]) {
    const body = await fileOf(
      `SELECT * FROM (${row(day, '1.5')} UNION ALL ${row(day, '2.5')}) ORDER BY revenueInAccountCurrency`,
    );
    const answer = await send(body, 'adperformance');
    assert.equal(answer.status, 200, answer.text);
    const lines = await bench.rows(
      'SELECT line, toString(date) AS day, revenueInAccountCurrency AS spend FROM adperformance WHERE seq = (SELECT max(seq) FROM adperformance) ORDER BY line',
    );
    assert.deepEqual(lines, [
      { line: 1, day: '2024-02-28', spend: 1.5 },
      { line: 2, day: '2024-02-28', spend: 2.5 },
    ]);
  }
});

const badRows: readonly (readonly [sql: string, problem: string])[] = [
  [`SELECT 'x' AS timestamp, '9NBLGGGZ5QDR' AS applicationId`, `row 1: timestamp: 'x' is not a time`],
  [`SELECT '9NBLGGGZ5QDR' AS applicationId`, 'row 1: timestamp: missing'],
  [
    `SELECT ${typed}, 'nobody' AS inAppProductId`,
    `row 1: inAppProductId: 'nobody' is not an addon of the account`,
  ],
  [`SELECT ${typed}, toInt8(-1) AS quantity`, `row 1: quantity: expected 1 to`],
  [`SELECT ${typed}, toUInt64('18446744073709551615') AS quantity`, `row 1: quantity: expected 1 to`],
  [`SELECT ${typed}, toUInt64('4294967297') AS quantity`, `row 1: quantity: expected 1 to`],
  [
    `SELECT ${typed}, 0.1234567 AS purchasePriceUSDAmount`,
    'row 1: purchasePriceUSDAmount: expected a number',
  ],
  [
    `SELECT ${typed}, 0.1 + 0.2 AS purchasePriceUSDAmount`,
    'row 1: purchasePriceUSDAmount: expected a number',
  ],
  [`SELECT ${typed}, 1e12 AS purchasePriceUSDAmount`, 'row 1: purchasePriceUSDAmount: expected a number'],
  [`SELECT ${typed}, nan AS purchasePriceUSDAmount`, 'row 1: purchasePriceUSDAmount: expected a number'],
  [`SELECT ${typed}, -inf AS purchasePriceUSDAmount`, 'row 1: purchasePriceUSDAmount: expected a number'],
  [
    `SELECT ${typed}, toDecimal64('0.1234567', 7) AS purchasePriceUSDAmount`,
    'row 1: purchasePriceUSDAmount:',
  ],
  [
    `SELECT ${typed}, toDecimal128('1000000000000', 6) AS purchasePriceUSDAmount`,
    'row 1: purchasePriceUSDAmount:',
  ],
  [`SELECT ${typed}, repeat('x', 5000) AS market`, 'row 1: market: longer than 4096 bytes'],
  [`SELECT ${typed}, 'a\\0b' AS market`, 'row 1: market: holds the character NUL'],
  [`SELECT ${typed}, unhex('ff41') AS market`, 'row 1: market: not UTF-8'],
  [
    `SELECT toDateTime64('1969-12-31 23:59:59.999', 3, 'UTC') AS timestamp, '9NBLGGGZ5QDR' AS applicationId`,
    `row 1: timestamp: '1969-12-31T23:59:59.999Z' is before 1970-01-01`,
  ],
  [
    `SELECT toDateTime64('2024-03-02 12:00:00', 9, 'UTC') AS timestamp, '9NBLGGGZ5QDR' AS applicationId`,
    `row 1: timestamp: '2024-03-02T12:00:00.000Z' is more than a day in the future`,
  ],
  [
    `SELECT CAST(NULL, 'Nullable(DateTime64(6, \\'UTC\\'))') AS timestamp, '9NBLGGGZ5QDR' AS applicationId`,
    'row 1: timestamp: missing',
  ],
  [
    `SELECT ${typed}, if(number = 2500, 'nobody', '') AS inAppProductId, 1 + number % 3 AS quantity FROM numbers(3000)`,
    `row 2501: inAppProductId: 'nobody' is not an addon of the account`,
  ],
];

for (const [sql, problem] of badRows) {
  test(`refused: ${problem} (${sql.slice(0, 90)})`, async () => {
    const before = await count();
    const found = await refused(sql);
    assert.equal(found.length, 1, found.join('\n'));
    assert.ok(found[0]?.startsWith(problem), found[0]);
    assert.equal(await count(), before);
  });
}

test('at most a hundred problems, in the order of the file', async () => {
  const found = await refused(`SELECT ${typed}, toInt64(number) - 500 AS quantity FROM numbers(1000)`);
  assert.equal(found.length, 100);
  assert.deepEqual(
    found.map((one) => Number(/^row (\d+): quantity/.exec(one)?.[1])),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test('columns are told by name and type', async () => {
  const found = await refused(`SELECT '1' AS quantity, 1 AS Market, 'x' AS shoeSize, [1] AS gender,
    toDateTime64('2024-02-29 10:00:00', 3, 'UTC') AS userId, tuple(1, 2) AS ageGroup, 1.5 AS timestamp`);
  assert.deepEqual(found, [
    'schema: quantity: expected an integer, got text',
    `schema: 'Market': unknown key; did you mean market`,
    `schema: 'shoeSize': unknown key`,
    'schema: gender: expected text, got a nested column',
    'schema: userId: expected text, got a TIMESTAMP',
    'schema: ageGroup: expected text, got a nested column',
    'schema: timestamp: expected text or a TIMESTAMP adjusted to UTC, got a floating point number',
  ]);
});

test('files that are none', async () => {
  const body = await fileOf(`SELECT ${typed}, toString(number) AS userId FROM numbers(2000)`);
  const broken: readonly Uint8Array[] = [
    Buffer.alloc(0),
    Buffer.from('PAR1'),
    Buffer.from('{"timestamp": 1}\n{"x":2}'),
    body.subarray(0, -1),
    body.subarray(0, body.length / 2),
    body.subarray(1),
    Buffer.concat([body, Buffer.from('x')]),
    Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100, 0xff), Buffer.from('\x64\0\0\0PAR1', 'latin1')]),
    Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100, 0x1c), Buffer.from('\x64\0\0\0PAR1', 'latin1')]),
  ];
  const before = await count();
  for (const bytes of broken) {
    const answer = await send(bytes);
    assert.equal(answer.status, 400, answer.text);
    assert.match(problems(answer).join(), /Parquet file/);
  }
  assert.equal(await count(), before);
});

test('damaged bytes are refused or harmless, and nothing is stored by halves', async () => {
  const rows = 2000;
  const body = await fileOf(
    `SELECT ${typed}, toString(number) AS userId, 1 + number % 9 AS quantity, 'US' AS market, 1.5 AS purchasePriceUSDAmount FROM numbers(${rows})`,
    { output_format_parquet_row_group_size: 500, output_format_parquet_compression_method: 'none' },
  );
  let seed = 7;
  const next = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  let before = await count();
  for (let round = 0; round < 60; round += 1) {
    const damaged = Buffer.from(body);
    // The footer is what the server itself reads: half of the rounds are its.
    const footer = damaged.readUInt32LE(damaged.length - 8) + 8;
    const at = round % 2 === 0 ? next(damaged.length) : damaged.length - 1 - next(footer);
    damaged[at] = next(256);
    const answer = await send(damaged);
    assert.ok([200, 400, 413].includes(answer.status), `byte ${at}: ${answer.text}`);
    const now = await count();
    assert.equal(now, before + (answer.status === 200 ? rows : 0), `byte ${at}`);
    before = now;
  }
});

const dayRows = (row: string) =>
  `SELECT toDateTime64('2024-02-10 23:00:00', 3, 'UTC') + INTERVAL ${row} HOUR AS timestamp, '9NBLGGGZ5QDR' AS applicationId`;

test('first and last day are those that the footer tells', async () => {
  const select = `${dayRows('number')} FROM numbers(50)`;
  const answer = await send(await fileOf(select, { output_format_parquet_row_group_size: 20 }));
  assert.equal(answer.status, 200, answer.text);
  const commit = await bench.server.app.parts.registry.get(
    'SELECT first_day, last_day FROM commits WHERE account_id = $1 ORDER BY seq DESC LIMIT 1',
    [bench.account.accountId],
  );
  assert.deepEqual({ ...commit }, { first_day: '2024-02-10', last_day: '2024-02-13' });
});

test('a footer that lies about its times is refused by the row that shows it', async () => {
  const body = await fileOf(`${dayRows('number')} FROM numbers(50)`);
  const [told, lie] = [Date.UTC(2024, 1, 13), Date.UTC(2024, 1, 12)].map((day) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(day));
    return bytes;
  });
  let found = 0;
  const from = body.length - 8 - body.readUInt32LE(body.length - 8);
  for (let at = body.indexOf(told ?? '', from); at >= 0; at = body.indexOf(told ?? '', at + 1)) {
    lie?.copy(body, at);
    found += 1;
  }
  assert.ok(found > 0, 'the footer has the greatest time');
  const before = await count();
  const answer = await send(body);
  assert.equal(answer.status, 400, answer.text);
  assert.deepEqual(problems(answer), [
    'row 50: timestamp: outside of what the footer of the file says of it',
  ]);
  assert.equal(await count(), before);
});

test('limits: rows, uncompressed bytes, memory behind dictionaries', async () => {
  const many = await send(await fileOf(`SELECT ${typed} FROM numbers(200001)`));
  assert.equal(many.status, 413, many.text);
  assert.deepEqual(problems(many), ['A batch may have 200000 rows.']);
  const large = await send(
    await fileOf(
      `SELECT ${typed}, concat(repeat('x', 4000), toString(number)) AS userId FROM numbers(20000)`,
    ),
  );
  assert.equal(large.status, 413, large.text);
  assert.match(problems(large).join(), /after decompression/);
  const bomb = await fileOf(`SELECT ${typed}, repeat('x', 4000) AS userId FROM numbers(200000)`);
  const answer = await send(bomb);
  assert.equal(answer.status, 413, answer.text);
  assert.match(problems(answer).join(), /memory/);
});

test('failures are nested, so they come as JSON', async () => {
  const answer = await send(await fileOf(`SELECT ${typed}`), 'failures');
  assert.equal(answer.status, 415, answer.text);
});
