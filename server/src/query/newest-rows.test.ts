/** What is read while commits come, and what of it is answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import { NewestRows } from './newest-rows.js';
import { plan } from './plan.js';
import { wholeStatement } from './sql.js';
import { validate } from './validate.js';

const products: AccountProducts = {
  find: (id) => ({ id, kind: 'app', parentId: null, name: 'One' }),
  ofKind: () => [],
};
const entry = reports.stacktrace;
assert.ok(entry);
const question = validate('applicationId=APP1&cabId=x', entry, products, 0, '2018');
const planned = plan(question, {
  ...{ accountId: 'acc', sellerId: '12345678', summedTo: 0, snapshot: 7, now: 0, products },
  ...{ files: { days: 0, readable: true }, reach: undefined, mirrored: true },
});

test('a plan without a bound compares with no snapshot, one with a bound wherever rows are read', () => {
  assert.ok(planned.kind === 'frames');
  const written = (unbounded: boolean) => {
    const { sql, params } = wholeStatement(unbounded ? { ...planned, unbounded } : planned, {
      limit: undefined,
      offset: 0,
    });
    const text = sql.replace(/\{(p\d+):[^}]*\}/g, (_, name: string) => String(params[name]));
    return text.match(/\w\.(seq|supersededBy) [^ ]+ \d+|\bOR\b/g);
  };
  assert.deepEqual(written(false), [
    't.seq <= 7',
    't.supersededBy = 0',
    'OR',
    't.supersededBy > 7',
    'm.seq <= 7',
  ]);
  assert.deepEqual(written(true), ['t.supersededBy = 0']);
});

test('an answer that a commit has overtaken is thrown away, and its account rests', async () => {
  let newest = 7;
  let now = 0;
  let overtaken = false;
  const newestRows = new NewestRows({ newest: async () => newest }, { now: () => now });
  const ask = async () => {
    const asked: string[] = [];
    const answer = await newestRows.of(planned, async ({ unbounded, snapshot }) => {
      assert.equal(snapshot, 7);
      if (overtaken && unbounded) newest += 1;
      asked.push(unbounded ? 'all rows' : 'by snapshot');
      return asked.at(-1);
    });
    return `${asked.join(', ')}: ${answer}`;
  };
  assert.equal(await ask(), 'all rows: all rows');
  newest = 8;
  assert.equal(await ask(), 'by snapshot: by snapshot', 'rows of commit 8 may be there');
  newest = 7;
  overtaken = true;
  assert.equal(await ask(), 'all rows, by snapshot: by snapshot');
  newest = 7;
  overtaken = false;
  assert.equal(await ask(), 'by snapshot: by snapshot', 'it rests');
  now += 60_000;
  assert.equal(await ask(), 'all rows: all rows');
});
