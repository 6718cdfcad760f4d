/** The oracle itself: decimals, days, filters, storing and whole answers, against the vendor's examples and by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasets, type ReportEntry, reports } from '@storelens/contract';
import { answer, compareText, jsonText } from './answer.js';
import { bucketStart, clamp, linkDay, numberOf, readDay, rowDay } from './dates.js';
import { decimalText, millionths } from './decimal.js';
import { BadRequest, passes, readFilter } from './filter.js';
import { bodyOf, Num, type PostedRow } from './posted.js';
import { dayOfTime, instantText, Store } from './store.js';

const today = dayOfTime('2016-02-01T12:00:00Z');

function entry(name: string): ReportEntry {
  const found = reports[name];
  assert.ok(found, name);
  return found;
}

function storeWith(batches: readonly (readonly [string, readonly PostedRow[]])[]): Store {
  const products = [
    { id: '9NBLGGGZ5QDR', kind: 'app', parentId: null, name: 'Contoso Demo' },
    { id: '9WZDNCRFJ31Q', kind: 'app', parentId: null, name: 'Other' },
    { id: '9NBLGGH3LHKL', kind: 'addon', parentId: '9NBLGGGZ5QDR', name: 'Contoso add-on 7' },
  ] as const;
  const store = new Store(products, datasets);
  for (const [dataset, rows] of batches) store.ingest(dataset, rows);
  return store;
}

/** Status and body of an answer over the given batches, at the last commit unless another is named. */
function ask(
  name: string,
  query: string,
  batches: readonly (readonly [string, readonly PostedRow[]])[],
  snapshot?: number,
): string {
  const store = storeWith(batches);
  const raw = query
    .replaceAll(' ', '%20')
    .replaceAll('\u2019', '%E2%80%99')
    .replaceAll('\u2018', '%E2%80%98');
  const got = answer(entry(name), raw, { store, today, snapshot: snapshot ?? store.commits });
  return got.status === 200 ? got.body : String(got.status);
}

const app = { applicationId: '9NBLGGGZ5QDR' };
const at = (time: string) => ({ ...app, timestamp: time });

test('decimals are exact and print at least one fraction digit', () => {
  for (const [text, shown] of [
    ['10', '10.0'],
    ['700.60', '700.6'],
    ['-0.000001', '-0.000001'],
    ['1.5e3', '1500.0'],
    ['999999999999.999999', '999999999999.999999'],
    ['0', '0.0'],
    ['-5.25', '-5.25'],
    ['25e-1', '2.5'],
  ] as const) {
    assert.equal(decimalText(millionths(text)), shown);
  }
  assert.equal(decimalText(millionths('0.1') + millionths('0.2')), '0.3');
  assert.throws(() => millionths('0.0000001'));
});

test('every documented date form is read, month first, and month ends are clamped', () => {
  const first = ['8/1/2015', '08/01/2015', '8/01/2015', '2015-08-01', '2015/08/01', '2015/8/1', '08-01-2015'];
  const timed = [
    '8/1/2015 12:00:00 AM',
    '8/1/2015 12:00:00\u202fAM',
    '08/01/2015 00:00:00',
    '2015/08/01 0:00:00',
    '2015/8/1 0:00:00',
    '2015-08-01 00:00:00',
    '2015-08-01T08:44:15.6045249Z',
  ];
  for (const text of [...first, ...timed])
    assert.deepEqual(readDay(text), { year: 2015, month: 8, day: 1 }, text);
  assert.deepEqual(readDay('4/31/2017'), { year: 2017, month: 4, day: 30 });
  assert.deepEqual(readDay('2/29/2015'), { year: 2015, month: 2, day: 28 });
  assert.deepEqual(readDay('2016-02-31'), { year: 2016, month: 2, day: 29 });
  for (const text of [
    '13/1/2015',
    '01.08.2015 00:00:00',
    '1/32/2015',
    '2015',
    '8/1/15',
    '0000-01-01',
    '8/1/2015 25:00:00',
    '',
  ]) {
    assert.equal(readDay(text), undefined, text);
  }
  const far = readDay('12/31/9999');
  assert.ok(far);
  assert.equal(rowDay(clamp(numberOf(far))), '2149-06-06');
  assert.equal(linkDay(far, 'yyyy/MM/dd'), '9999/12/31');
  assert.equal(rowDay(clamp(numberOf({ year: 1, month: 1, day: 1 }))), '1970-01-01');
  assert.equal(linkDay({ year: 2015, month: 1, day: 2 }, 'yyyy/M/d'), '2015/1/2');
});

test('weeks begin on Monday, and the first bucket is cut at the start of the range', () => {
  const day = (text: string): number => dayOfTime(`${text}T00:00:00Z`);
  const start = day('2015-03-01');
  assert.equal(rowDay(bucketStart(day('2015-03-15'), 'week', start)), '2015-03-09');
  assert.equal(rowDay(bucketStart(day('2015-03-01'), 'week', start)), '2015-03-01');
  assert.equal(rowDay(bucketStart(day('2015-03-02'), 'week', start)), '2015-03-02');
  assert.equal(rowDay(bucketStart(day('2015-03-31'), 'month', day('2015-03-10'))), '2015-03-10');
  assert.equal(rowDay(bucketStart(day('2015-04-30'), 'month', start)), '2015-04-01');
});

test('filters follow the grammar', () => {
  const fields = [...entry('reviews').fields];
  const row: Record<string, string | bigint | boolean> = {
    market: 'US',
    reviewText: "It's GREAT",
    rating: 4n,
    isRevised: true,
    deviceRAM: -1n,
  };
  const matches = (text: string): boolean => passes(readFilter(text, fields), ({ name }) => row[name] ?? '');
  for (const text of [
    "market eq 'us'",
    "MARKET EQ 'US'",
    'market eq \u2018US\u2019',
    "market ne 'DE' and rating eq 4",
    // `and` binds tighter than `or`.
    "market eq 'US' or market eq 'DE' and rating eq 1",
    "(market eq 'US' or market eq 'DE') and rating gt 3",
    "contains(reviewText,'great')",
    "reviewText eq 'it''s great'",
    "contains( reviewText , '' )",
    'deviceRAM lt 2048',
    'rating gt 3.5 and rating lt 4.000001 and rating eq 4.0',
    "rating ge '4' and rating le 4 and isRevised eq 'TRUE'",
    "market ne ''",
    "reviewTitle eq ''",
  ]) {
    assert.equal(matches(text), true, text);
  }
  for (const text of [
    "(market eq 'US' or market eq 'DE') and rating eq 1",
    "market eq '\u212aUS'",
    'rating gt 4',
  ]) {
    assert.equal(matches(text), false, text);
  }
  for (const text of [
    'market',
    'market eq US',
    'market eq 5',
    "market eq 'US",
    "(market eq 'US'",
    "market eq 'US')",
    "market gt 'US'",
    "contains(market,'U')",
    "date eq '2015/01/01'",
    "rating eq 'x'",
    'isRevised eq 1',
    "market eq 'US' market eq 'DE'",
    "not market eq 'US'",
    "market eq 'US' and deviceType eq 'phone\u2019 eq 'US'; and gender eq 'm'",
    `${'('.repeat(51)}rating eq 1${')'.repeat(51)}`,
    Array.from({ length: 501 }, () => 'rating eq 4').join(' or '),
  ]) {
    assert.throws(() => readFilter(text, fields), BadRequest, text);
  }
  assert.equal(matches(`${'('.repeat(50)}rating eq 4${')'.repeat(50)}`), true);
  assert.equal(matches(Array.from({ length: 500 }, () => 'rating eq 4').join(' and ')), true);
});

test('rows are stored with missing values, listed spellings, channels, and in UTC', () => {
  assert.equal(instantText('2026-03-01T02:00:00.5+02:00'), '2026-03-01T00:00:00.5000000Z');
  assert.equal(rowDay(dayOfTime('2026-01-01T01:30:00+02:00')), '2025-12-31');
  const store = storeWith([
    [
      'pageviews',
      [
        { ...at('2016-01-01T00:00:00Z'), customCampaignId: 'c', referrerUriDomain: 'Universal Client Store' },
        { ...at('2016-01-01T00:00:00Z'), referrerUriDomain: 'Universal Client Store', deviceType: 'pc' },
        {
          ...at('2016-01-01T00:00:00Z'),
          applicationId: '9nblgggz5qdr',
          channelType: 'store traffic',
          market: null,
        },
        { ...at('2016-01-01T00:00:00Z'), deviceType: 'Fridge', market: '' },
      ],
    ],
  ]);
  const got = store
    .rows('pageviews', 1)
    .map(({ cells }) => ['channelType', 'deviceType', 'market'].map((name) => cells.get(name)));
  assert.deepEqual(got, [
    ['CustomCampaignId', 'Unknown', 'Unknown'],
    ['Store Traffic', 'PC', 'Unknown'],
    ['Store Traffic', 'Unknown', 'Unknown'],
    ['Other', 'Fridge', 'Unknown'],
  ]);
  assert.equal(store.rows('pageviews', 1)[2]?.cells.get('applicationId'), '9NBLGGGZ5QDR');
});

test("the vendor's appacquisitions row and next link come out to the letter", () => {
  const row = {
    ...at('2016-02-01T10:00:00Z'),
    deviceType: 'Phone',
    orderName: '',
    storeClient: 'Windows Phone Store (client)',
    osVersion: 'Windows Phone 8.1',
    market: 'IT',
    gender: 'm',
    ageGroup: '0-17',
    acquisitionType: 'Free',
  };
  const batches = [
    ['acquisitions', [row, { ...row, timestamp: '2015-06-01T00:00:00Z', market: 'US' }]],
  ] as const;
  const query = 'applicationId=9NBLGGGZ5QDR&startDate=1/1/2015&endDate=2/1/2016&top=1&orderby=date DESC';
  assert.equal(
    ask('appacquisitions', query, batches),
    '{"Value":[{"date":"2016-02-01","applicationId":"9NBLGGGZ5QDR","applicationName":"Contoso Demo","deviceType":"Phone",' +
      '"orderName":"","storeClient":"Windows Phone Store (client)","osVersion":"Windows Phone 8.1","market":"IT",' +
      '"gender":"m","ageGroup":"0-17","acquisitionType":"Free","acquisitionQuantity":1}],"@nextLink":' +
      '"appacquisitions?applicationId=9NBLGGGZ5QDR&aggregationLevel=day&startDate=2015/01/01&endDate=2016/02/01&top=1&skip=1' +
      '&orderby=date desc&snapshot=1","TotalCount":2}',
  );
  // Without dates only today counts; a grouped row keeps the always returned keys.
  assert.equal(
    ask('appacquisitions', 'ApplicationID=9nblgggz5qdr&groupBy=MARKET', batches),
    '{"Value":[{"date":"2016-02-01","applicationId":"9NBLGGGZ5QDR","market":"IT","acquisitionQuantity":1}],"@nextLink":null,"TotalCount":1}',
  );
  const filtered = `${query}&filter=market eq \u2018us\u2019 and gender ne 'f'`;
  assert.match(
    ask('appacquisitions', filtered, batches),
    /"market":"US".*"@nextLink":null,"TotalCount":1\}$/,
  );
  for (const bad of ['startDate=1/1/2015', `${query}&top=2`, `${query}&endData=1`, `${query}&%24TOP=1`]) {
    assert.equal(ask('appacquisitions', bad, batches), '400', bad);
  }
  assert.equal(ask('appacquisitions', 'applicationId=nobody', batches), '403');
  assert.equal(
    ask('appacquisitions', 'applicationId=9NBLGGH3LHKL', batches),
    '{"Value":[],"@nextLink":null,"TotalCount":0}',
  );
});

test('snapshots hide later commits and bring replaced rows back', () => {
  const day = { date: '2016-01-31', ...app, campaignId: '4568', lineId: '0001', currencyCode: 'USD' };
  const batches = [
    [
      'campaigns',
      [
        { ...day, spend: new Num('1') },
        { ...day, spend: new Num('700.6') },
      ],
    ],
    ['campaigns', [{ ...day, spend: new Num('0.1'), clicks: new Num('8') }]],
  ] as const;
  const body = (spend: string, clicks: number): string =>
    `{"Value":[{"spend":${spend},"impressions":0,"installs":0,"clicks":${clicks},"iapInstalls":0,"activeUsers":0}],"@nextLink":null,"TotalCount":1}`;
  const grouped = "groupby=currencyCode&filter=campaignId eq '4568'";
  const strip = (text: string): string => text.replace('"currencyCode":"USD",', '');
  assert.equal(strip(ask('promotion', grouped, batches, 1)), body('700.6', 0));
  assert.equal(strip(ask('promotion', grouped, batches)), body('0.1', 8));
  assert.equal(strip(ask('promotion', `${grouped}&snapshot=1`, batches)), body('700.6', 0));
  // A replaced review does not come back because its new version left the range.
  const review = { ...app, id: '6BE543FF-1c9c-4534-aced-af8b4fbe0316', rating: new Num('5') };
  const reviewed = [
    ['reviews', [{ ...review, timestamp: '2016-02-01T00:00:00Z' }]],
    ['reviews', [{ ...review, timestamp: '2016-01-01T00:00:00Z' }]],
  ] as const;
  assert.match(ask('reviews', 'applicationId=9NBLGGGZ5QDR', reviewed, 1), /"id":"6be543ff-.*"TotalCount":1/);
  assert.match(ask('reviews', 'applicationId=9NBLGGGZ5QDR', reviewed), /"TotalCount":0/);
});

test('the funnel counts distinct users per step and compares age groups loosely', () => {
  const seen = { ...at('2016-02-01T00:00:00Z'), userId: 'a', ageGroup: '18 \u2013 24' };
  const batches = [
    [
      'pageviews',
      [
        seen,
        seen,
        { ...seen, userId: 'A' },
        { ...seen, userId: '' },
        { ...seen, inAppProductId: '9NBLGGH3LHKL', userId: 'b' },
      ],
    ],
    [
      'installs',
      [
        { ...seen, successful: false },
        { ...seen, userId: 'c', ageGroup: 'Unknown' },
      ],
    ],
  ] as const;
  const body = (views: number, installs: number): string =>
    `{"Value":[{"MetricType":"PageView","UserCount":${views}},{"MetricType":"Acquisition","UserCount":0},` +
    `{"MetricType":"Install","UserCount":${installs}},{"MetricType":"Usage","UserCount":0}],"TotalCount":4}`;
  assert.equal(ask('funnel', 'applicationId=9NBLGGGZ5QDR', batches), body(2, 1));
  assert.equal(
    ask('funnel', "applicationId=9NBLGGGZ5QDR&filter=ageGroup eq '18-24'&top=1", batches),
    body(2, 0),
  );
});

test('conversions add two tables up, and every order is total', () => {
  const row = at('2016-01-05T00:00:00Z');
  const batches = [
    [
      'acquisitions',
      [
        { ...row, market: 'DE', quantity: new Num('3') },
        { ...row, market: 'DE' },
      ],
    ],
    [
      'pageviews',
      [
        { ...row, market: 'us' },
        { ...row, market: 'US' },
        { ...row, market: 'DE' },
        { ...row, market: '\u{1f600}' },
        { ...row, market: '\uffff' },
      ],
    ],
  ] as const;
  const rows = (text: string): (string | number)[][] => {
    const page = JSON.parse(text) as { Value: Record<string, string | number>[] };
    return page.Value.map((value) => [
      value.market ?? '',
      value.clickCount ?? '',
      value.conversionCount ?? '',
    ]);
  };
  const query = 'applicationId=9NBLGGGZ5QDR&groupby=market&aggregationLevel=Week';
  assert.deepEqual(rows(ask('appchannelconversions', query, batches)), [
    ['DE', 1, 4],
    ['US', 1, 0],
    ['us', 1, 0],
    ['\uffff', 1, 0],
    ['\u{1f600}', 1, 0],
  ]);
  const last = rows(ask('appchannelconversions', `${query}&orderby=market desc&skip=4`, batches));
  assert.deepEqual(last, [['DE', 1, 4]]);
  assert.ok(
    compareText('\uffff', '\u{1f600}') < 0 && compareText('a', 'ab') < 0 && compareText('b', 'ab') > 0,
  );
});

test('add-on reports: which product wins, the name at week level, the empty parameter in the link', () => {
  const row = { ...at('2016-01-05T00:00:00Z'), inAppProductId: '9NBLGGH3LHKL', acquisitionType: 'IAP' };
  const batches = [['acquisitions', [row, { ...row, market: 'DE' }, at('2016-01-05T00:00:00Z')]]] as const;
  const day = ask('inappacquisitions', 'applicationId=9NBLGGGZ5QDR&startDate=2016/01/01&top=1', batches);
  assert.match(day, /"inAppProductName":"Contoso add-on 7".*"acquisitionType":"iap"/);
  assert.match(
    day,
    /"inappacquisitions\?applicationId=9NBLGGGZ5QDR&inAppProductId=&aggregationLevel=day&.*"TotalCount":2/,
  );
  const week = ask(
    'inappacquisitions',
    'inAppProductId=9NBLGGH3LHKL&applicationId=9WZDNCRFJ31Q&startDate=1/1/2016&aggregationLevel=week',
    batches,
  );
  assert.doesNotMatch(week, /inAppProductName/);
  assert.match(week, /"date":"2016-01-04".*"TotalCount":2/);
  const narrowed = ask(
    'inappchannelconversions',
    'inAppProductId=9NBLGGH3LHKL&applicationId=9WZDNCRFJ31Q',
    batches,
  );
  assert.match(narrowed, /"TotalCount":0/);
});

test('texts are escaped as the engine writes them, links as the contract says', () => {
  assert.equal(
    jsonText('a"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u{1f600}'),
    '"a\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\u007f\\u2028\u{1f600}"',
  );
  const row = at('2016-02-01T00:00:00Z');
  const batches = [['installs', [row, { ...row, market: 'US' }]]] as const;
  const query =
    "applicationId=9NBLGGGZ5QDR&top=1&filter=market+ne+'50%25+%26+%23%2B%09x'&groupby=MARKET,date";
  assert.match(
    ask('installs', query, batches),
    /startDate=2016\/02\/01&endDate=2016\/02\/01&top=1&skip=1&groupby=market,date&filter=market ne '50%25 %26 %23%2B%09x'&snapshot=1"/,
  );
});

test('bodies of batches keep the digits of numbers', () => {
  const row = { text: 'a"b', flag: true, none: null, amount: new Num('999999999999.999999') };
  assert.equal(
    bodyOf([row], 'array'),
    '[{"text":"a\\"b","flag":true,"none":null,"amount":999999999999.999999}]',
  );
  assert.equal(bodyOf([row, {}], 'ndjson').split('\n').length, 3);
});
