import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, padded, widthOf } from './width.js';

test('width is that of a terminal, not of the text in memory', () => {
  const widths: Readonly<Record<string, number>> = {
    '': 0,
    plain: 5,
    日本語: 6,
    ｶﾅ: 2,
    カナ: 4,
    ＡＢ: 4,
    한국: 4,
    é: 1,
    'e\u0301': 1,
    '👍': 2,
    '👩‍👩‍👧': 2,
    'a\u200bb': 2,
    Ünïcode: 7,
  };
  for (const [text, width] of Object.entries(widths)) assert.equal(widthOf(text), width, text);
});

test('texts are padded and cut by width, and never within a character', () => {
  assert.equal(padded('日本', 6), '日本  ');
  assert.equal(padded('12', 4, 'right'), '  12');
  assert.equal(padded('long', 2), 'long');
  assert.equal(cut('日本語の名前', 12), '日本語の名前');
  assert.equal(cut('日本語の名前', 10), '日本語...');
  assert.equal(cut('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5), '👩‍👩‍👧...');
  assert.equal(cut('abcdef', 2), '..');
});
