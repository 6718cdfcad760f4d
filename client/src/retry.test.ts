import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, InvalidRequestError, ProtocolError, ServiceError } from './errors.js';
import { completeRetries, delayBefore, parseRetryAfter } from './retry.js';

const defaults = completeRetries();

const delays = (error: unknown, chance: number) =>
  [1, 2, 3, 4, 5, 6].map((attempt) => delayBefore(error, attempt, defaults, chance));

test('waits double, half of each by chance, up to a bound and a number of attempts', () => {
  const error = new ConnectionError('gone', { code: 'x' });
  assert.deepEqual(delays(error, 0), [500, 1000, 2000, 4000, 8000, undefined]);
  assert.deepEqual(delays(error, 1), [1000, 2000, 4000, 8000, 16_000, undefined]);
  const many = completeRetries({ attempts: 100, firstDelay: undefined });
  assert.equal(delayBefore(error, 50, many, 1), 60_000);
});

test('only what may pass is tried again', () => {
  const none = [undefined, undefined, undefined, undefined, undefined, undefined];
  for (const error of [
    new InvalidRequestError('bad', { code: 'x', status: 400 }),
    new ServiceError('no', { code: 'x', status: 501 }),
    new ProtocolError('no', { code: 'no-rows' }),
    new TypeError('ours'),
    'text',
  ]) {
    assert.deepEqual(delays(error, 0.5), none);
  }
  assert.notEqual(delays(new ProtocolError('half', { code: 'unreadable' }), 0.5)[0], undefined);
});

test('Retry-After is seconds or a date, and nothing else', () => {
  const now = Date.UTC(2018, 5, 1);
  for (const [header, wanted] of [
    ['0', 0],
    ['120', 120_000],
    [' 1.5 ', 1500],
    ['Fri, 01 Jun 2018 00:01:00 GMT', 60_000],
    ['Friday, 01-Jun-18 00:01:00 GMT', 60_000],
    ['Thu, 31 May 2018 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1e9', undefined],
    ['later', undefined],
    ['', undefined],
    [null, undefined],
  ] as const) {
    assert.equal(parseRetryAfter(header, now), wanted, String(header));
  }
});
