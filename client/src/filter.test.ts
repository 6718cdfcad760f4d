import assert from 'node:assert/strict';
import { test } from 'node:test';
import { field } from './filter.js';

test('comparisons print as the grammar has them', () => {
  assert.equal(field('market').eq('US').text, "market eq 'US'");
  assert.equal(field('market').ne('US').text, "market ne 'US'");
  assert.equal(field('rating').lt(3).text, 'rating lt 3');
  assert.equal(field('deviceRAM').ge(-1).text, 'deviceRAM ge -1');
  assert.equal(field('isRevised').eq(true).text, 'isRevised eq true');
  assert.equal(field('reviewText').contains('ads').text, "contains(reviewText,'ads')");
  assert.equal(field('date').eq(new Date(Date.UTC(2017, 6, 8, 23))).text, "date eq '2017-07-08'");
  assert.equal(String(field('somethingNew').gt(0.5)), 'somethingNew gt 0.5');
});

test('quotes are doubled, everything else stays', () => {
  assert.equal(
    field('orderName').eq("it's 'so' \u2019 & 50%").text,
    "orderName eq 'it''s ''so'' \u2019 & 50%'",
  );
  assert.equal(field('reviewText').contains("don't").text, "contains(reviewText,'don''t')");
});

test('numbers and dates that the grammar cannot write are refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7]) {
    assert.throws(() => field('rating').eq(value), TypeError);
  }
  assert.throws(() => field('date').eq(new Date(Number.NaN)), RangeError);
});

test('and binds tighter than or: parentheses stand where they are needed and nowhere else', () => {
  const [a, b, c] = [field('market').eq('a'), field('market').eq('b'), field('market').eq('c')];
  assert.equal(a.and(b, c).text, "market eq 'a' and market eq 'b' and market eq 'c'");
  assert.equal(a.or(b).and(c).text, "(market eq 'a' or market eq 'b') and market eq 'c'");
  assert.equal(c.and(a.or(b)).text, "market eq 'c' and (market eq 'a' or market eq 'b')");
  assert.equal(a.and(b).or(c).text, "market eq 'a' and market eq 'b' or market eq 'c'");
  assert.equal(a.or().and(b).text, "market eq 'a' and market eq 'b'");
});
