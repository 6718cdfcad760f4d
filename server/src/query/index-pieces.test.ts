import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import { piecesOf } from './index-pieces.js';
import { plan } from './plan.js';
import { validate } from './validate.js';

const app = { id: 'APP1', kind: 'app', parentId: null, name: 'One' } as const;
const products: AccountProducts = {
  find: (id) => (id === app.id ? app : undefined),
  ofKind: (kind) => (kind === app.kind ? [app] : []),
};
const now = Date.parse('2016-02-05');

/** First and last days of the pieces of a question, in the answer's order. */
function pieces(report: string, query: string): string[] {
  const entry = reports[report];
  assert.ok(entry);
  const question = validate(`applicationId=APP1&${query}`.replaceAll(' ', '%20'), entry, products, now);
  const planned = plan(question, {
    ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now, products, reach: undefined },
    files: { days: 0, readable: true },
  });
  assert.ok(planned.kind === 'grouped' || planned.kind === 'records');
  const [lead] = planned.order;
  assert.ok(lead);
  return piecesOf(planned, lead).map(({ start, end }) => `${start} ${end}`);
}

test('the quarter that the order begins with, and the rest', () => {
  const year = 'startDate=2015-01-01&endDate=2015-12-31';
  assert.deepEqual(pieces('appacquisitions', year), ['2015-10-02 2015-12-31', '2015-01-01 2015-10-01']);
  assert.deepEqual(pieces('appacquisitions', `${year}&orderby=date`), [
    '2015-01-01 2015-04-02',
    '2015-04-03 2015-12-31',
  ]);
});

test('cut between weeks and months', () => {
  const query = 'startDate=2015-01-01&endDate=2015-12-31&groupby=market&aggregationLevel=';
  // A Sunday and a last day of a month.
  assert.deepEqual(pieces('appacquisitions', `${query}week`)[1], '2015-01-01 2015-10-04');
  assert.deepEqual(pieces('appacquisitions', `${query}month`)[1], '2015-01-01 2015-10-31');
  assert.deepEqual(
    pieces(
      'appacquisitions',
      'startDate=2015-12-03&endDate=2015-12-31&groupby=market&aggregationLevel=month',
    ),
    ['2015-12-03 2015-12-31'],
    'one month is one piece',
  );
});

test('short ranges, other orders and rows that replace one another whatever their day stay whole', () => {
  for (const [report, query] of [
    ['appacquisitions', 'startDate=2015-12-05&endDate=2015-12-31'],
    ['appacquisitions', 'startDate=2015-01-01&endDate=2015-12-31&orderby=market'],
    ['reviews', 'startDate=2015-01-01&endDate=2015-12-31'],
  ] as const) {
    assert.equal(pieces(report, query).length, 1, `${report} ${query}`);
  }
  assert.equal(pieces('adsperformance', 'startDate=2015-01-01&endDate=2015-12-31').length, 2);
});
