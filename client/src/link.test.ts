import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLink } from './link.js';

const origin = 'https://analytics.example';
const base = `${origin}/v1.0/my/analytics/`;

test('what a URL cannot hold is encoded, what is encoded stays', () => {
  for (const [given, wanted] of [
    ['ratings?skip=1', 'ratings?skip=1'],
    ['ratings?a=50% off', 'ratings?a=50%25%20off'],
    ['ratings?a=50%25%20off', 'ratings?a=50%25%20off'],
    ['ratings?a=C#&b=1', 'ratings?a=C%23&b=1'],
    ['ratings?a=a+b', 'ratings?a=a+b'],
    ['ratings?a=\u65e5\u{1f600}', 'ratings?a=%E6%97%A5%F0%9F%98%80'],
    ['ratings?a=\ud800', 'ratings?a=%EF%BF%BD'],
    ['ratings?a="<x>"|{}\\^`', 'ratings?a=%22%3Cx%3E%22%7C%7B%7D%5C%5E%60'],
    ['ratings?a=\tx\ny', 'ratings?a=%09x%0Ay'],
    ['  ratings?date=2018-05-01 09:00:00 ', 'ratings?date=2018-05-01%2009:00:00'],
  ] as const) {
    assert.equal(resolveLink(given, origin).href, `${base}${wanted}`, given);
  }
});

test('the origin may be written in other ways that mean the same', () => {
  assert.equal(resolveLink('HTTPS://ANALYTICS.example:443/v1.0/my/analytics/x', origin).href, `${base}x`);
});
