import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportEntry } from '@storelens/contract';
import { reports } from '@storelens/contract';
import { isCut, type Limits, reachOf, within } from './reach.js';

const now = Date.parse('2018-05-31T12:34:56Z');
const entry = reports.failurehits as ReportEntry;
const limits = (days: number, hours: number): Limits => ({
  'limit-failure-days': days,
  'limit-hours': hours,
});

test('without limits, and for reports that have none, everything is answered', () => {
  assert.equal(reachOf(entry, 'hour', limits(0, 0), now), undefined);
  assert.equal(
    reachOf({ ...entry, name: 'x', limited: undefined } as never, 'day', limits(30, 72), now),
    undefined,
  );
  assert.equal(reachOf(entry, 'day', limits(0, 72), now), undefined);
});

test('days begin at midnight, hours at the hour, and the later limit holds', () => {
  const place = (level: 'day' | 'hour', days: number, hours: number) => {
    const reach = reachOf(entry, level, limits(days, hours), now);
    return reach && `${reach.day} ${reach.hour}: ${reach.notice}`;
  };
  assert.equal(
    place('day', 30, 72),
    '2018-05-01 0: failures before 2018-05-01 are not answered (limit-failure-days is 30)',
  );
  assert.equal(
    place('hour', 30, 72),
    '2018-05-28 12: failures before 2018-05-28 12:00:00 are not answered (limit-hours is 72)',
  );
  assert.equal(
    place('hour', 1, 72),
    '2018-05-30 0: failures before 2018-05-30 are not answered (limit-failure-days is 1)',
  );
});

test('a range keeps what lies within reach', () => {
  const reach = { day: '2018-05-28', hour: 12, notice: '' };
  const days = (start: string, end: string) => within({ start, end, hours: undefined }, reach);
  assert.deepEqual(days('2018-05-01', '2018-05-31')?.start, '2018-05-28');
  assert.deepEqual(days('2018-05-28', '2018-05-28')?.start, '2018-05-28');
  assert.equal(days('2018-05-01', '2018-05-27'), undefined);
  const hours = (first: number, last: number) =>
    within({ start: '2018-05-28', end: '2018-05-28', hours: { first, last } }, reach)?.hours;
  assert.deepEqual(hours(0, 23), { first: 12, last: 23 });
  assert.deepEqual(hours(0, 12), { first: 12, last: 12 });
  assert.equal(hours(0, 11), undefined);
  assert.deepEqual(hours(13, 14), { first: 13, last: 14 });
});

test('only a request with dates can ask for too much', () => {
  const reach = { day: '2018-05-28', hour: 0, notice: '' };
  const asked = { start: '1970-01-01', end: '2149-06-06', hours: undefined };
  assert.equal(isCut({ ...asked, entry }, reach), true);
  assert.equal(isCut({ ...asked, entry: reports.stacktrace as ReportEntry }, reach), false);
});
