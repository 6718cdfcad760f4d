/** The CSV scanner: rows, header, cells per row, quotes, line ends, whatever way the body is cut into chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvScanner } from './csv-scanner.js';
import type { Scan } from './scanner.js';

function scan(body: string | Uint8Array): Scan & { header: string | undefined } {
  const bytes = Buffer.from(body);
  const whole = csvScanner();
  whole.push(bytes);
  const bytewise = csvScanner();
  for (const byte of bytes) bytewise.push(Uint8Array.of(byte));
  const result = { ...whole.end(), header: whole.header() };
  assert.deepEqual({ ...bytewise.end(), header: bytewise.header() }, result);
  return result;
}

test('rows and header', () => {
  assert.deepEqual(scan(''), { rows: 0, header: undefined });
  assert.deepEqual(scan('a,b'), { rows: 0, header: 'a,b' });
  assert.deepEqual(scan('\ufeffa,b\r\n1,2\r\n,\r\n'), { rows: 2, header: 'a,b' });
  assert.deepEqual(scan('"a","b"\n"1\n,""",\n3,4'), { rows: 2, header: '"a","b"' });
  assert.deepEqual(scan('a\n1\n\n\r\n'), { rows: 1, header: 'a' });
  assert.deepEqual(scan('a,b\n1,'), { rows: 1, header: 'a,b' });
  assert.equal(scan('a\n\u00e9\u{1f600}\t\x01 x').rows, 1);
});

const bad: Readonly<Record<string, string>> = {
  'a,b\n1\n': 'not CSV: 1 cells, but the header has 2',
  'a,b\n1,2\n1,2,3': 'not CSV: 3 cells, but the header has 2',
  'a\nx"y': 'not CSV: unexpected character at byte 2 of the row',
  'a\n"x"y': 'not CSV: unexpected character at byte 4 of the row',
  'a\n"x': 'not CSV: the body ends too early',
  'a\nx\ry': 'not CSV: unexpected character at byte 3 of the row',
  'a\n1\n\n2': 'not CSV: a blank line, which may stand at the end of the body alone',
  'a\n\r\n\r\n2': 'not CSV: a blank line, which may stand at the end of the body alone',
  'a\n"x"\u00e9': 'not CSV: unexpected character at byte 4 of the row',
  'a\nx\0': 'not CSV: unexpected character at byte 2 of the row',
};

for (const [body, text] of Object.entries(bad)) {
  test(JSON.stringify(body), () => {
    const { rows, problem } = scan(body);
    assert.deepEqual(problem, { row: rows + 1, text });
  });
}

test('only well-formed UTF-8, inside and outside of quotes', () => {
  for (const cell of ['\xe9', '"\xe9"', '\xed\xa0\x80', '"\xc0\x80"']) {
    assert.equal(scan(Buffer.from(`a\n${cell}\n`, 'latin1')).problem?.text, 'not UTF-8', cell);
  }
});

test('the header is bounded', () => {
  const scanner = csvScanner();
  for (let chunk = 0; chunk < 70; chunk += 1) scanner.push(Buffer.alloc(1000, 'a'));
  assert.equal(scanner.header(), undefined);
  assert.deepEqual(scanner.end(), {
    rows: 0,
    problem: { row: 0, text: 'the header is longer than 65536 bytes' },
  });
});
