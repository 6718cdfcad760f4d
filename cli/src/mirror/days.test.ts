import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOfRow, daysToRead, firstWindow, inTurn, isDueOnceMore, type KnownDay } from './days.js';

const known = (...days: readonly KnownDay[]) => new Map(days.map((day) => [day.day, day]));

test('recent days are read again, old ones if they are unknown, failed or not settled', () => {
  const wanted = { first: '2026-03-01', today: '2026-03-06', recentDays: 2, doneThrough: undefined };
  const days = known(
    { day: '2026-03-01', state: 'settled', settled: true, rows: 3 },
    { day: '2026-03-02', state: 'failed', settled: false, rows: 3 },
    { day: '2026-03-03', state: 'read', settled: false, rows: 3 },
    { day: '2026-03-04', state: 'settled', settled: true, rows: 3 },
  );
  const recent = ['2026-03-04', '2026-03-05', '2026-03-06'];
  assert.deepEqual(daysToRead(wanted, days), ['2026-03-02', '2026-03-03', ...recent]);
  assert.deepEqual(daysToRead({ ...wanted, doneThrough: '2026-03-03' }, days), ['2026-03-02', ...recent]);
  assert.deepEqual(daysToRead(wanted, known()).length, 6);
});

test('windows end before a gap, and at their length', () => {
  const days = ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-03'];
  assert.deepEqual(firstWindow(days, 9), { first: '2026-02-27', last: '2026-03-01' });
  assert.deepEqual(firstWindow(days, 2), { first: '2026-02-27', last: '2026-02-28' });
  assert.equal(firstWindow([], 2), undefined);
});

test('dates of rows are days in every form that sources print', () => {
  for (const date of ['2026-03-04', '2026-03-04T10:00:00Z', '2026/3/4', '3/4/2026 12:00:00 AM'])
    assert.equal(dayOfRow(date), '2026-03-04', date);
  for (const date of [null, undefined, '', 'yesterday', 20260304]) assert.equal(dayOfRow(date), undefined);
});

test('days that failed come last, the one first that was tried longest ago', () => {
  const failed = (day: string, failedAt: string) => ({
    day,
    state: 'failed',
    settled: false,
    rows: null,
    failedAt,
  });
  const days = known(
    failed('2026-03-01', '2026-03-09T08:00:00.001Z'),
    failed('2026-03-02', '2026-03-09T08:00:00.002Z'),
    failed('2026-03-04', '2026-03-08T08:00:00.000Z'),
    { day: '2026-03-05', state: 'read', settled: false, rows: 3, failedAt: null },
  );
  assert.deepEqual(inTurn(['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05'], days), [
    ['2026-03-03', '2026-03-05'],
    ['2026-03-04', '2026-03-01', '2026-03-02'],
  ]);
  assert.deepEqual(firstWindow(['2026-03-04', '2026-03-01', '2026-03-02'], 9), {
    first: '2026-03-04',
    last: '2026-03-04',
  });
});

test('what could not be had is asked for once more when its day is recent no longer', () => {
  const wanted = { today: '2026-03-20', recentDays: 10 };
  assert.equal(isDueOnceMore('2026-03-08T23:00:00.000Z', '2026-03-09', wanted), true);
  assert.equal(isDueOnceMore('2026-03-19T23:00:00.000Z', '2026-03-09', wanted), true, 'its last recent day');
  assert.equal(isDueOnceMore('2026-03-20T01:00:00.000Z', '2026-03-09', wanted), false, 'it was asked since');
  assert.equal(isDueOnceMore('2026-03-12T01:00:00.000Z', '2026-03-10', wanted), false, 'it is recent');
});
