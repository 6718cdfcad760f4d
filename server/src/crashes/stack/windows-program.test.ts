import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashDump, moduleBase, Stack, stackBase, symbolsOf } from '../../../test/crashes/stack-builder.js';
import { walkStack } from './walk.js';

const at = (offset: number) => moduleBase + BigInt(offset);

function walk(stack: Stack, ebp: bigint, ...records: string[]) {
  const registers = { eip: at(0x1510), esp: stackBase, ebp };
  const symbols = symbolsOf(
    'FUNC 1500 100 0 inner',
    'FUNC 2000 100 8 middle',
    'FUNC 3000 100 0 outer',
    'FUNC 4000 100 0 root',
    ...records,
  );
  const dump = crashDump({ architecture: 'x86', registers, stack, windows: true });
  return walkStack(dump, () => symbols).map(({ found, function: name }) => `${found} ${name}`);
}

test('frames by programs: with ebp, with the searched return address, parameters of the called function skipped', () => {
  const stack = new Stack(4)
    .put(stackBase + 0x08n, stackBase + 0x60n, at(0x2042)) // inner: saved ebp, return to middle
    .put(stackBase + 0x10n, 1n, 2n) // parameters of inner
    .put(stackBase + 0x24n, at(0x3042)) // middle: 12 bytes of locals and registers behind
    .put(stackBase + 0x28n, 3n, 4n) // parameters of middle, 8 bytes
    .put(stackBase + 0x60n, 0n, at(0x4042)); // outer, by ebp
  const programs = [
    'STACK WIN 4 1500 100 3 0 8 0 0 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =',
    'STACK WIN 4 2000 100 3 0 8 4 8 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =',
    'STACK WIN 4 3000 100 3 0 0 0 30 0 1 $eip $ebp 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ =',
  ];
  assert.deepEqual(walk(stack, stackBase + 0x08n, ...programs), [
    'context inner',
    'cfi middle',
    'cfi outer',
    'cfi root',
  ]);
});

test('frames by sizes: ebp kept, or saved by a function that uses it', () => {
  const stack = new Stack(4)
    .put(stackBase + 0x04n, stackBase + 0x50n) // inner saved ebp: esp + saved registers - 8
    .put(stackBase + 0x10n, at(0x2042))
    .put(stackBase + 0x50n, 0n, at(0x4042));
  const inner = (uses: 0 | 1) => `STACK WIN 0 1500 100 3 0 0 c 4 0 0 ${uses}`;
  const middle = 'STACK WIN 4 2000 100 3 0 0 0 0 0 1 $eip $ebp 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ =';
  assert.deepEqual(walk(stack, 0x1234n, inner(1), middle), ['context inner', 'cfi middle', 'cfi root']);
  assert.deepEqual(walk(stack, stackBase + 0x50n, inner(0), middle), [
    'context inner',
    'cfi middle',
    'cfi root',
  ]);
});

test('the innermost record counts, programs before sizes, and an aligned stack is found out', () => {
  const stack = new Stack(4).put(stackBase + 0x8n, at(0x2042));
  assert.deepEqual(
    walk(
      stack,
      0n,
      'STACK WIN 4 1500 100 3 0 0 0 4000 0 1 $eip .cbLocals ^ = $esp 0 =',
      'STACK WIN 4 1508 20 3 0 0 0 0 0 1 $eip .raSearchStart ^ = $esp .raSearchStart 4 + =',
      'STACK WIN 0 150c 10 3 0 0 0 40 0 0 0',
    ),
    ['context inner', 'cfi middle'],
  );
});

test('records that cannot be read or lead nowhere leave the search to ebp and the stack', () => {
  const stack = new Stack(4).put(stackBase + 0x40n, 0n, at(0x2042));
  for (const record of [
    '4 1500 100 3 0 0 0 0 0 1 $eip $ebp',
    '4 1500 100 3 0 0 0 0 0 1 $eip $T7 ^ = $esp 4 =',
    '4 1500 100 3 0 0 0 0 0 1 $eip 5 = $esp $ebp 8 + =',
    '4 1500 100 3 0 0 0 0 0 1 $eip $ebp 4 + ^ =',
    '4 1500 100 3 0 0 0 0 0 0 1',
    '0 1500 100 3 0 0 0 ffffffff 0 0 0',
    '3 1500 100 3 0 0 0 0 0 0 0',
    '4 1500 xyz',
  ]) {
    assert.deepEqual(
      walk(stack, stackBase + 0x40n, `STACK WIN ${record}`),
      ['context inner', 'frame-pointer middle'],
      record,
    );
  }
});
