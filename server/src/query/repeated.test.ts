import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountProducts } from '../products/index.js';
import { type Circumstances, RepeatedQuestions } from './repeated.js';

const catalog = (): AccountProducts => ({ find: () => undefined, ofKind: () => [] });
const understood = { tag: 'tag', notices: [], run: undefined };
const noon = Date.parse('2026-03-01T12:00:00Z');
const usual: Circumstances = {
  ...{ sellerId: '1', products: catalog(), present: 7, now: noon, origin: 'http://localhost' },
};

test('a question is known only while everything that gives it its meaning is as it was', () => {
  const questions = new RepeatedQuestions();
  questions.remember('question', usual, understood);
  assert.equal(questions.find('question', usual), understood);
  assert.equal(questions.find('question', { ...usual, now: noon + 3_599_999 }), understood);
  assert.equal(questions.find('another', usual), undefined);
  for (const other of [
    { products: catalog() },
    { present: 8 },
    { now: noon + 3_600_000 },
    { now: noon - 1 },
    { now: noon + 86_400_000 },
    { sellerId: '2' },
    { origin: 'http://other' },
  ]) {
    assert.equal(questions.find('question', { ...usual, ...other }), undefined, JSON.stringify(other));
  }
  const later = { ...usual, present: 8, products: catalog() };
  const renewed = { ...understood, tag: 'later' };
  questions.remember('question', later, renewed);
  assert.equal(questions.find('question', later), renewed);
  assert.equal(questions.find('question', usual), undefined);
});

test('what is remembered is bounded: long questions are not, and what was asked longest ago goes first', () => {
  const questions = new RepeatedQuestions(64_000);
  questions.remember('x'.repeat(4097), usual, understood);
  assert.equal(questions.find('x'.repeat(4097), usual), undefined);
  for (let count = 0; count < 1000; count += 1) {
    questions.remember(`question ${count}`, usual, understood);
    // The same anew takes no more room.
    questions.remember(`question ${count}`, usual, understood);
    assert.ok(questions.find('question 0', usual));
  }
  const known = Array.from({ length: 1000 }, (_, count) => questions.find(`question ${count}`, usual));
  const held = known.filter(Boolean).length;
  assert.ok(held > 100 && held < 160, `${held} are held`);
  assert.ok(known[999]);
  assert.equal(known[1], undefined);
});
