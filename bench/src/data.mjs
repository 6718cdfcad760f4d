/**
 * Made-up events, generated in the engine from a fixed seed: the same rows on every machine. A thousand apps and 230
 * markets are log-uniform (Zipf), so the first app has a tenth of all events; days cover two years. In the sparse
 * shape nearly every event has a combination of values of its own; in the dense one an app has at most 2,000.
 */
const seed = 4711;
export const apps = 1000;
export const days = { first: '2024-01-01', count: 731, last: '2025-12-31' };

/** The app with a tenth of all events, one in the middle, and ids of all. */
export const appId = (number) => `9BENCH${String(number).padStart(6, '0')}`;
export const hotApp = appId(1);
export const medianApp = appId(32);

const text = (value) => `'${value}'`;
/** A number in 0..1 out of a salt and the row's number, or whatever the value shall depend on. */
const uniform = (salt, of = 'number') => `(sipHash64(${seed}, ${salt}, ${of}) / 18446744073709551616.)`;
/** A whole number from 1 to n, log-uniform. */
const zipf = (salt, n, of = 'number') => `toUInt32(exp(${uniform(salt, of)} * log(${n + 1})))`;
const pick = (salt, values, of) =>
  `arrayElement([${values.map(text).join(', ')}], ${zipf(salt, values.length, of)})`;

const markets = Array.from(
  { length: 230 },
  (_, index) => String.fromCharCode(65 + Math.floor(index / 26)) + String.fromCharCode(65 + (index % 26)),
);
const apps1000 = `concat('9BENCH', leftPad(toString(${zipf(1, apps)}), 6, '0'))`;
const time = `toDateTime64('${days.first} 00:00:00', 3, 'UTC') + toUInt32(${uniform(2)} * ${days.count * 86_400})`;

/** What the dimensions of a row depend on: the row, or one of its app's profiles. */
const varied = (shape) => (shape === 'dense' ? `(${zipf(1, apps)} * 10000 + ${zipf(3, 2000)})` : 'number');

/** Column and SQL of each generated column of `acquisitions`, over `numbers` as `number`, `app` and `at`. */
function acquisitionColumns(shape) {
  const of = varied(shape);
  return {
    applicationId: 'app',
    date: 'toDate(at)',
    timestamp: 'at',
    userId: `concat('user', toString(sipHash64(${seed}, 4, number) % 3000000))`,
    acquisitionType: pick(5, ['Free', 'Trial', 'Paid', 'Promotional code', 'Iap'], of),
    quantity: '1',
    deviceType: pick(6, ['PC', 'Phone', 'Console', 'IoT', 'Holographic', 'Unknown'], of),
    osVersion: pick(
      7,
      ['Windows 10', 'Windows 8.1', 'Windows Phone 8.1', 'Windows 8', 'Windows Phone 8', 'Unknown'],
      of,
    ),
    storeClient: pick(
      8,
      [
        'Microsoft Store (client)',
        'Microsoft Store (web)',
        'Windows Phone Store (client)',
        'Volume purchase by organizations',
        'Other',
      ],
      of,
    ),
    orderName: `if(${uniform(9, of)} < 0.9, '', concat('order ', toString(${zipf(10, 50, of)})))`,
    market: pick(11, markets, of),
    gender: pick(12, ['m', 'f', 'Unknown'], of),
    ageGroup: pick(
      13,
      ['25-34', '18-24', '35-44', '13-17', '44-55', 'greater than 55', 'less than 13', 'Unknown'],
      of,
    ),
    channelType: `'Other'`,
  };
}

/**
 * The same of `failures`. An app has at most 90 kinds, so that two years of weeks by failure are less than one page.
 * Sparse devices hardly repeat and have another market, system and kind of failure each time. In the dense shape an
 * app's hits are on two thousand devices (log-uniform, as everything), and a device stays what it is: market, type,
 * system and package belong to it. It meets up to four kinds of failure again and again and is updated once at most. A
 * kind of failure has one event type.
 */
function failureColumns(shape) {
  const dense = shape === 'dense';
  const device = dense ? `toUInt64(substring(app, 7)) * 10000 + ${zipf(22, 2000)}` : 'number';
  const failure = dense ? zipf(21, 90, `${device} * 4 + ${zipf(29, 4)}`) : zipf(21, 90);
  const updated = dense
    ? `${device} * 2 + (${uniform(30, device)} < dateDiff('day', toDate('${days.first}'), at) / ${days.count})`
    : 'number';
  return {
    source: `'app'`,
    applicationId: 'app',
    date: 'toDate(at)',
    timestamp: 'at',
    deviceId: dense
      ? `lower(hex(sipHash128(${seed}, 23, ${device})))`
      : `lower(hex(sipHash128(sipHash64(${seed}, 23, number) % 5000000)))`,
    eventType: pick(24, ['crash', 'hang', 'memory', 'jse'], dense ? failure : 'number'),
    failureName: `concat('INVALID_POINTER_READ_c0000005_Game.dll!Function', toString(${failure}))`,
    failureHash: `lower(hex(sipHash128('hash', ${failure})))`,
    symbol: `concat('game!function', toString(${failure}))`,
    market: pick(11, markets, device),
    deviceType: pick(6, ['PC', 'Phone', 'Console', 'IoT', 'Holographic', 'Unknown'], device),
    osVersion: pick(7, ['Windows 10', 'Windows 8.1', 'Windows 8', 'Unknown'], device),
    osRelease: pick(25, ['Version 1709', 'Version 1703', 'Version 1607', 'RTM', 'Unknown'], device),
    packageName: `'Contoso.Game'`,
    packageVersion: pick(26, ['1.0.4.0', '1.0.3.0', '1.0.2.0', '1.0.1.0', '1.0.0.0'], updated),
    cabId: `toString(1000000000000 + sipHash64(${seed}, 27, number) % 9000000000000)`,
    cabIdHash: `lower(hex(sipHash128(${seed}, 28, number)))`,
  };
}

/** Rows of one commit, as an ingested batch would have. */
export const rowsPerCommit = 100_000;

/** Inserts `rows` rows of a dataset for an account; calls back after each million. */
export async function generate(engine, account, dataset, rows, shape, progress = () => undefined) {
  const columns = dataset === 'failures' ? failureColumns(shape) : acquisitionColumns(shape);
  const names = Object.keys(columns).join(', ');
  for (let from = 0; from < rows; from += 1_000_000) {
    const count = Math.min(1_000_000, rows - from);
    await engine.command({
      account,
      sql: `INSERT INTO ${dataset} (accountId, ${names}, seq)
SELECT {account:String}, ${Object.values(columns).join(', ')}, intDiv(number, ${rowsPerCommit}) + 1
FROM (SELECT number, ${apps1000} AS app, ${time} AS at FROM numbers(${from}, ${count}))`,
      params: { account },
      settings: { max_insert_block_size: 1_000_000, min_insert_block_size_rows: 1_000_000, max_threads: 2 },
    });
    progress(from + count);
  }
}
