import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import {
  defaultSymbolLimits,
  SymbolError,
  type SymbolErrorCode,
  type SymbolLimits,
  SymbolReader,
} from './symbols.js';

const sample = new URL('../../../test/crash-samples/crashme.sym', import.meta.url);
const head = 'MODULE windows x86_64 0123456789abcdef0123456789abcdef1 game.pdb';

function read(text: string | Uint8Array, limits: SymbolLimits = defaultSymbolLimits) {
  const reader = new SymbolReader(limits);
  reader.push(Buffer.from(text));
  return reader.end();
}

test('the sample is read from small pieces as from one', () => {
  const reader = new SymbolReader();
  const bytes = readFileSync(sample);
  for (let start = 0; start < bytes.length; start += 7) reader.push(bytes.subarray(start, start + 7));
  const pieced = reader.end();
  assert.deepEqual(pieced, read(bytes));
  assert.equal(pieced.os, 'Linux');
  assert.equal(pieced.architecture, 'x86_64');
  assert.equal(pieced.debugId, '6665FEAE09C7306804147C5669CFDC1E0');
  assert.equal(pieced.codeId, 'AEFE6566C709683004147C5669CFDC1E38EE39D8');
  assert.equal(pieced.module, 'crashme');
  assert.equal(pieced.files.get(0), '/src/crashme.cc');
  assert.equal(pieced.functions.length, 7);
  assert.equal(pieced.publics.length, 9);
  assert.equal(pieced.lines.addresses.length, 85);
  assert.equal(pieced.callFrames.length + pieced.changes.rules.length, 55);
});

test('every record is read: marks, other line ends, Windows frames, inlining, names with blanks', () => {
  const file = read(
    [
      `${head} with blanks`,
      'INFO GENERATOR mozilla/dump_syms 2.3',
      'INFO CODE_ID 5f3c1a2b1c000 game.exe',
      'FILE 3 c:\\src\\my game.cpp',
      'INLINE_ORIGIN 0 inlined(int)',
      'FUNC m 1000 20 8 Play(int, char const*)',
      'INLINE 0 12 3 0 1004 8 1010 4',
      '1000 10 5 3',
      'face0 10 6 3',
      '',
      'FUNC 2000 0 0',
      'PUBLIC m 3000 4 Export',
      'STACK CFI INIT 1000 20 .cfa: $rsp 8 +',
      'STACK CFI 1001 .cfa: $rsp 16 +',
      'STACK WIN 4 1000 20 1 0 0 0 0 0 1 $T0 .raSearch =',
    ].join('\r\n'),
  );
  assert.equal(file.module, 'game.pdb with blanks');
  assert.equal(file.debugId, '0123456789ABCDEF0123456789ABCDEF1');
  assert.equal(file.codeId, '5F3C1A2B1C000');
  assert.equal(file.files.get(3), 'c:\\src\\my game.cpp');
  assert.deepEqual(file.functions, [
    {
      address: 0x1000,
      size: 0x20,
      parameterSize: 8,
      name: 'Play(int, char const*)',
      firstLine: 0,
      endLine: 2,
    },
    { address: 0x2000, size: 0, parameterSize: 0, name: '', firstLine: 2, endLine: 2 },
  ]);
  assert.deepEqual(file.lines, {
    addresses: [0x1000, 0xface0],
    sizes: [16, 16],
    numbers: [5, 6],
    files: [3, 3],
  });
  assert.deepEqual(file.publics, [{ address: 0x3000, parameterSize: 4, name: 'Export' }]);
  assert.deepEqual(file.callFrames, [
    {
      address: 0x1000,
      size: 0x20,
      rules: '.cfa: $rsp 8 +',
      firstChange: 0,
      endChange: 1,
    },
  ]);
  assert.deepEqual(file.changes, { addresses: [0x1001], rules: ['.cfa: $rsp 16 +'] });
  assert.deepEqual(file.windowsFrames, ['4 1000 20 1 0 0 0 0 0 1 $T0 .raSearch =']);
});

const small = { bytes: 1000, records: 6, kept: 4, lineBytes: 100 };
const refusals: readonly (readonly [string, SymbolErrorCode, string])[] = [
  ['', 'not-symbols', 'Line 1: the symbol file is empty.'],
  ['MDMP\u0093', 'not-symbols', 'Line 1: a symbol file starts with a MODULE record, not with "MDMP\u0093".'],
  ['\nFUNC 1 2 3 x', 'not-symbols', 'Line 2: a symbol file starts with a MODULE record, not with "FUNC".'],
  ['MODULE Linux x86_64', 'malformed', 'Line 1: MODULE needs system, architecture, debug id and name.'],
  [
    'MODULE Linux x86_64 12 game',
    'malformed',
    'Line 1: the debug id is "12"; 32 hexadecimal digits and an age are expected.',
  ],
  [head.replace(' game.pdb', ''), 'malformed', 'Line 1: MODULE needs a name behind the debug id.'],
  [`${head}\n${head}`, 'malformed', 'Line 2: there is a second MODULE record; send one module a file.'],
  [
    `${head}\nINFO CODE_ID ../x`,
    'malformed',
    'Line 2: the code id is "../x"; up to 128 hexadecimal digits are expected.',
  ],
  [`${head}\nINFO CODE_ID A\nINFO CODE_ID B`, 'malformed', 'Line 3: there is a second INFO CODE_ID record.'],
  [`${head}\nFILE x y`, 'malformed', 'Line 2: the number of the file is "x"; a decimal number is expected.'],
  [`${head}\nFILE 1`, 'malformed', 'Line 2: FILE needs a name behind its number.'],
  [`${head}\nFUNC 1 2`, 'malformed', 'Line 2: FUNC needs address, size, parameter size and name.'],
  [
    `${head}\nFUNC 1g 2 3 f`,
    'malformed',
    'Line 2: the address of the function is "1g"; a hexadecimal number below 2^53 is expected.',
  ],
  [
    `${head}\nPUBLIC ffffffffffffffff 0 f`,
    'malformed',
    'Line 2: the address of the symbol is "ffffffffffffffff"; a hexadecimal number below 2^53 is expected.',
  ],
  [`${head}\n1 2 3 4`, 'malformed', 'Line 2: a line record stands before the first FUNC record.'],
  [
    `${head}\nFUNC 1 2 3 f\n1 2 -3 4`,
    'malformed',
    'Line 3: the line number is "-3"; a decimal number is expected.',
  ],
  [`${head}\nFUNC 1 2 3 f\n1 2 3 4 5`, 'malformed', 'Line 3: "1 2 3 4 5" is no record of a symbol file.'],
  [`${head}\nHELLO`, 'malformed', 'Line 2: "HELLO" is no record of a symbol file.'],
  [
    `${head}\nINLINE 1 2 3 4 5`,
    'malformed',
    'Line 2: INLINE needs depth, line, file, origin, and pairs of address and size.',
  ],
  [`${head}\nINLINE_ORIGIN x`, 'malformed', 'Line 2: INLINE_ORIGIN needs a number and a name.'],
  [`${head}\nSTACK X`, 'malformed', 'Line 2: STACK is followed by CFI or WIN, not by "X".'],
  [`${head}\nSTACK CFI 1 x`, 'malformed', 'Line 2: STACK CFI stands before the first STACK CFI INIT.'],
  [`${head}\nFILE 1 a\0b`, 'not-symbols', 'Line 2: the line holds a zero byte; symbol files are text.'],
  [
    `${head}\nFUNC 1 2 3 f\n${'1 2 3 4\n'.repeat(5)}`,
    'too-many-records',
    'Line 7: the symbol file has more than 6 records.',
  ],
  [
    `${head}\n${'FILE 1 a\n'.repeat(5)}`,
    'too-many-records',
    'Line 6: the symbol file has more than 4 records besides line numbers.',
  ],
  [`${head}\nFILE 1 ${'a'.repeat(100)}\n`, 'line-too-long', 'Line 2: the line has more than 100 bytes.'],
  [`${head}\nFILE 1 ${'a'.repeat(100)}`, 'line-too-long', 'Line 2: the line has more than 100 bytes.'],
];

test('what does not fit is refused by line', () => {
  for (const [text, code, message] of refusals) {
    assert.throws(
      () => read(text, small),
      (error) => {
        assert.ok(error instanceof SymbolError, `${error}`);
        assert.equal(error.message, message);
        assert.equal(error.code, code);
        assert.equal(error.line, Number(/\d+/.exec(message)?.[0]));
        return true;
      },
    );
  }
});

test('a file is refused as soon as it has too many bytes', () => {
  const reader = new SymbolReader(small);
  reader.push(Buffer.from(`${head}\n`));
  let pushed = head.length + 1;
  assert.throws(
    () => {
      for (;;) {
        reader.push(Buffer.from('\n'.repeat(50)));
        pushed += 50;
      }
    },
    { code: 'too-large', message: /the symbol file has more than 1000 bytes\.$/ },
  );
  assert.ok(pushed <= 1000);
});

test('mutated files are read or refused, in pieces as in one', () => {
  const original = readFileSync(sample);
  const dice = new Dice('symbols', 1);
  const outcome = (reading: () => unknown) => {
    try {
      return reading();
    } catch (error) {
      assert.ok(error instanceof SymbolError, `${error}`);
      return [error.code, error.message];
    }
  };
  let refused = 0;
  for (let turn = 0; turn < 3000; turn += 1) {
    const bytes = Buffer.from(original);
    for (let change = dice.whole(1, 4); change > 0; change -= 1) {
      const at = dice.whole(0, bytes.length - 1);
      if (dice.chance(0.5)) bytes[at] = dice.whole(0, 255);
      else bytes.copy(bytes, at, dice.whole(0, bytes.length - 1));
    }
    const mutated = bytes.subarray(0, dice.whole(0, bytes.length));
    const whole = outcome(() => read(mutated));
    if (Array.isArray(whole)) refused += 1;
    const inPieces = outcome(() => {
      const reader = new SymbolReader();
      for (let at = 0; at < mutated.length; ) {
        const size = dice.whole(1, 400);
        reader.push(mutated.subarray(at, at + size));
        at += size;
      }
      return reader.end();
    });
    assert.deepEqual(inPieces, whole);
  }
  assert.ok(refused > 300 && refused < 3000, `${refused} refused`);
});

test('long lines of blanks cost no more than other bytes', () => {
  const line = `FILE 1 ${' '.repeat(65_000)}x\n`;
  const started = performance.now();
  read(`${head}\n${line.repeat(200)}`);
  assert.ok(performance.now() - started < 10_000, 'slow reading');
});
