import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDice } from '../../../test/crashes/mutate.js';
import {
  crashDump,
  moduleBase,
  playCalls,
  Stack,
  stackBase,
  symbolsOf,
} from '../../../test/crashes/stack-builder.js';
import type { StackFrame } from './index.js';
import { walkStack } from './walk.js';

const short = (frames: readonly StackFrame[]) =>
  frames.map(({ found, function: name, address }) => [found, name, address]);

for (const architecture of ['x64', 'x86', 'arm64'] as const) {
  test(`${architecture}: three hundred played stacks are walked frame by frame by their rules`, () => {
    const dice = createDice(7);
    let frameCount = 0;
    for (let run = 0; run < 300; run += 1) {
      const { crash, symbols, frames } = playCalls(architecture, 1 + dice(24), dice);
      const index = symbolsOf(...symbols);
      const expected = frames.map(({ address, name }, at) => [at === 0 ? 'context' : 'cfi', name, address]);
      assert.deepEqual(short(walkStack(crashDump(crash), () => index)), expected, `run ${run}`);
      frameCount += frames.length;
    }
    assert.ok(frameCount > 3_000);
  });
}

/** A crash at game+0x1010 whose stack has one return address, to game+0x2345, where rules lead; and what is found. */
function one(rules: string, more: { at?: bigint; registers?: Record<string, bigint> } = {}) {
  const stack = new Stack(8).put(stackBase + (more.at ?? 0x18n), moduleBase + 0x2345n);
  const symbols = symbolsOf(
    'FUNC 1000 100 0 inner',
    'FUNC 2000 1000 0 outer',
    `STACK CFI INIT 1000 100 ${rules}`,
  );
  const registers = { rip: moduleBase + 0x1010n, rsp: stackBase, rbx: 0x30n, ...more.registers };
  const frames = walkStack(crashDump({ architecture: 'x64', registers, stack }), () => symbols);
  return frames[1] && [frames[1].found, frames[1].address - moduleBase];
}

test('rules: names with and without $, every operator, numbers below zero', () => {
  assert.deepEqual(one('.cfa: $rsp 32 + .ra: .cfa -8 + ^'), ['cfi', 0x2345n]);
  assert.deepEqual(one('.cfa: rsp 32 + .ra: .cfa 8 - ^'), ['cfi', 0x2345n]);
  assert.deepEqual(one('.cfa: $rsp $rbx 3 / 2 * + .ra: .cfa -8 + ^'), ['cfi', 0x2345n]);
  assert.deepEqual(one('.cfa: $rsp $rbx 4 + 20 % 20 + + .ra: .cfa -8 + ^'), ['cfi', 0x2345n]);
  assert.deepEqual(one('.cfa: $rsp 47 + 16 @ .ra: .cfa -8 + ^'), ['cfi', 0x2345n]);
  assert.deepEqual(one('.ra: .cfa -8 + ^ .cfa: $rsp 32 +'), ['cfi', 0x2345n], 'in any order');
  assert.deepEqual(one('.cfa: $rsp 32 + .ra: $r15', { registers: { r15: moduleBase + 0x2001n } }), [
    'cfi',
    0x2001n,
  ]);
});

test('rules that lead nowhere leave the search to the stack', () => {
  for (const rules of [
    '.cfa: $rsp 32 +',
    '.ra: .cfa -8 + ^',
    'oops .cfa: $rsp 32 + .ra: .cfa -8 + ^',
    '.cfa: $rsp + .ra: .cfa -8 + ^',
    '.cfa: $rsp 32 + 5 .ra: .cfa -8 + ^',
    '.cfa: $rsp 0 / .ra: .cfa -8 + ^',
    '.cfa: $rsp 0 % .ra: .cfa -8 + ^',
    '.cfa: $rsp 3 @ .ra: .cfa -8 + ^',
    '.cfa: $nothing 32 + .ra: .cfa -8 + ^',
    '.cfa: .cfa 32 + .ra: .cfa -8 + ^',
    '.cfa: $rsp 32 + .ra: .cfa 100000 * ^',
    '.cfa: $rsp 32 = .ra: .cfa -8 + ^',
    `.cfa: $rsp ${'1 '.repeat(40)}${'+ '.repeat(40)} .ra: .cfa -8 + ^`,
    `.cfa: $rsp ${'1 + '.repeat(200)} .ra: .cfa -8 + ^`,
    '.cfa: $rsp 32 - .ra: .cfa 56 + ^',
    '.cfa: $rsp 1000000 + .ra: $rsp 24 + ^',
    '.cfa: .ra:',
  ]) {
    assert.deepEqual(one(rules), ['scan', 0x2345n], rules);
  }
});

test('the stack ends where rules say so, and where a return address is none', () => {
  assert.equal(one('.cfa: $rsp 32 + .ra: .undef'), undefined);
  assert.equal(one('.cfa: $rsp 8 + .ra: .cfa -8 + ^'), undefined, 'a return address of 0');
});

test('registers that rules restore, keep or lose serve the next frame', () => {
  const stack = new Stack(8)
    .put(stackBase, stackBase + 0x80n, moduleBase + 0x2040n) // saved rbp, return to middle
    .put(stackBase + 0x78n, moduleBase + 0x3040n);
  const walk = (saved: string) => {
    const symbols = symbolsOf(
      'FUNC 1000 100 0 inner',
      'FUNC 2000 100 0 middle',
      'FUNC 3000 100 0 outer',
      `STACK CFI INIT 1000 100 .cfa: $rsp 16 + .ra: .cfa -8 + ^ ${saved}`,
      'STACK CFI INIT 2000 100 .cfa: $rbp .ra: .cfa -8 + ^',
    );
    const registers = { rip: moduleBase + 0x1010n, rsp: stackBase, rbp: stackBase + 0x80n };
    return walkStack(crashDump({ architecture: 'x64', registers, stack }), () => symbols).map(
      ({ found, function: name }) => `${found} ${name}`,
    );
  };
  const all = ['context inner', 'cfi middle', 'cfi outer'];
  assert.deepEqual(walk('$rbp: .cfa -16 + ^'), all, 'restored');
  assert.deepEqual(walk(''), all, 'kept');
  const scanned = ['context inner', 'cfi middle', 'scan outer'];
  assert.deepEqual(walk('$rbp: .undef'), scanned, 'lost');
  assert.deepEqual(walk('$rbp: $nowhere'), scanned, 'lost for want of a value');
});

test('a library without frame pointer and symbols does not hide the function that called it', () => {
  const library = { base: 0x6000_0000n, size: 0x10_0000, path: '/lib/libc.so.6' };
  const modules = [{ base: moduleBase, size: 0x10_0000, path: '/opt/game' }, library];
  const symbols = symbolsOf(
    'FUNC 1000 100 0 stale',
    'FUNC 2000 100 0 crash',
    'FUNC 3000 100 0 main',
    ...[1000, 2000, 3000].flatMap((start) => [
      `STACK CFI INIT ${start} 100 .cfa: $rsp 8 + .ra: .cfa -8 + ^`,
      `STACK CFI ${start + 1} .cfa: $rsp 16 + $rbp: .cfa -16 + ^`,
      ...(start === 1000 ? [] : [`STACK CFI ${start + 4} .cfa: $rbp 16 +`]),
    ]),
  );
  const stack = new Stack(8)
    .put(stackBase + 0x10n, library.base + 0x4005n) // from raise to abort
    .put(stackBase + 0x20n, moduleBase + 0x1045n) // left from a call that is over
    .put(stackBase + 0x38n, moduleBase + 0x2045n) // from abort to crash
    .put(stackBase + 0x60n, stackBase + 0x90n, moduleBase + 0x3045n) // the frame of crash
    .put(stackBase + 0x90n, 0n, 0n);
  const registers = { rip: library.base + 0x5000n, rsp: stackBase, rbp: stackBase + 0x60n };
  const dump = crashDump({ architecture: 'x64', registers, stack, modules });
  const frames = walkStack(dump, ({ base }) => (base === moduleBase ? symbols : undefined));
  assert.deepEqual(
    frames.map(({ found, function: name }) => [found, name]),
    [
      ['context', undefined],
      ['frame-pointer', 'crash'],
      ['cfi', 'main'],
    ],
  );
});

test('symbols made to be slow are walked with in bounded time', () => {
  const stack = new Stack(8);
  for (let at = stackBase; at < stack.top; at += 8n) stack.put(at, moduleBase + 0x2f01n);
  const registers = { rip: moduleBase + 0x2f00n, rsp: stackBase, rbp: stackBase + 0x1000n };
  const dump = crashDump({ architecture: 'x64', registers, stack });
  const change = (count: number, rules: string) =>
    Array.from(
      { length: count },
      (_, index) => `STACK CFI ${(0x1000 + (index % 0x1000)).toString(16)} ${rules}`,
    );
  const lines = Array.from(
    { length: 200_000 },
    (_, index) => `${(0x1000 + (index % 64)).toString(16)} 2000 ${index} 0`,
  );
  const init = 'STACK CFI INIT 1000 8000 .cfa: $rsp 8 + .ra: .cfa -8 + ^';
  for (const records of [
    [init, ...change(50_000, '$rbx: .cfa')],
    [init, ...change(16_000, '$rbx: .cfa $rsp: 0')],
    [init, ...change(16_000, `$rbx: .cfa ${'1 + '.repeat(120)}`)],
    [init, `STACK CFI 1001 ${Array.from({ length: 4_000 }, (_, index) => `r${index}: .cfa ^`).join(' ')}`],
    [...lines, init],
  ]) {
    const symbols = symbolsOf('FUNC 1000 8000 0 f', records.join('\n'));
    const before = process.cpuUsage();
    const frames = walkStack(dump, () => symbols);
    const took = process.cpuUsage(before).user / 1000;
    assert.equal(frames.length, 128);
    assert.ok(took < 2_000, `${took} ms for ${records[1]?.slice(0, 40)}`);
  }
});
