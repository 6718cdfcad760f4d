/** SQL of first pages out of few rows; the wire examples and the oracle hold it against the other ways. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import { fewRowsStatement } from './few-rows.js';
import { plan } from './plan.js';
import { validate } from './validate.js';

const products: AccountProducts = {
  find: (id) => ({ id, kind: 'app', parentId: null, name: 'One' }),
  ofKind: () => [],
};

function statement(name: string, query: string) {
  const entry = reports[name];
  assert.ok(entry);
  const now = Date.parse('2016-02-05');
  const question = validate(query, entry, products, now, '2018');
  const planned = plan(question, {
    ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now, products },
    ...{ files: { days: 0, readable: true }, reach: undefined },
  });
  assert.ok(planned.kind === 'grouped' || planned.kind === 'records');
  return fewRowsStatement(planned, 100);
}

test('rows are grouped by the keys, and printed where they are grouped', () => {
  const found = statement(
    'failurehits',
    'applicationId=APP1&startDate=1/1/2016&aggregationLevel=week&groupby=failureName&orderby=failureName%20desc',
  );
  assert.equal(
    found?.sql,
    'SELECT greatest(toStartOfWeek(t.date, 1), {p0:Date}) AS date, toJSONString({p3:String}) AS applicationId, ' +
      'toJSONString({p6:String}) AS applicationName, toJSONString(t.failureName) AS failureName, ' +
      "concat(toString(uniqExactIf(t.deviceKey, t.deviceKey != 0)), '.0') AS deviceCount, " +
      "concat(toString(count()), '.0') AS eventCount " +
      'FROM failures AS t WHERE t.accountId = {p2:String} AND t.seq <= {p1:UInt64} AND ' +
      't.applicationId = {p3:String} AND t.date BETWEEN {p0:Date} AND {p4:Date} AND t.source = {p5:String} ' +
      'AND (t.supersededBy = 0 OR t.supersededBy > {p1:UInt64}) ' +
      'GROUP BY toStartOfWeek(t.date, 1), t.failureName ' +
      'ORDER BY t.failureName DESC, greatest(toStartOfWeek(t.date, 1), {p0:Date}) LIMIT {p7:UInt64}',
  );
});

test('single records are not asked for this way', () => {
  assert.equal(statement('reviews', 'applicationId=APP1'), undefined);
});
