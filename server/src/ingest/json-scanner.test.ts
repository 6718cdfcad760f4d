/** The JSON scanner: what it lets pass, what it refuses and where, whatever way the body is cut into chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetEntry } from '@storelens/contract';
import { type Framing, jsonScanner } from './json-scanner.js';
import { maxRowBytes, type Scan } from './scanner.js';

const entry: DatasetEntry = {
  name: 'things',
  summary: '',
  time: 'day',
  columns: [
    { name: 'day', type: 'day', required: true, note: '' },
    { name: 'dayName', type: 'text', note: '' },
    { name: 'count', type: 'integer', range: [0, 9], note: '' },
    { name: 'price', type: 'amount', note: '' },
    { name: 'open', type: 'boolean', note: '' },
    {
      name: 'part',
      type: 'object',
      columns: [
        { name: 'id', type: 'code', note: '' },
        { name: 'name', type: 'text', note: '' },
      ],
      note: '',
    },
    {
      name: 'steps',
      type: 'list',
      columns: [{ name: 'dayName', type: 'text', note: '' }],
      most: 2,
      note: '',
    },
  ],
};

/** Scans a body whole and byte by byte; both must agree. */
function scan(body: string | Uint8Array, framing: Framing = 'lines'): Scan {
  const bytes = Buffer.from(body);
  const whole = jsonScanner(entry, framing);
  whole.push(bytes);
  const bytewise = jsonScanner(entry, framing);
  for (const byte of bytes) bytewise.push(Uint8Array.of(byte));
  const result = whole.end();
  assert.deepEqual(bytewise.end(), result);
  return result;
}

const passes = (body: string | Uint8Array, framing?: Framing) => scan(body, framing).problem === undefined;

test('rows are counted in both framings', () => {
  assert.deepEqual(scan(''), { rows: 0 });
  assert.deepEqual(scan('\ufeff\n{"day":"x"}\r\n\n {} \n{"open":true,"count":null}'), { rows: 3 });
  assert.deepEqual(scan(' [ ] \n', 'array'), { rows: 0 });
  assert.deepEqual(scan('\ufeff[{"day":"x"},\n{\n"count" : 1\n}\n]', 'array'), { rows: 2 });
});

test('the first problem is named by row and byte', () => {
  assert.deepEqual(scan('{}\n{"day":5}\n{}'), {
    rows: 1,
    problem: { row: 2, text: 'not JSON: unexpected character at byte 8 of the row' },
  });
  assert.deepEqual(scan('{"day":"x"'), {
    rows: 0,
    problem: { row: 1, text: 'not JSON: the body ends too early' },
  });
  assert.match(
    scan(`{"dayName":"${'x'.repeat(maxRowBytes)}"}`).problem?.text ?? '',
    /^longer than 1048576 bytes$/,
  );
});

test('keys, also those that begin alike', () => {
  assert.ok(passes('{"day":"a","dayName":"b"}'));
  for (const key of ['da', 'dayN', 'daynAme', 'Day', '', 'd\\u0061y'])
    assert.ok(!passes(`{"${key}":"a"}`), key);
});

const values: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  dayName: [
    [
      '""',
      '"\u00e9\u{1f600}"',
      '"\\ud83d\\uDE00"',
      '"\\u0041\\u0100\\uD7FF\\uE000"',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
      '"\x7f"',
      'null',
    ],
    [
      '5',
      'true',
      '{}',
      '[]',
      '"\t"',
      '"\\x"',
      '"\\u00"',
      '"\\u0000"',
      '"\\ud800"',
      '"\\ud800\\n"',
      '"\\udc00"',
      '"\\ud83d\\u0041"',
      "'x'",
      'nul',
      'NULL',
      '',
    ],
  ],
  count: [
    ['0', '-0', '7', '-12', '999999999999999999', 'null'],
    ['01', '-', '+1', '1.0', '1e3', '"1"', 'true', '1000000000000000000', '1 2', 'NaN', '0x1'],
  ],
  price: [
    [
      '0',
      '1.5',
      '-0.000001',
      '999999999999.999999',
      'null',
      '5e-05',
      '1.2e-05',
      '-1e-06',
      '1E-6',
      '1.23456e-1',
      '999999999999.9e-5',
    ],
    [
      '.5',
      '5.',
      '1.0000000',
      '1000000000000',
      '00.5',
      '"1.5"',
      '--1',
      '1e2',
      '1e+02',
      '1e0',
      '1e-0',
      '1e-00',
      '1e-07',
      '1.2e-06',
      '1.234567e-1',
      '1e-005',
      '1e-',
      '1e-0.5',
      '1e-55',
      '1.e-5',
      'e-5',
    ],
  ],
  open: [
    ['true', 'false', 'null'],
    ['True', '1', '"true"', 'tru', 'truee'],
  ],
  part: [
    [
      'null',
      '{}',
      '{ }',
      '{"id":null,"name":null}',
      '{"id":"0xc0000005" , "name":"}"}',
      '{ "name" : "a\\"b" , "id" : -1073741819 }',
    ],
    [
      '[]',
      '[{}]',
      '""',
      '5',
      '{"id":1.5}',
      '{"id":01}',
      '{"id":1234567890123456789}',
      '{"id":true}',
      '{"id":{}}',
      '{"name":5}',
      '{"name":"\\u0000"}',
      '{"nam":""}',
      '{"day":"x"}',
      '{,}',
      '{"id":1,}',
      '{"id":1 "name":""}',
      '{"id":1}}',
      '{',
    ],
  ],
  steps: [
    ['null', '[]', '[ ]', '[{}]', '[{},{ } , {}]', '[{"dayName":"]"},{"dayName":null}]'],
    [
      '{}',
      '[null]',
      '[""]',
      '[[]]',
      '[{},]',
      '[,{}]',
      '[{} {}]',
      '[{"dayName":5}]',
      '[{"id":5}]',
      '[{}',
      '[}',
      ']',
    ],
  ],
};

for (const [key, [good, bad]] of Object.entries(values)) {
  test(`values of ${key}`, () => {
    for (const value of good) assert.ok(passes(`{"${key}" : ${value} ,"day":"x"}`), value);
    for (const value of bad) assert.ok(!passes(`{"${key}":${value},"day":"x"}`), value);
    for (const value of bad) assert.ok(!passes(`[{"${key}":${value}}]`, 'array'), value);
  });
}

test('only well-formed UTF-8', () => {
  const inText = (...bytes: number[]) =>
    Buffer.concat([Buffer.from('{"dayName":"'), Buffer.from(bytes), Buffer.from('"}')]);
  for (const good of [
    [0xc2, 0x80],
    [0xe0, 0xa0, 0x80],
    [0xed, 0x9f, 0xbf],
    [0xef, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
  ]) {
    assert.ok(passes(inText(...good)), good.join(' '));
  }
  // Overlong forms, surrogates, beyond U+10FFFF, cut short, continuation alone.
  for (const bad of [
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xe2, 0x82],
    [0x80],
  ]) {
    assert.ok(!passes(inText(...bad)), bad.join(' '));
  }
});

test('what may not stand between rows', () => {
  for (const body of ['{}{}', '{},\n{}', '[{}]', '{}\nx', '{\n}', '\x00{}', '{} {}'])
    assert.ok(!passes(body), body);
  for (const body of ['{}', '[{}', '[{},]', '[,{}]', '[{} {}]', '[{}]]', '[{}] {}', '[[]]', '[1]', '']) {
    assert.ok(!passes(body, 'array'), body);
  }
});
