import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clampDay, formatDay, parseDate } from './dates.js';

const sameDay = [
  '8/1/2015',
  '08/01/2015',
  '08-01-2015',
  '2015-08-01',
  '2015/08/01',
  '2015/8/1',
  '8/1/2015 12:00:00 AM',
  '8/1/2015 12:00:00\u202fAM',
  '08/01/2015 00:00:00',
  '2015/08/01 0:00:00',
  '2015/8/1 0:00:00',
  '2015-08-01 00:00:00',
  '2015-08-01T00:00:00.6045249Z',
];

for (const text of sameDay) {
  test(`${text} is the first of August`, () => assert.equal(parseDate(text)?.day, '2015-08-01'));
}

test('a slash form with the year last is month first', () => {
  assert.equal(parseDate('01/08/2015 00:00:00')?.day, '2015-01-08');
  assert.equal(parseDate('13/08/2015'), undefined);
});

test('a day past the end of its month means the last day', () => {
  assert.equal(parseDate('4/31/2017')?.day, '2017-04-30');
  assert.equal(parseDate('2/29/2015')?.day, '2015-02-28');
  assert.equal(parseDate('2/30/2016')?.day, '2016-02-29');
  assert.equal(parseDate('2/32/2016'), undefined);
});

test('hours are read in both clocks', () => {
  assert.equal(parseDate('5/1/2018 9:30 PM')?.hour, 21);
  assert.equal(parseDate('2018-05-01 09:00:00')?.hour, 9);
  assert.equal(parseDate('5/1/2018 12:00:00 AM')?.hour, 0);
  assert.equal(parseDate('5/1/2018 13:00:00 PM'), undefined);
  assert.equal(parseDate('5/1/2018 24:00'), undefined);
});

test('what is no date is none', () => {
  for (const text of [
    '',
    'today',
    '2015',
    '2015-08',
    '01.08.2015 00:00:00',
    '2015-08/01',
    '11/1/2015 12:00:00 AMtop=1000',
  ]) {
    assert.equal(parseDate(text), undefined, text);
  }
});

test('days are clamped and printed', () => {
  assert.equal(clampDay('0001-01-01'), '1970-01-01');
  assert.equal(clampDay('9999-12-31'), '2149-06-06');
  assert.equal(formatDay('2015-01-20', 'yyyy/M/d'), '2015/1/20');
  assert.equal(formatDay('2015-01-20', 'yyyy/MM/dd'), '2015/01/20');
});
