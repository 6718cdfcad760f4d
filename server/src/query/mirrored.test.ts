/** Mirrored days in SQL as exact text; that answers are right is shown over HTTP (`server/test/mirror`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import { mayMiss, noticesOf } from './mirrored.js';
import { plan, type RowsPlan } from './plan.js';
import { mirrorGroupingsStatement, pageStatement } from './sql.js';
import { type Question, validate } from './validate.js';

const now = Date.parse('2016-02-05');
const app = { id: 'APP1', kind: 'app', parentId: null, name: 'One' } as const;
const products: AccountProducts = {
  find: (id) => (id === app.id ? app : undefined),
  ofKind: (kind) => (kind === 'app' ? [app] : []),
};

function questionOf(name: string, query: string): Question {
  const entry = reports[name];
  assert.ok(entry);
  return validate(query, entry, products, now);
}

function rows(name: string, query: string, mirrored: boolean): RowsPlan {
  const made = plan(questionOf(name, query), {
    ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now, products, mirrored },
    ...{ files: { days: 0, readable: true }, reach: undefined },
  });
  assert.ok(made.kind === 'grouped' || made.kind === 'records');
  return made;
}

/** The text with its values in place, for reading. */
function shown({ sql, params }: ReturnType<typeof pageStatement>): string {
  return sql.replace(/\{(p\d+):[^}]*\}/g, (_, name: string) => String(params[name]));
}

test('events of days that are not mirrored and the newest rows of those that are make up an answer', () => {
  const days = (columns: string, scope: string) =>
    `(SELECT ${columns} FROM mirror_appacquisitions AS m WHERE m.accountId = acc AND m.seq <= 7 AND ${scope}m.isDay ` +
    'AND m.date BETWEEN 2016-02-05 AND 2016-02-05';
  const asked =
    't.accountId = acc AND t.seq <= 7 AND t.applicationId = APP1 AND t.date BETWEEN 2016-02-05 AND 2016-02-05';
  const query = 'applicationId=APP1&groupby=market,gender,ageGroup,deviceType';
  const text = shown(pageStatement(rows('appacquisitions', query, true), 10, 0));
  const keys = ['deviceType', 'market', 'gender', 'ageGroup'];
  const columns = ['t.date AS date', ...keys.map((key) => `t.${key} AS ${key}`)].join(', ');
  const parts = [
    `(SELECT ${columns}, toInt64(sum(t.quantity)) AS acquisitionQuantity FROM acquisitions AS t WHERE ${asked} ` +
      `AND t.inAppProductId = '' AND (t.applicationId, t.date) NOT IN ${days('m.scope, m.date', 'm.scope = APP1 AND ')}) GROUP BY `,
    ` UNION ALL SELECT ${columns}, toInt64(sum(t.acquisitionQuantity)) AS acquisitionQuantity FROM mirror_appacquisitions AS t ` +
      `WHERE ${asked} AND t.scope = APP1 AND NOT t.isDay AND (t.scope, t.date, t.seq) IN ` +
      `${days('m.scope, m.date, max(m.seq)', 'm.scope = APP1 AND ')} GROUP BY m.scope, m.date) GROUP BY `,
  ];
  for (const part of parts) assert.ok(text.includes(part), `${part}\nin\n${text}`);
});

test('an account without mirrored days is asked as if there were no mirrors', () => {
  for (const name of ['appacquisitions', 'failurehits', 'reviews']) {
    const { sql } = pageStatement(rows(name, 'applicationId=APP1', false), 10, 0);
    assert.doesNotMatch(sql, /mirror_|toInt64/, name);
  }
});

test('days of the whole account are told apart by the day alone', () => {
  const text = shown(pageStatement(rows('promotion', 'applicationId=APP1', true), 10, 0));
  assert.match(
    text,
    / AS t WHERE t\.date BETWEEN .* AND t\.date NOT IN \(SELECT m\.date FROM mirror_promotion AS m/,
  );
  assert.match(text, /t\.applicationId = APP1 .* t\.scope = {2}AND NOT t\.isDay/);
  assert.match(text, /toDecimal128\(sum\(t\.spend\), 18\) AS spend/);
});

test('no hour of a mirrored day is shown', () => {
  const text = shown(
    pageStatement(rows('failurehits', 'applicationId=APP1&aggregationLevel=hour', true), 10, 0),
  );
  assert.match(text, /NOT IN \(SELECT m\.scope, m\.date FROM mirror_failurehits/);
  assert.doesNotMatch(text, /FROM mirror_failurehits AS t/);
});

test('the groupings of mirrored days tell where a distinct count is a bound', () => {
  const made = rows('failurehits', 'applicationId=APP1', true);
  const part = made.sources.at(-1)?.mirror;
  assert.ok(part);
  assert.match(
    shown(mirrorGroupingsStatement(made, part)),
    /^SELECT DISTINCT grouping FROM \(SELECT argMax\(m\.grouping, m\.seq\) AS grouping FROM mirror_failurehits AS m WHERE .* GROUP BY m\.scope, m\.date\)$/,
  );
  const isBound = (query: string, ...groupings: string[]) =>
    noticesOf(questionOf('failurehits', `applicationId=APP1${query}`), groupings).length > 0;
  assert.equal(isBound('&groupby=market'), false, 'nothing is mirrored');
  assert.equal(isBound('&groupby=market', 'market'), false);
  assert.equal(isBound('&groupby=market', 'market', 'market,symbol'), true);
  assert.equal(isBound('&groupby=market,symbol', 'market', 'market,symbol'), false);
  assert.equal(isBound('&groupby=market', ''), true);
  assert.equal(isBound('', ''), false);
  assert.equal(isBound('&groupby=market&aggregationLevel=week&startDate=2016-01-01', 'market'), true);
  assert.equal(isBound('&groupby=market&aggregationLevel=week', 'market'), false, 'a range of one day');
});

test('what rows of groups lack is named where it is printed or filtered by', () => {
  const told = (name: string, query: string, ...groupings: string[]) =>
    noticesOf(questionOf(name, query), groupings);
  assert.deepEqual(told('ihvdriver/failurehits', '', 'market'), [
    'osName is not known where days were mirrored by groups',
    'deviceCount is an upper bound where days were mirrored by groups: there it is eventCount',
  ]);
  assert.deepEqual(told('ihvdriver/failurehits', '', ''), []);
  assert.deepEqual(told('ihvdriver/failurehits', 'groupby=market', 'market'), []);
  assert.deepEqual(told('promotion', 'groupby=campaignId', ''), []);
  const filtered = "applicationId=APP1&groupby=market&filter=market eq 'US' and osRelease eq 'Version 1511'";
  assert.deepEqual(
    told('failurehits', filtered, 'date,market')[0],
    'osRelease is not known where days were mirrored by groups',
  );
  assert.equal(mayMiss(questionOf('failurehits', filtered)), true);
  assert.equal(mayMiss(questionOf('failurehits', "applicationId=APP1&filter=market eq 'US'")), false);
});
