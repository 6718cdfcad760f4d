import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import { Failure } from '../failure.js';
import type { AccountProducts, Product } from '../products/index.js';
import { nextLink } from './link.js';
import type { RowShape } from './row-shape.js';
import { type Question, validate } from './validate.js';

const products: readonly Product[] = [
  { id: '9NBLGGGZ5QDR', kind: 'app', parentId: null, name: 'Contoso Demo' },
  { id: '9NBLGGH3LHKL', kind: 'addon', parentId: '9NBLGGGZ5QDR', name: 'Contoso add-on 7' },
  { id: '18430592857500421', kind: 'driver', parentId: null, name: 'Contoso driver' },
];
const catalog: AccountProducts = {
  find: (id) => products.find((product) => product.id === id.toUpperCase()),
  ofKind: (kind) => products.filter((product) => product.kind === kind),
};
const now = Date.parse('2016-02-05T10:00:00Z');

function ask(target: string, shape: RowShape = '2018'): Question {
  const [name = '', query = ''] = target.split('?');
  const entry = reports[name];
  assert.ok(entry);
  return validate(query.replaceAll(' ', '%20'), entry, catalog, now, shape);
}

/** The sentences of the refusal. */
function refusal(target: string): readonly string[] {
  try {
    ask(target);
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error.data;
  }
  assert.fail(`${target} was accepted`);
}

const form = { absolute: false, snapshot: true, publicUrl: 'http://127.0.0.1:4700' };

test('the next link spells out defaults in the order of the samples', () => {
  const question = ask(
    "appacquisitions?applicationID=9nblgggz5qdr&startDate=1/1/2015&endDate=2/1/2016&top=1&orderBy=DATE DESC&$filter=market eq 'US'",
  );
  assert.equal(
    nextLink(question, 1, 7, form),
    "appacquisitions?applicationId=9NBLGGGZ5QDR&aggregationLevel=day&startDate=2015/01/01&endDate=2016/02/01&top=1&skip=1&filter=market eq 'US'&orderby=date desc&snapshot=7",
  );
  assert.equal(
    nextLink(ask('inappacquisitions?applicationId=9NBLGGGZ5QDR&top=1'), 1, 7, { ...form, snapshot: false }),
    'inappacquisitions?applicationId=9NBLGGGZ5QDR&inAppProductId=&aggregationLevel=day&startDate=2016/02/05&endDate=2016/02/05&top=1&skip=1',
  );
});

test('an absolute link is an encoded URL', () => {
  const question = ask("promotion?startDate=2015/1/20&endDate=2016/8/31&filter=campaignId eq 'a%26b%25'");
  assert.equal(
    nextLink(question, 10000, 3, { ...form, absolute: true }),
    "http://127.0.0.1:4700/v1.0/my/analytics/promotion?aggregationLevel=day&startDate=2015%2F1%2F20&endDate=2016%2F8%2F31&top=10000&skip=10000&filter=campaignId%20eq%20'a%26b%25'&snapshot=3",
  );
});

test('what a relative link leaves unencoded comes back as the same question', () => {
  const first = ask(
    "appacquisitions?applicationId=9NBLGGGZ5QDR&filter=orderName eq 'a%26b%25%23%2B\u2019\u2019'&top=5&groupby=orderName",
  );
  const link = nextLink(first, 5, 9, form);
  const second = ask(Buffer.from(link).toString('latin1'));
  assert.deepEqual({ ...second, skip: 0, snapshot: undefined, start: first.start }, { ...first });
  assert.equal(second.skip, 5);
  assert.equal(second.snapshot, 9);
});

test('a skip of more digits than there are rows in the world is behind the last row', () => {
  assert.equal(ask(`installs?applicationId=9NBLGGGZ5QDR&skip=${'9'.repeat(30)}`).skip, 999_999_999_999_999);
});

test('defaults of the range follow the entry and the clock', () => {
  assert.deepEqual(
    [ask('installs?applicationId=9NBLGGGZ5QDR').start, ask('installs?applicationId=9NBLGGGZ5QDR').end],
    ['2016-02-05', '2016-02-05'],
  );
  assert.equal(ask('appchannelconversions?applicationId=9NBLGGGZ5QDR').start, '2016-01-01');
  const ads = ask('adsperformance?');
  assert.deepEqual([ads.start, ads.end], ['2016-01-06', '2016-02-04']);
});

test('refusals name the parameter, the value and what is accepted', () => {
  const app = 'appacquisitions?applicationId=9NBLGGGZ5QDR';
  assert.deepEqual(refusal(`${app}&top=10001`), ['top parameter cannot be more than 10000']);
  assert.deepEqual(refusal(`${app}&top=${'9'.repeat(30)}`), ['top parameter cannot be more than 10000']);
  assert.deepEqual(refusal('appacquisitions?'), [
    'applicationId parameter is missing; give the id of the product',
  ]);
  assert.match(refusal(`${app}&top=0`)[0] ?? '', /^top parameter '0' is not a whole number from 1 to 10000$/);
  assert.match(refusal(`${app}&skip=-1`)[0] ?? '', /^skip parameter '-1'/);
  assert.match(
    refusal(`${app}&startDate=2015-99-99`)[0] ?? '',
    /^startDate parameter '2015-99-99' is not a date; write M\/D\/YYYY/,
  );
  assert.match(
    refusal(`${app}&startDate=2016-02-06`)[0] ?? '',
    /is after endDate 2016-02-05 \(the default\)/,
  );
  assert.match(
    refusal(`${app}&endData=1/1/2015`)[0] ?? '',
    /'endData' is not a parameter of any report; did you mean 'endDate'\?/,
  );
  assert.match(refusal(`${app}&amp;startDate=1/1/2015`)[0] ?? '', /HTML-escaped/);
  assert.match(refusal(`${app}&top=1&$top=1`)[0] ?? '', /^top parameter is given more than once/);
  assert.match(
    refusal(`${app}&groupby=markt`)[0] ?? '',
    /'markt' cannot be grouped in appacquisitions; did you mean 'market'\?/,
  );
  assert.match(
    refusal(`${app}&groupby=market&orderby=gender`)[0] ?? '',
    /'gender' is not in the grouped rows/,
  );
  assert.match(
    refusal(`${app}&orderby=market,gender  up`)[0] ?? '',
    /^orderby parameter at position 8: 'gender {2}up' is not a field/,
  );
  assert.match(
    refusal(`${app}&filter=market eq 5`)[0] ?? '',
    /at position 11: 'market' is compared with a text in single quotes, got 5/,
  );
  assert.match(refusal(`${app}&filter=market gt 'A'`)[0] ?? '', /'market' takes eq, ne, not gt/);
  assert.match(refusal(`${app}&aggregationLevel=hour`)[0] ?? '', /'hour' is not one of day, week, month/);
  assert.match(refusal(`${app}&filter=%ff`)[0] ?? '', /not valid percent-encoded UTF-8/);
  assert.match(
    refusal('installs?applicationId=other')[0] ?? '',
    /^applicationId 'other' is not a product of this account/,
  );
});

test('all problems are named at once', () => {
  assert.equal(refusal('appacquisitions?startDate=x&top=x&groupby=x').length, 4);
});

test('a parameter of other reports is ignored and named', () => {
  assert.deepEqual(ask('funnel?applicationId=9NBLGGGZ5QDR&top=5&snapshot=q').ignored, ['top', 'snapshot']);
});

test('a refusal lists twenty problems at most', () => {
  const long = 'x,'.repeat(50_000);
  for (const query of ['wrong&'.repeat(20_000), `orderby=${long}`, `groupby=${long}`, `a&groupby=${long}`]) {
    const sentences = refusal(`appacquisitions?applicationId=9NBLGGGZ5QDR&${query}`);
    assert.equal(sentences.length, 20, query.slice(0, 20));
  }
});

test('reports take the parameters that their entries name, and no others', () => {
  const stack = ask('stacktrace?applicationId=9NBLGGGZ5QDR&cabID= 133 &filter=x&endDate=x&top=x');
  assert.deepEqual(
    stack.lookups.map(({ lookup, value }) => [lookup.parameter, value]),
    [['cabId', '133']],
  );
  assert.deepEqual(stack.ignored, ['filter', 'endDate', 'top']);
  assert.deepEqual([stack.start, stack.end, stack.hours], ['1970-01-01', '2149-06-06', undefined]);
  assert.deepEqual(refusal('hardware/cabdownload?cabId=133'), [
    'cabIdHash parameter is missing; give the crash file, as `hardware/failuredetails` prints it',
  ]);
});

test('hours are part of the range at hour level alone', () => {
  const times = 'startDate=2016-02-01 09:59:00&endDate=2/1/2016 1:00:00 PM';
  const hits = `failurehits?applicationId=9NBLGGGZ5QDR&${times}`;
  assert.deepEqual(ask(`${hits}&aggregationLevel=hour`).hours, { first: 9, last: 13 });
  assert.equal(ask(hits).hours, undefined);
  const bare = ask('failurehits?applicationId=9NBLGGGZ5QDR&aggregationLevel=hour');
  assert.deepEqual([bare.start, bare.end, bare.hours], ['2016-02-05', '2016-02-05', { first: 0, last: 23 }]);
  assert.equal(
    nextLink(ask(`${hits}&aggregationLevel=hour&top=1`), 1, 7, form),
    'failurehits?applicationId=9NBLGGGZ5QDR&aggregationLevel=hour&startDate=2016-02-01 09:00:00&endDate=2016-02-01 13:00:00&top=1&skip=1&snapshot=7',
  );
  assert.equal(ask('failurehits?applicationId=9NBLGGGZ5QDR&endDate=2016-02-05 00:00:00').hours, undefined);
});

test('links of details carry what singles the failure out', () => {
  const question = ask('failuredetails?failureHash=012e33e3-DBC9&applicationId=9NBLGGGZ5QDR&top=1');
  assert.equal(
    nextLink(question, 1, 7, form),
    'failuredetails?applicationId=9NBLGGGZ5QDR&failureHash=012e33e3-DBC9&startDate=2016/01/06&endDate=2016/02/05&top=1&skip=1&snapshot=7',
  );
});

test('groups leave out measures that only full rows have, and cannot be sorted by what they leave out', () => {
  const hits = 'driver/failurehits?applicationId=18430592857500421';
  const names = (target: string) => ask(target).row.map(({ name }) => name);
  assert.ok(names(hits).includes('deviceCount'));
  assert.deepEqual(names(`${hits}&groupby=market`), ['date', 'applicationId', 'market', 'eventCount']);
  assert.match(refusal(`${hits}&groupby=market&orderby=driverName`)[0] ?? '', /; name it in groupby too$/);
  assert.match(
    refusal(`${hits}&groupby=market&orderby=osName`)[0] ?? '',
    /; leave groupby out to sort by it$/,
  );
});

test('details are sorted by keys that they do not print', () => {
  const question = ask('hardware/failuredetails?failureHash=x&orderby=osBuild desc');
  assert.deepEqual(
    question.order.map(({ field, descending }) => [field.name, descending]),
    [['osBuild', true]],
  );
  assert.ok(!question.row.some(({ name }) => name === 'osBuild'));
});

test('in the form of 2022 rows without groupby have identifiers and measures, and a date only by name', () => {
  const keys = (target: string) => {
    const { row, oneBucket } = ask(target, '2022');
    return [row.map(({ name }) => name).join(' '), oneBucket];
  };
  const own = 'applicationId=9NBLGGGZ5QDR';
  assert.deepEqual(keys(`installs?${own}`), ['date applicationId successfulInstallCount', true]);
  const market = 'date applicationId market successfulInstallCount';
  assert.deepEqual(keys(`installs?${own}&groupby=market`), [market, true]);
  assert.deepEqual(keys(`installs?${own}&groupby=market,date`), [market, false]);
  assert.deepEqual(keys('ihvdriver/failurehits?'), ['date sellerId deviceCount eventCount', true]);
  assert.deepEqual(keys(`promotion?groupby=campaignId`)[1], true);
  // Single records are what they are.
  assert.deepEqual(ask(`reviews?${own}`, '2022'), ask(`reviews?${own}`));
});
