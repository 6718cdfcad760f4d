import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../command.js';
import { dayOf } from './days.js';

const now = Date.parse('2024-05-31T23:59:00Z');

test('days, and times ago', () => {
  const days: Readonly<Record<string, string>> = {
    '2024-02-29': '2024-02-29',
    '2024-02-29 09:00:00': '2024-02-29 09:00:00',
    today: '2024-05-31',
    yesterday: '2024-05-30',
    '0d': '2024-05-31',
    '30d': '2024-05-01',
    '2w': '2024-05-17',
    '1m': '2024-04-30',
    '3m': '2024-02-29',
    '15m': '2023-02-28',
    '1y': '2023-05-31',
  };
  for (const [text, expected] of Object.entries(days))
    assert.equal(dayOf(text, 'since', now), expected, text);
});

test('anything else is named', () => {
  for (const text of ['', '30', '31.5.2024', '2024-13-01', 'd30', '1h', '99999m', '2000y'])
    assert.throws(
      () => dayOf(text, 'since', now),
      (error) =>
        error instanceof UsageError && error.message.startsWith(`--since is '${text}'; expected a day`),
    );
});
