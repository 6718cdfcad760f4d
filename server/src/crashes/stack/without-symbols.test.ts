import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDice } from '../../../test/crashes/mutate.js';
import {
  type BuiltCrash,
  crashDump,
  layouts,
  moduleBase,
  moduleSize,
  pointers,
  Stack,
  stackBase,
  symbolsOf,
} from '../../../test/crashes/stack-builder.js';
import type { SymbolIndex } from '../symbol-index.js';
import { scannedWords } from './scanning.js';
import { mostFrames, walkStack } from './walk.js';

/** Frames as `found offset`, the offset in the module in hex; `-` outside modules. */
function walk(crash: BuiltCrash, symbols?: SymbolIndex): string[] {
  return walkStack(crashDump(crash), () => symbols).map(
    ({ found, offset }) => `${found} ${offset?.toString(16) ?? '-'}`,
  );
}

const at = (offset: number) => moduleBase + BigInt(offset);

for (const architecture of ['x64', 'x86', 'arm64'] as const) {
  const { width } = layouts[architecture];
  const [ip, sp, fp] = pointers[architecture];

  test(`${architecture}: two hundred chains of frame pointers, to their end`, () => {
    const dice = createDice(5);
    for (let run = 0; run < 200; run += 1) {
      const stack = new Stack(width);
      for (let word = stackBase; word < stack.top; word += BigInt(width)) stack.put(word, BigInt(dice(4096)));
      const expected = ['context 1500'];
      let frame = stackBase + BigInt(width * dice(20));
      const registers = { [ip]: at(0x1500), [sp]: stackBase, [fp]: frame };
      for (let left = 1 + dice(30); left > 0; left -= 1) {
        const offset = 0x2001 + dice(0x8000) * 4 + (architecture === 'arm64' ? 3 : 0);
        const next = left === 1 ? 0n : frame + BigInt(width * (2 + dice(30)));
        // The signature that arm64 leaves in saved addresses must not matter.
        const signature = architecture === 'arm64' ? BigInt(dice(0xffff)) << 48n : 0n;
        stack.put(frame, next, at(offset) | signature);
        expected.push(`frame-pointer ${offset.toString(16)}`);
        frame = next;
      }
      // Scanning on from the last frame must not find anything: the stack holds small numbers alone.
      assert.deepEqual(walk({ architecture, registers, stack }), expected, `run ${run}`);
    }
  });

  test(`${architecture}: frame pointers that stand still, turn back or leave the stack end the chain`, () => {
    for (const next of [stackBase + 0x40n, stackBase, stackBase + 0x41n, 0x10n, stackBase - 0x100n]) {
      const stack = new Stack(width).put(stackBase + 0x40n, next, at(0x2344));
      const registers = { [ip]: at(0x1500), [sp]: stackBase, [fp]: stackBase + 0x40n };
      assert.deepEqual(walk({ architecture, registers, stack }), ['context 1500', 'frame-pointer 2344']);
    }
  });

  test(`${architecture}: without a usable frame pointer the stack is scanned, so far and no further`, () => {
    const far = BigInt(scannedWords.first * width);
    const near = BigInt(scannedWords.later * width);
    const registers = { [ip]: at(0x1500), [sp]: stackBase, [fp]: 0x1n };
    const build = (first: bigint, second: bigint) => {
      const stack = new Stack(width).put(stackBase + first, at(0x2344));
      return stack.put(stackBase + first + BigInt(width) + second, at(0x3344));
    };
    const scan = (first: bigint, second: bigint) =>
      walk({ architecture, registers, stack: build(first, second) }).join(', ');
    const last = BigInt(width);
    assert.equal(scan(far - last, near - last), 'context 1500, scan 2344, scan 3344');
    assert.equal(scan(far - last, near), 'context 1500, scan 2344');
    assert.equal(scan(far, near), 'context 1500');
  });

  test(`${architecture}: a stack of return addresses alone gives ${mostFrames} frames and ends`, () => {
    const stack = new Stack(width);
    for (let word = stackBase; word < stack.top; word += BigInt(width)) stack.put(word, at(0x2344));
    const frames = walk({ architecture, registers: { [ip]: at(0x1500), [sp]: stackBase }, stack });
    assert.equal(frames.length, mostFrames);
    assert.equal(frames.at(-1), 'scan 2344');
  });

  test(`${architecture}: a stack that the dump lacks, or whose pointer is astray, leaves the crash alone`, () => {
    const stack = new Stack(width).put(stackBase, at(0x2344));
    for (const pointer of [0n, stackBase - 0x1000n, stack.top, width === 8 ? ~0n : 0xffff_fffcn]) {
      const registers = { [ip]: at(0x1500), [sp]: BigInt.asUintN(width * 8, pointer), [fp]: 0x1n };
      assert.deepEqual(walk({ architecture, registers, stack }), ['context 1500']);
    }
  });

  test(`${architecture}: a call through a null pointer goes on at the caller`, () => {
    const link: Record<string, bigint> = architecture === 'arm64' ? { x30: at(0x2344) | (7n << 50n) } : {};
    const stack = new Stack(width).put(stackBase, ...(architecture === 'arm64' ? [] : [at(0x2344)]));
    stack.put(stackBase + 0x80n, 0n, at(0x3344));
    for (const target of [0n, 0x18n, 0x5000_0000n]) {
      const registers = { [ip]: target, [sp]: stackBase, [fp]: stackBase + 0x80n, ...link };
      assert.deepEqual(walk({ architecture, registers, stack, accessed: target }), [
        'context -',
        'frame-pointer 2344',
        'frame-pointer 3344',
      ]);
    }
  });

  test(`${architecture}: a function at its first instruction has not built its frame`, () => {
    const link: Record<string, bigint> = architecture === 'arm64' ? { x30: at(0x2344) } : {};
    const stack = new Stack(width).put(stackBase, ...(architecture === 'arm64' ? [] : [at(0x2344)]));
    stack.put(stackBase + 0x80n, 0n, at(0x3344));
    const symbols = symbolsOf('FUNC 1500 100 0 inner', 'FUNC 2000 800 0 middle', 'FUNC 3000 800 0 outer');
    const registers = { [sp]: stackBase, [fp]: stackBase + 0x80n, ...link };
    assert.deepEqual(walk({ architecture, registers: { ...registers, [ip]: at(0x1500) }, stack }, symbols), [
      'context 1500',
      'frame-pointer 2344',
      'frame-pointer 3344',
    ]);
    const later = walk({ architecture, registers: { ...registers, [ip]: at(0x1508) }, stack }, symbols);
    // arm64 leaves never build one, which the link register shows; elsewhere the frame pointer is the caller's.
    const leaf = architecture === 'arm64' ? ['frame-pointer 2344'] : [];
    assert.deepEqual(later, ['context 1508', ...leaf, 'frame-pointer 3344']);
  });
}

test('arm64: a link register into the own function, or saved in the frame, is no sign of a leaf', () => {
  const symbols = symbolsOf('FUNC 1500 100 0 inner', 'FUNC 2000 800 0 middle', 'FUNC 3000 800 0 outer');
  const stack = new Stack(8).put(stackBase + 0x80n, 0n, at(0x3344));
  for (const link of [at(0x1540), at(0x3344), 0x1234n]) {
    const registers = { pc: at(0x1548), sp: stackBase, x29: stackBase + 0x80n, x30: link };
    assert.deepEqual(walk({ architecture: 'arm64', registers, stack }, symbols), [
      'context 1548',
      'frame-pointer 3344',
    ]);
  }
});

test('x64 Windows: frame pointers are not believed', () => {
  const stack = new Stack(8).put(stackBase + 0x10n, at(0x2345)).put(stackBase + 0x40n, 0n, at(0x3345));
  const registers = { rip: at(0x1500), rsp: stackBase, rbp: stackBase + 0x40n };
  const crash = { architecture: 'x64', registers, stack } as const;
  assert.deepEqual(walk({ ...crash, windows: true }), ['context 1500', 'scan 2345', 'scan 3345']);
  assert.deepEqual(walk(crash), ['context 1500', 'frame-pointer 3345']);
});

test('scanning takes addresses in known functions, not those at which one begins', () => {
  const symbols = symbolsOf('FUNC 1500 100 0 inner', 'FUNC 2000 100 0 other', 'FUNC 3000 345 0 outer');
  const stack = new Stack(8).put(
    stackBase,
    at(0x2000), // a pointer to a function
    at(0x2105), // between functions
    at(0x40), // into the headers
    at(moduleSize) + 5n,
    at(0x3345), // behind the last instruction, a call: still of the function
  );
  const registers = { rip: at(0x1510), rsp: stackBase };
  assert.deepEqual(walk({ architecture: 'x64', registers, stack }, symbols), ['context 1510', 'scan 3345']);
  assert.equal(
    walkStack(crashDump({ architecture: 'x64', registers, stack }), () => symbols)[1]?.function,
    'outer',
  );
});

test('scanning looks at the code where the dump holds it: before a return address stands a call', () => {
  const code = (architecture: 'x64' | 'arm64', bytes: readonly number[]) => {
    const memory = Buffer.alloc(64, 0x90);
    memory.set(bytes, 0x20 - bytes.length);
    const { width } = layouts[architecture];
    const stack = new Stack(width).put(stackBase, at(0x2020), at(0x3344));
    const [ip, sp] = pointers[architecture];
    const registers = { [ip]: at(0x1500), [sp]: stackBase };
    return walk({ architecture, registers, stack, memory: [{ base: at(0x2000), bytes: memory }] })[1];
  };
  const calls = {
    x64: [
      [0xe8, 1, 2, 3, 4],
      [0xff, 0xd0],
      [0x41, 0xff, 0xd2],
      [0xff, 0x50, 0x18],
      [0xff, 0x15, 1, 2, 3, 4],
      [0xff, 0x94, 0x24, 1, 2, 3, 4],
    ],
    arm64: [
      [0x10, 0, 0, 0x94],
      [0x00, 0x01, 0x3f, 0xd6],
      [0x1f, 0x09, 0x3f, 0xd6],
    ],
  };
  for (const bytes of calls.x64) assert.equal(code('x64', bytes), 'scan 2020');
  for (const bytes of calls.arm64) assert.equal(code('arm64', bytes), 'scan 2020');
  for (const bytes of [[0xe9, 1, 2, 3, 4], [0xc3], [0xff, 0xe0]]) {
    assert.equal(code('x64', bytes), 'scan 3344');
  }
  assert.equal(code('arm64', [0xc0, 0x03, 0x5f, 0xd6]), 'scan 3344', 'ret');
});

test('frames of code made at run time are walked through by frame pointers, and dropped at the end', () => {
  const stack = new Stack(8)
    .put(stackBase + 0x40n, stackBase + 0x80n, 0x5000_1234n)
    .put(stackBase + 0x80n, stackBase + 0xc0n, at(0x2345))
    .put(stackBase + 0xc0n, 0n, 0x5000_4321n);
  const registers = { rip: at(0x1500), rsp: stackBase, rbp: stackBase + 0x40n };
  assert.deepEqual(walk({ architecture: 'x64', registers, stack }), [
    'context 1500',
    'frame-pointer -',
    'frame-pointer 2345',
  ]);
});

test('symbols are asked for once a module, and only where the walk comes', () => {
  const stack = new Stack(8);
  for (let word = stackBase; word < stack.top; word += 8n) stack.put(word, at(0x2345));
  const modules = [
    { base: moduleBase, size: moduleSize, path: '/opt/game' },
    { base: 0x5000_0000n, size: moduleSize, path: '/opt/other' },
  ];
  const registers = { rip: at(0x1510), rsp: stackBase };
  const asked: string[] = [];
  walkStack(crashDump({ architecture: 'x64', registers, stack, modules }), ({ name }) => {
    asked.push(name);
    return undefined;
  });
  assert.deepEqual(asked, ['game']);
});

test('dumps without registers that are read give the place of the crash at most', () => {
  const stack = new Stack(8).put(stackBase, at(0x2345));
  const registers = { rip: at(0x1500), rsp: stackBase };
  const dump = crashDump({ architecture: 'x64', registers, stack, windows: true });
  const frames = walkStack({ ...dump, context: undefined }, () => undefined);
  assert.deepEqual(
    frames.map(({ found, offset }) => [found, offset]),
    [['context', 0x1500n]],
  );
  assert.deepEqual(
    walkStack({ ...dump, context: undefined, crashSite: undefined }, () => undefined),
    [],
  );
});
