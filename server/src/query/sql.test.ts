/** SQL as exact text and parameters; that it runs and answers rightly is shown over HTTP by the wire examples and the oracle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts, Product } from '../products/index.js';
import { type Plan, plan, type RowsPlan } from './plan.js';
import type { RowShape } from './row-shape.js';
import { extentStatement, indexStatement, pageStatement, stepsStatement, totalStatement } from './sql.js';
import { validate } from './validate.js';

const products: readonly Product[] = [
  { id: 'APP1', kind: 'app', parentId: null, name: 'One' },
  { id: 'ADD1', kind: 'addon', parentId: 'APP1', name: 'More' },
];
const catalog: AccountProducts = {
  find: (id) => products.find((product) => product.id === id),
  ofKind: (kind) => products.filter((product) => product.kind === kind),
};

const scope = {
  ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now: Date.parse('2016-02-05') },
  ...{ files: { days: 0, readable: true }, reach: undefined },
};

function planned(name: string, query: string, shape: RowShape = '2018'): Plan {
  const entry = reports[name];
  assert.ok(entry);
  const question = validate(query.replaceAll(' ', '%20'), entry, catalog, Date.parse('2016-02-05'), shape);
  return plan(question, { ...scope, products: catalog });
}

function rows(name: string, query: string, shape?: RowShape): RowsPlan {
  const made = planned(name, query, shape);
  assert.ok(made.kind === 'grouped' || made.kind === 'records');
  return made;
}

test('a grouped page: bound products are no keys, the window narrows the days', () => {
  const weekly = rows(
    'appacquisitions',
    "applicationId=APP1&startDate=1/1/2015&aggregationLevel=week&groupby=market&filter=gender eq 'm'",
  );
  assert.deepEqual(pageStatement(weekly, 10, 3, { low: '2015-01-05', high: '2015-01-18' }), {
    sql:
      'SELECT g.date AS date, toJSONString({p5:String}) AS applicationId, toJSONString(g.market) AS market, g.acquisitionQuantity AS acquisitionQuantity ' +
      'FROM (SELECT greatest(toStartOfWeek(any(t.date), 1), {p2:Date}) AS date, any(t.market) AS market, sum(t.quantity) AS acquisitionQuantity ' +
      'FROM acquisitions AS t WHERE t.accountId = {p3:String} AND t.seq <= {p4:UInt64} AND t.applicationId = {p5:String} ' +
      "AND t.date BETWEEN {p2:Date} AND {p6:Date} AND t.inAppProductId = '' AND lower(t.gender) = lower({p7:String}) " +
      'AND t.date BETWEEN {p0:Date} AND {p1:Date} GROUP BY toUInt32(toStartOfWeek(t.date, 1)) + ' +
      'reinterpretAsUInt128(sipHash128(t.market, 1)) ' +
      'ORDER BY date DESC, market LIMIT {p8:UInt64} OFFSET {p9:UInt64}) AS g',
    params: {
      ...{ p0: '2015-01-05', p1: '2015-01-18', p2: '2015-01-01', p3: 'acc', p4: 7, p5: 'APP1' },
      ...{ p6: '2016-02-05', p7: 'm', p8: 10, p9: 3 },
    },
  });
});

test('few keys are grouped by their digest, many and one by themselves', () => {
  const grouped = (groupby: string) =>
    pageStatement(rows('appacquisitions', `applicationId=APP1${groupby}`), 10, 0).sql;
  assert.match(
    grouped('&groupby=market,gender,ageGroup'),
    /any\(t\.ageGroup\) AS ageGroup.* GROUP BY toUInt32\(t\.date\) \+ /,
  );
  assert.match(
    grouped('&groupby=market,gender,ageGroup,deviceType'),
    /t\.market AS market.* GROUP BY t\.date, t\.deviceType, t\.market, t\.gender, t\.ageGroup ORDER BY/,
  );
  assert.match(grouped('&groupby=date'), / GROUP BY t\.date ORDER BY/);
  assert.match(
    grouped('&groupby=market,gender,ageGroup,deviceType&aggregationLevel=month'),
    /SELECT greatest\(toStartOfMonth\(t\.date\), \{p\d:Date\}\) AS date,.* GROUP BY toStartOfMonth\(t\.date\), /,
    'the first month is cut per group',
  );
});

test('names in a filter become ids, whatever their number', () => {
  const named = (filter: string) =>
    planned('inappchannelconversions', `inAppProductId=ADD1&filter=${filter}`).filter;
  const held = { kind: 'oneOf', column: 'applicationId', ids: ['APP1'] };
  assert.deepEqual(named("applicationName eq 'ONE'"), { ...held, held: true });
  assert.deepEqual(named("applicationName ne 'one'"), { ...held, held: false });
  assert.deepEqual(named("applicationName eq 'two'"), { kind: 'always', value: false });
  assert.deepEqual(named("applicationName ne 'two'"), { kind: 'always', value: true });
  // Rows of products that are no longer registered print an empty name.
  assert.deepEqual(named("applicationName eq ''"), { ...held, held: false });
  const page = pageStatement(
    rows('inappchannelconversions', "inAppProductId=ADD1&filter=applicationName ne 'one'"),
    1,
    0,
  );
  assert.match(page.sql, /AND t\.applicationId NOT IN \{p\d+:Array\(String\)\}/);
});

test('a range that no storable day lies in has no rows', () => {
  for (const range of ['startDate=1/1/1900&endDate=12/31/1969', 'startDate=6/7/2149&endDate=1/1/2200']) {
    assert.deepEqual(planned('installs', `applicationId=APP1&${range}`).filter, {
      kind: 'always',
      value: false,
    });
  }
  assert.equal(
    planned('installs', 'applicationId=APP1&startDate=1/1/0001&endDate=1/1/1970').filter,
    undefined,
  );
});

test('an index counts distinct rows per first key', () => {
  const monthly = rows(
    'ratings',
    'applicationId=APP1&groupby=market,isRevised&aggregationLevel=month&orderby=market',
  );
  const [lead] = monthly.order;
  assert.ok(lead?.key);
  assert.deepEqual(indexStatement(monthly, { ...lead, key: lead.key }, 100), {
    sql:
      'SELECT market, uniqExact(reinterpretAsUInt128(sipHash128(date, 0)) + reinterpretAsUInt128(sipHash128(isRevised, 1))) AS n FROM (SELECT t.market AS market, ' +
      'greatest(toStartOfMonth(t.date), {p1:Date}) AS date, t.isRevised AS isRevised FROM ratings AS t ' +
      'WHERE t.accountId = {p2:String} AND t.seq <= {p3:UInt64} AND t.applicationId = {p4:String} ' +
      'AND t.date BETWEEN {p1:Date} AND {p1:Date} SETTINGS max_block_size = 65409) GROUP BY market ORDER BY market LIMIT {p0:UInt64}',
    params: { p0: 100, p1: '2016-02-05', p2: 'acc', p3: 7, p4: 'APP1' },
  });
});

test('two sources are grouped each and added up', () => {
  const { sql } = pageStatement(
    rows('appchannelconversions', 'applicationId=APP1&groupby=channelType'),
    10,
    0,
  );
  assert.match(
    sql,
    /SELECT u\.date AS date, u\.channelType AS channelType, sum\(u\.clickCount\) AS clickCount, sum\(u\.conversionCount\) AS conversionCount FROM \(SELECT .* FROM (acquisitions|pageviews) AS t .* UNION ALL SELECT .* FROM (acquisitions|pageviews) AS t .*\) AS u GROUP BY date, channelType/,
  );
  assert.match(sql, /0 AS clickCount, sum\(t\.quantity\) AS conversionCount FROM acquisitions/);
  assert.match(sql, /count\(\) AS clickCount, 0 AS conversionCount FROM pageviews/);
});

test('a replacing dataset is read by its latest rows, money prints a fraction', () => {
  const { sql } = pageStatement(rows('promotion', 'applicationId=APP1&groupby=campaignId'), 10, 0);
  assert.match(
    sql,
    /argMax\(tuple\(r\.spend, .*\), tuple\(r\.seq, r\.line\)\) AS latest FROM campaigns AS r WHERE r\.accountId = /,
  );
  assert.match(
    sql,
    /if\(position\(toString\(g\.spend\), '\.'\) = 0, concat\(toString\(g\.spend\), '\.0'\), toString\(g\.spend\)\) AS spend/,
  );
  // The replaced row may have had any of the values, so the filter looks at latest rows only.
  const filtered = pageStatement(rows('promotion', "applicationId=APP1&filter=campaignId eq '1'"), 10, 0).sql;
  assert.match(filtered, /\) AS t WHERE .*lower\(t\.campaignId\)/);
});

test('one group without keys does not show when it is empty', () => {
  assert.match(
    pageStatement(rows('promotion', 'applicationId=APP1&groupby=applicationId'), 10, 0).sql,
    /HAVING count\(\) > 0/,
  );
  assert.match(
    totalStatement(rows('promotion', 'applicationId=APP1&groupby=applicationId')).sql,
    /least\(count\(\), 1\)/,
  );
});

test('filters compare text without case, numbers as decimals, loose texts without blanks', () => {
  const reviews = pageStatement(
    rows(
      'reviews',
      "applicationId=APP1&filter=contains(reviewText,'Ads') and (deviceRAM lt 2048.5 or isRevised ne true)",
    ),
    10,
    0,
  );
  assert.match(
    reviews.sql,
    /\(position\(lower\(t\.reviewText\), lower\(\{p\d+:String\}\)\) > 0 AND \(t\.deviceRAM < \{p\d+:Decimal\(38, 9\)\} OR t\.isRevised != \{p\d+:Bool\}\)\)/,
  );
  assert.ok(Object.values(reviews.params).includes('2048.5'));
  const funnel = planned('funnel', "applicationId=APP1&filter=ageGroup eq '0 - 17'");
  assert.ok(funnel.kind === 'steps');
  assert.match(
    stepsStatement(funnel).sql,
    /lower\(replaceAll\(replaceAll\(t\.ageGroup, ' ', ''\), '\u2013', '-'\)\)/,
  );
});

test('request values stand in parameters alone', () => {
  const hostile = "'); DROP TABLE acquisitions; --";
  const made = rows(
    'appacquisitions',
    `applicationId=APP1&filter=market eq '${hostile.replaceAll("'", "''")}'`,
  );
  for (const statement of [pageStatement(made, 1, 0), totalStatement(made), extentStatement(made)]) {
    assert.ok(!statement.sql.includes('DROP'));
  }
  assert.ok(Object.values(pageStatement(made, 1, 0).params).includes(hostile));
});

test('a filter on a day outside the engine range is decided at once', () => {
  const made = rows('adsperformance', "filter=date eq '0001-01-01' or date ne '9999-12-31'");
  assert.match(pageStatement(made, 1, 0).sql, /\(0 OR 1\)/);
});

test('rows of the whole range: nothing is grouped or sorted by the date, which is null', () => {
  const made = rows(
    'installs',
    'applicationId=APP1&startDate=1/1/2015&groupby=market&orderby=date desc',
    '2022',
  );
  assert.equal(
    pageStatement(made, 10, 0).sql,
    'SELECT NULL AS date, toJSONString({p2:String}) AS applicationId, toJSONString(g.market) AS market, ' +
      'g.successfulInstallCount AS successfulInstallCount FROM (SELECT t.market AS market, count() AS ' +
      'successfulInstallCount FROM installs AS t WHERE t.accountId = {p0:String} AND t.seq <= {p1:UInt64} AND ' +
      't.applicationId = {p2:String} AND t.date BETWEEN {p3:Date} AND {p4:Date} AND t.successful = {p5:Bool} ' +
      'GROUP BY t.market ORDER BY market LIMIT {p6:UInt64} OFFSET {p7:UInt64}) AS g',
  );
  assert.equal(made.fullGrain, false);
});
