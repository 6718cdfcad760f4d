import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literalReports } from '@storelens/contract';
import { CsvColumns, csvHead, csvLine } from './delimited.js';

const fields = [
  { name: 'market', type: 'text' },
  { name: 'date', type: 'date' },
  { name: 'spend', type: 'decimal' },
  { name: 'clicks', type: 'integer' },
] as const;
const names = ['market', 'date', 'spend', 'clicks', 'new', 'known'];

test('texts are quoted, the rest is bare', () => {
  assert.equal(csvHead(names), 'market,date,spend,clicks,new,known\n');
  const row = { market: 'a,"b"\n', date: '2026-01-01', spend: 10, clicks: 3, new: 'x', known: true };
  assert.equal(csvLine(row, names, fields, false), '"a,""b""\n",2026-01-01,10.0,3,"x",true\n');
  const none = { market: null, date: null, spend: -1.25, clicks: -5 };
  assert.equal(csvLine(none, names, fields, false), '"",,-1.25,-5,,\n', 'numbers are no text');
});

test('what a spreadsheet would run is text, unless it is asked for as it is', () => {
  for (const start of ['=', '+', '-', '@', '\t', '\r']) {
    const line = (raw: boolean) => csvLine({ market: `${start}1` }, ['market'], fields, raw);
    assert.equal(line(false), `"'${start}1"\n`);
    assert.equal(line(true), `"${start}1"\n`);
  }
});

test('a service that has text where the report has none breaks no line', () => {
  const fields = [{ name: 'date', type: 'date' }] as const;
  assert.equal(csvLine({ date: '5/3/2021, noon' }, ['date'], fields, false), '"5/3/2021, noon"\n');
  assert.equal(csvLine({ date: '=1+1' }, ['date'], fields, false), '"\'=1+1"\n');
  assert.equal(csvLine({ date: -5 }, ['date'], fields, false), '-5\n');
  assert.equal(csvHead(['date', 'a,b']), 'date,"a,b"\n');
});

test('without rows the header has what rows would surely carry', async () => {
  const names = (groupby: readonly string[] | undefined) =>
    new CsvColumns(literalReports.appacquisitions).begin([], groupby).join();
  assert.equal(names(['date', 'market']), 'date,applicationId,market,acquisitionQuantity');
  assert.equal(names(undefined), 'applicationId,acquisitionQuantity');
  assert.match(new CsvColumns(literalReports.reviews).begin([], undefined).join(), /^date,.*rating/);
});
