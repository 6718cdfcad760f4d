import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvLine } from './delimited.js';
import { jsonRow } from './json-row.js';

const fields = [
  { name: 'market', type: 'text' },
  { name: 'clicks', type: 'integer' },
  { name: 'spend', type: 'decimal' },
] as const;

test('numbers keep their digits, amounts their fraction, and texts stay texts', () => {
  const row = { market: '12', clicks: '-9007199254740993', spend: '123456789012.123456', other: [1] };
  assert.equal(
    jsonRow(row, fields),
    '{"market":"12","clicks":-9007199254740993,"spend":123456789012.123456,"other":[1]}',
  );
  assert.equal(jsonRow({ clicks: 10, spend: 10 }, fields), '{"clicks":10,"spend":10.0}');
  assert.equal(
    jsonRow({ clicks: null, spend: 0.5, market: 'a"' }, fields),
    '{"clicks":null,"spend":0.5,"market":"a\\""}',
  );
  assert.equal(jsonRow({ clicks: 'many' }, fields), '{"clicks":"many"}');
});

test('CSV keeps them, too', () => {
  const row = { clicks: '-9007199254740993', spend: '-123456789012.123456' };
  assert.equal(csvLine(row, ['clicks', 'spend'], fields, false), '-9007199254740993,-123456789012.123456\n');
});
