/** SQL of reports on failures, as exact text and parameters; that it runs and answers rightly is shown over HTTP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts, Product } from '../products/index.js';
import { type Plan, plan, type RowsPlan, type Scope } from './plan.js';
import { fileStatement, framesStatement } from './record-sql.js';
import { extentStatement, indexStatement, pageStatement } from './sql.js';
import { validate } from './validate.js';

const products: readonly Product[] = [
  { id: 'APP1', kind: 'app', parentId: null, name: 'One' },
  { id: 'DRV1', kind: 'driver', parentId: null, name: 'Driver' },
];
const catalog: AccountProducts = {
  find: (id) => products.find((product) => product.id === id),
  ofKind: (kind) => products.filter((product) => product.kind === kind),
};
const now = Date.parse('2018-05-31T12:34:56.789Z');
const scope: Scope = {
  ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now, products: catalog },
  ...{ files: { days: 0, readable: true }, reach: undefined },
};

function planned(name: string, query: string, more: Partial<Scope> = {}): Plan {
  const entry = reports[name];
  assert.ok(entry);
  return plan(validate(query.replaceAll(' ', '%20'), entry, catalog, now), { ...scope, ...more });
}

function rows(name: string, query: string, more: Partial<Scope> = {}): RowsPlan {
  const made = planned(name, query, more);
  assert.ok(made.kind === 'grouped' || made.kind === 'records');
  return made;
}

/** The statement with every placeholder replaced by its value, for reading. */
function shown({ sql, params }: { sql: string; params: Readonly<Record<string, unknown>> }): string {
  return sql.replace(/\{(p\d+):[^}]*\}/g, (_, name: string) => String(params[name]));
}

const app = 't.accountId = acc AND t.seq <= 7 AND t.applicationId = APP1';
const current = '(t.supersededBy = 0 OR t.supersededBy > 7)';

test('hours are read from the time of the event, within days that the table is sorted by', () => {
  const hourly = rows(
    'failurehits',
    'applicationId=APP1&aggregationLevel=hour&startDate=2018-05-01 09:30:00&endDate=5/2/2018&groupby=market',
  );
  assert.equal(
    shown(pageStatement(hourly, 10, 3, { low: '2018-05-01 09:00:00', high: '2018-05-01 11:00:00' })),
    'SELECT g.date AS date, toJSONString(APP1) AS applicationId, toJSONString(One) AS applicationName, toJSONString(g.market) AS market, ' +
      "concat(toString(g.deviceCount), '.0') AS deviceCount, concat(toString(g.eventCount), '.0') AS eventCount " +
      'FROM (SELECT toStartOfHour(any(t.timestamp)) AS date, any(t.market) AS market, ' +
      'uniqExactIf(t.deviceKey, t.deviceKey != 0) AS deviceCount, count() AS eventCount ' +
      `FROM failures AS t WHERE ${app} AND t.date BETWEEN 2018-05-01 AND 2018-05-02 ` +
      'AND t.timestamp BETWEEN 2018-05-01 09:00:00 AND 2018-05-02 23:59:59.999 ' +
      `AND t.source = app AND ${current} AND t.date BETWEEN 2018-05-01 AND 2018-05-01 ` +
      'AND toStartOfHour(t.timestamp) BETWEEN 2018-05-01 09:00:00 AND 2018-05-01 11:00:00 ' +
      'GROUP BY toUInt32(toStartOfHour(t.timestamp)) + reinterpretAsUInt128(sipHash128(t.market, 1)) ' +
      'ORDER BY date DESC, market LIMIT 10 OFFSET 3) AS g',
  );
});

test('days are read from their sums, and from rows beside them unless there are none', () => {
  const daily = rows(
    'failurehits',
    'applicationId=APP1&startDate=2018-05-01&endDate=2018-05-02&groupby=market',
  );
  const source = (plan: RowsPlan) => / FROM (.*) GROUP BY /.exec(shown(pageStatement(plan, 10, 0)))?.[1];
  const scope = 't.applicationId = APP1 AND t.date BETWEEN 2018-05-01 AND 2018-05-02 AND t.source = app';
  const sums = `failureDays AS t WHERE t.accountId = acc AND t.seq <= 5 AND ${scope}`;
  const columns = 't.date AS date, t.market AS market, t.deviceKey AS deviceKey';
  assert.ok(
    source({ ...daily, summedTo: 5 })?.endsWith(
      `(SELECT ${columns}, t.hits AS hits FROM ${sums} UNION ALL SELECT ${columns}, toUInt64(1) AS hits ` +
        `FROM failures AS t WHERE t.accountId = acc AND t.seq <= 7 AND ${scope} AND ${current} ` +
        'AND (t.seq > 5 OR t.cabBytes > 0)) AS t',
    ),
  );
  assert.ok(source({ ...daily, summedTo: 5, allSummed: true })?.endsWith(` FROM ${sums}`));
  assert.ok(source({ ...daily, summedTo: 8, allSummed: true })?.includes('FROM failures AS t'));
});

test('details are indexed by day and ordered by the second', () => {
  const details = rows('failuredetails', 'applicationId=APP1&failureHash= AbC ');
  const [lead] = details.order;
  assert.ok(lead?.key);
  const found =
    `FROM failures AS t WHERE ${app} AND t.date BETWEEN 2018-05-01 AND 2018-05-31 AND t.source = app ` +
    `AND ${current} AND (lower(t.failureHash) = lower(AbC) OR has(t.formerHashes, lower(AbC)))`;
  assert.equal(
    shown(indexStatement(details, { ...lead, key: lead.key }, 100)),
    `SELECT date, count() AS n FROM (SELECT t.date AS date ${found} SETTINGS max_block_size = 65409) GROUP BY date ORDER BY date DESC LIMIT 100`,
  );
  const page = shown(pageStatement(details, 10, 0, { low: '2018-05-02', high: '2018-05-03' }));
  assert.ok(page.includes("toDateTime64(t.timestamp, 0, 'UTC') AS date"), page);
  assert.ok(
    page.includes(`${found} AND t.date BETWEEN 2018-05-02 AND 2018-05-03 ORDER BY date DESC, `),
    page,
  );
  assert.ok(page.includes('toBool(t.cabBytes > 0) AS cabDownloadable'), page);
  // What is in every row the same is no key.
  assert.ok(page.includes('9999-12-31 23:59:59 AS cabExpirationTime'), page);
  assert.equal(
    shown(extentStatement(details)),
    `SELECT min(day), max(day), count() FROM (SELECT t.date AS day FROM failures AS t WHERE ${app} AND t.source = app ` +
      `AND ${current} AND (lower(t.failureHash) = lower(AbC) OR has(t.formerHashes, lower(AbC))))`,
  );
});

test('retention moves expiry and its filters, and ends files', () => {
  const files = { days: 10, readable: true };
  const query = 'applicationId=APP1&failureHash=x';
  const page = shown(pageStatement(rows('failuredetails', query, { files }), 1, 0));
  assert.ok(page.includes("toDateTime64(addDays(t.timestamp, 10), 0, 'UTC') AS cabExpirationTime"), page);
  assert.ok(
    page.includes('toBool(t.cabBytes > 0 AND t.timestamp > 2018-05-21 12:34:56.789) AS cabDownloadable'),
    page,
  );
  const filter = (text: string, days: number) =>
    rows('failuredetails', `${query}&filter=cabExpirationTime ${text}`, { files: { days, readable: true } })
      .filter;
  assert.deepEqual(filter("eq '2018-05-20'", 10), {
    kind: 'comparison',
    expression: { kind: 'column', column: 'date' },
    operator: 'eq',
    value: { type: 'day', value: '2018-05-10' },
    loose: false,
    former: undefined,
  });
  assert.deepEqual(filter("eq '9999-12-31'", 10), { kind: 'always', value: false });
  assert.deepEqual(filter("ne '1970-01-05'", 10), { kind: 'always', value: true });
  assert.deepEqual(filter("eq '9999-12-31 23:59:59'", 0), { kind: 'always', value: true });
  assert.deepEqual(filter("ne '9999-12-31'", 0), { kind: 'always', value: false });
  assert.deepEqual(filter("eq '2018-05-20'", 0), { kind: 'always', value: false });
  const unreadable = shown(
    pageStatement(rows('failuredetails', query, { files: { days: 0, readable: false } }), 1, 0),
  );
  assert.ok(unreadable.includes('false AS cabDownloadable'), unreadable);
});

test('a filter on a hash looks at former ones too', () => {
  const filtered = (text: string) =>
    shown(pageStatement(rows('failurehits', `applicationId=APP1&filter=failureHash ${text}`), 1, 0));
  assert.ok(
    filtered("eq 'AbC'").includes('(lower(t.failureHash) = lower(AbC) OR has(t.formerHashes, lower(AbC)))'),
  );
  assert.ok(
    filtered("ne 'AbC'").includes(
      '(lower(t.failureHash) != lower(AbC) AND NOT has(t.formerHashes, lower(AbC)))',
    ),
  );
});

test('keys that only order records are read and not printed; missing devices print null', () => {
  const { sql } = pageStatement(
    rows('hardware/failuredetails', 'failureHash=x&orderby=osBuild desc,packageVersion'),
    1,
    0,
  );
  assert.match(sql, /t\.osBuild AS osBuild, t\.packageVersion AS packageVersion FROM failures/);
  assert.match(sql, /ORDER BY osBuild DESC, packageVersion, date, mode, /);
  assert.doesNotMatch(sql, /g\.osBuild|g\.packageVersion/);
  const driver = pageStatement(rows('driver/failuredetails', 'applicationId=DRV1&failureHash=x'), 1, 0);
  assert.match(
    driver.sql,
    /if\(g\.clientDeviceId = '', 'null', toJSONString\(g\.clientDeviceId\)\) AS clientDeviceId/,
  );
});

test('a stack is that of the newest state, found by the stored id itself', () => {
  const stack = planned('desktop/stacktrace', 'applicationId=DRV1&cabIdHash=ABC-1');
  assert.ok(stack.kind === 'frames');
  assert.equal(
    shown(framesStatement(stack)),
    "SELECT toJSONString(toString(number - 1)) AS `level`, toJSONString(tupleElement(frame, 'image')) AS `image`, toJSONString(tupleElement(frame, 'function')) AS `function`, " +
      "toJSONString(tupleElement(frame, 'offset')) AS `offset` FROM (SELECT t.frames AS frames FROM failures AS t " +
      'WHERE t.accountId = acc AND t.seq <= 7 AND t.applicationId = DRV1 AND t.date BETWEEN 1970-01-01 AND 2149-06-06 ' +
      `AND t.source = desktop AND ${current} AND t.cabIdHash = abc-1 ORDER BY t.seq DESC LIMIT 1) AS r ` +
      'ARRAY JOIN r.frames AS frame, arrayEnumerate(r.frames) AS number ORDER BY number',
  );
});

test('a file is found by its id, within reach', () => {
  const reach = { day: '2018-05-01', hour: 0, notice: '' };
  const file = planned('cabdownload', 'applicationId=APP1&cabId= 1336373323853', { reach });
  assert.ok(file.kind === 'file');
  assert.equal(
    shown(fileStatement(file)),
    'SELECT t.cabId, t.cabIdHash, t.date, toUnixTimestamp64Milli(t.timestamp), t.cabBytes FROM failures AS t ' +
      `WHERE ${app} AND t.date BETWEEN 2018-05-01 AND 2149-06-06 AND t.source = app AND ${current} ` +
      'AND t.cabId = 1336373323853 ORDER BY t.cabBytes > 0 DESC, t.seq DESC LIMIT 1',
  );
});
