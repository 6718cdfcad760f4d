import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerCache } from './answer-cache.js';
import type { FilePlan } from './plan.js';

const plan: FilePlan = {
  ...{
    kind: 'file',
    accountId: 'a',
    summedTo: 0,
    allSummed: false,
    snapshot: 1,
    products: [],
    start: '2026-01-01',
    end: '2026-01-02',
  },
  ...{ moments: undefined, lookups: [], filter: undefined, fields: [], time: 'timestamp' },
  source: { table: 't', where: [], measures: {}, latestBy: undefined, supersedable: false },
};
const answer = (bytes: number) => ({ body: Buffer.alloc(bytes), notices: [] });

test('the cache holds no more bytes than it may, and gives up what was asked longest ago', () => {
  const cache = new AnswerCache(64 * 1000, 'salt');
  for (let count = 0; count < 100; count += 1) {
    cache.keep(`tag ${count}`, plan, answer(500));
    // Asked again, so it stays.
    assert.ok(cache.get('tag 0'));
  }
  const kept = Array.from({ length: 100 }, (_, count) => cache.get(`tag ${count}`)).filter(Boolean);
  assert.equal(kept.length, 64);
  assert.ok(cache.get('tag 99'));
  assert.equal(cache.get('tag 1'), undefined);
});

test('an answer that is large beside the cache is not kept, and none is in a cache of nothing', () => {
  const cache = new AnswerCache(64 * 1000, 'salt');
  cache.keep('tag', plan, answer(501));
  assert.equal(cache.get('tag'), undefined);
  const none = new AnswerCache(0, 'salt');
  none.keep('tag', plan, answer(0));
  assert.equal(none.get('tag'), undefined);
});

test('tags differ by account, snapshot, whatever else is said, and by process', () => {
  const cache = new AnswerCache(1, 'salt');
  const tags = [
    cache.tagOf(plan, ['x']),
    cache.tagOf({ ...plan, accountId: 'b' }, ['x']),
    cache.tagOf({ ...plan, snapshot: 2 }, ['x']),
    cache.tagOf(plan, ['y']),
    new AnswerCache(1, 'pepper').tagOf(plan, ['x']),
  ];
  assert.equal(new Set(tags).size, tags.length);
  assert.equal(cache.tagOf({ ...plan }, ['x']), tags[0]);
});

test('content codings count with the answer that they belong to, and go with it', () => {
  const cache = new AnswerCache(64 * 1000, 'salt');
  cache.keep('tag', plan, answer(400));
  const coded = cache.codedOf('tag');
  assert.equal(coded.get('br'), undefined);
  coded.set('br', Buffer.from('packed'));
  coded.set('br', Buffer.from('packed again'));
  assert.equal(coded.get('br')?.toString(), 'packed');
  assert.equal(coded.get('gzip'), undefined);
  assert.equal(cache.codedOf('other').get('br'), undefined);
  cache.codedOf('other').set('br', Buffer.from('nobody keeps it'));
  assert.equal(cache.codedOf('other').get('br'), undefined);
  for (let count = 0; count < 100; count += 1) {
    cache.keep(`tag ${count}`, plan, answer(100));
    cache.codedOf(`tag ${count}`).set('br', Buffer.alloc(400));
  }
  assert.equal(coded.get('br'), undefined);
  const kept = Array.from({ length: 100 }, (_, count) => cache.codedOf(`tag ${count}`).get('br'));
  assert.equal(kept.filter(Boolean).length, 64);
});
