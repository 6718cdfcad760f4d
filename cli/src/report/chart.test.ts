import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChartOptions, chart } from './chart.js';

const drawn = (counts: Readonly<Record<string, number>>, options: Partial<ChartOptions> = {}) => {
  const { by = 'market' } = options;
  const rows = Object.entries(counts).map(([label, count]) => ({ [by]: label, count }));
  const text = chart(rows, { by, measure: 'count', width: 40, plain: true, whole: true, ...options });
  return text.replace(/\n$/, '').split('\n');
};

test('bars, the longest first, with shares', () => {
  assert.deepEqual(drawn({ DE: 1, US: 3, '': 0 }), [
    'US      ######################  3  75.0%',
    'DE      #######                 1  25.0%',
    '(none)                          0   0.0%',
  ]);
  assert.deepEqual(drawn({}), ['no rows']);
});

test('bars of what is below zero lie on the other side, and shares of a mixed sum are none', () => {
  assert.deepEqual(drawn({ DE: -1, US: 3, FR: -2.5 }, { plain: false }), [
    'US                ████████████████     3',
    'DE           █████                    -1',
    'FR   █████████████                  -2.5',
  ]);
  assert.deepEqual(drawn({ DE: -1, US: -3 }), [
    'DE                       ##########   -1',
    'US  ###############################   -3',
  ]);
});

test('the largest have bars of their own, gains or losses', () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`M${index}`, index + 1]));
  const lines = drawn({ ...many, DE: -100 });
  assert.equal(lines.length, 20);
  assert.match(lines[0] ?? '', /^M29 /);
  assert.match(lines.at(-2) ?? '', /^DE .* -100$/);
  assert.match(lines.at(-1) ?? '', /^12 others .* 78$/);
});

test('labels take the columns that a terminal gives them', () => {
  assert.deepEqual(drawn({ 日本語の名前: 5, Short: 3 }, { plain: false }), [
    '日本語の名前  ████████████████  5  62.5%',
    'Short         █████████▌        3  37.5%',
  ]);
  assert.deepEqual(drawn({ 日本語の名前: 5, Short: 3 }, { width: 20 }), [
    '日...  ##########  5',
    'Short  ######      3',
  ]);
});

test('a line goes through all dates, those without rows too', () => {
  const middle = (counts: Readonly<Record<string, number>>, level?: string) => {
    const lines = drawn(counts, { by: 'date', level });
    assert.equal(lines.length, 11);
    return lines[5];
  };
  const gap = '2 | #########                  #########';
  assert.equal(middle({ '2016-02-01': 4, '2016-02-04': 2 }), gap);
  assert.equal(middle({ '2016-02-03': 4, '2016-02-22': 2 }, 'week'), gap);
  assert.equal(middle({ '2016-01-03': 4, '2016-04-01': 2 }, 'month'), gap);
  assert.equal(middle({ '2016-01-03 09:00:00': 4, '2016-01-03 12:00:00': 2 }, 'hour'), gap);
  assert.equal(middle({ '': 4 }), `2 | ${'#'.repeat(36)}`, 'a range in one bucket has no date');
});

test('a line goes below zero', () => {
  const lines = drawn({ '2016-02-01': 4, '2016-02-02': 2, '2016-02-03': -2 }, { by: 'date', plain: false });
  assert.deepEqual(lines, [
    '4.67 ┤',
    '     ┤ ███████████',
    '     ┤ ███████████',
    '     ┤ ███████████',
    '     ┤ ██████████████████████',
    '     ┤ ██████████████████████',
    '   0 ┤ ██████████████████████',
    '     ┤                       ███████████',
    '     ┤                       ███████████',
    '  -2 ┤                       ███████████',
    '       2016-02-01             2016-02-03',
  ]);
});
