import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvCell, csvLine } from './delimited.js';

test('cells are quoted where they must be', () => {
  assert.equal(
    csvLine(['a', 'b,c', 'd"e', 'f\ng', 1.5, -2, true, null, undefined], false),
    'a,"b,c","d""e","f\ng",1.5,-2,true,,\n',
  );
});

test('what a spreadsheet would run is text, unless it is asked for as it is', () => {
  for (const start of ['=', '+', '-', '@', '\t', '\r']) {
    const text = `${start}1`;
    assert.ok(csvCell(text, false).replace(/^"/, '').startsWith(`'${start}`), JSON.stringify(start));
    assert.ok(!csvCell(text, true).includes("'"), JSON.stringify(start));
  }
  assert.equal(csvCell(-5, false), '-5', 'numbers are no text');
});
