/**
 * Feeds damaged minidumps to the reader: seeds of several writers and processors, changed at random from a fixed
 * seed. Each must give a result that can be used, or a MinidumpError; the stack of a result is walked, with damaged
 * symbols too.
 */

import { cpuUsage, memoryUsage } from 'node:process';
import type { ContextArchitecture } from '../../src/crashes/contexts.js';
import { foundFrames } from '../../src/crashes/frames.js';
import { MinidumpError, readMinidump } from '../../src/crashes/minidump.js';
import { mostFrames, walkStack } from '../../src/crashes/stack/walk.js';
import { SymbolIndex } from '../../src/crashes/symbol-index.js';
import { SymbolError, SymbolReader } from '../../src/crashes/symbols.js';
import { contextRecord, DumpBuilder, numbers, sampleDump } from './dump-builder.js';
import { createDice } from './mutate.js';
import { sample } from './samples.js';
import { crashBytes, layouts, moduleBase, playCalls, pointers, Stack, stackBase } from './stack-builder.js';

/** How the run went. `slowest` is in milliseconds of processor time, `grown` in bytes of memory. */
export interface FuzzResult {
  readonly read: number;
  /** Frames by how they were found. */
  readonly frames: Readonly<Record<string, number>>;
  /** Symbol files that were read, and refused. */
  readonly symbols: { readonly read: number; readonly refused: number };
  readonly grown: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly slowest: number;
  /** Inputs that gave an error of another kind: their number and the error. */
  readonly failures: readonly string[];
}

/** Numbers that hurt: limits of signs and widths, and small counts. */
const nasty = [
  0, 1, 2, 4, 15, 16, 255, 256, 257, 4096, 4097, 65_535, 65_536, 65_537, 0x7fffffff, 0x80000000, 0xfffffff8,
  0xffffffff,
];

/** Mutates `count` dumps; the same seed gives the same dumps. */
export function fuzzMinidumps(count: number, seed: number): FuzzResult {
  const next = createDice(seed);
  const seeds = seedDumps(next);
  const refused: Record<string, number> = {};
  const frames: Record<string, number> = {};
  const symbols = { read: 0, refused: 0 };
  const failures: string[] = [];
  const atFirst = memoryUsage().rss;
  let grown = 0;
  let read = 0;
  let slowest = 0;
  for (let number = 0; number < count; number++) {
    // The largest seed is rarely taken: most of its bytes are memory, which no mutation can spoil.
    const original = seeds[next(20) === 0 ? 0 : 1 + next(seeds.length - 1)] ?? {
      dump: Buffer.alloc(0),
      symbols: [],
    };
    const bytes = mutate(original.dump, next);
    const text = mutateLines(original.symbols, next);
    const before = cpuUsage();
    try {
      const dump = readMinidump(bytes);
      use(dump);
      read++;
      const index = indexOf(text);
      symbols[index === undefined ? 'refused' : 'read']++;
      // A module's own symbols, or the same for all, so that damaged module lists lose none.
      const stack = walkStack(dump, () => index);
      if (stack.length > mostFrames) throw new Error(`${stack.length} frames`);
      for (const { found } of foundFrames(stack)) frames[found] = (frames[found] ?? 0) + 1;
    } catch (error) {
      if (error instanceof MinidumpError && /^[A-Z].*\.$/s.test(error.message)) {
        refused[error.code] = (refused[error.code] ?? 0) + 1;
      } else {
        failures.push(`${number}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
    slowest = Math.max(slowest, cpuUsage(before).user / 1000);
    if (number % 500 === 0) grown = Math.max(grown, memoryUsage().rss - atFirst);
  }
  return { read, refused, frames, symbols, slowest, grown, failures };
}

/** The index of a symbol file; undefined if it is refused. */
function indexOf(lines: readonly string[]): SymbolIndex | undefined {
  try {
    const reader = new SymbolReader();
    reader.push(Buffer.from(lines.join('\n')));
    return new SymbolIndex(reader.end());
  } catch (error) {
    if (error instanceof SymbolError) return undefined;
    throw error;
  }
}

/** Changes words of a symbol file: mostly into others that fit, so that the walk comes to see them. */
function mutateLines(original: readonly string[], next: (bound: number) => number): string[] {
  const lines = [...original];
  if (lines.length < 2) return lines;
  const pick = () => 1 + next(lines.length - 1);
  for (let left = next(6); left > 0; left--) {
    const at = pick();
    const words = (lines[at] ?? '').split(' ');
    const word = next(words.length);
    switch (next(8)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(pick(), 0, lines[at] ?? '');
        break;
      case 2:
        words.splice(word, 1);
        break;
      case 3:
        words.splice(word, 0, spare[next(spare.length)] ?? '');
        break;
      case 4:
        words[word] = spare[next(spare.length)] ?? '';
        break;
      default:
        words[word] = (words[word] ?? '').replace(/[0-9a-f]/g, (digit) =>
          next(3) === 0 ? next(16).toString(16) : digit,
        );
    }
    if (words.length > 0 && next(8) > 1) lines[at] = words.join(' ');
  }
  return lines;
}

/** Words of rules that matter, and some that belong nowhere. */
const spare =
  '.cfa: .ra: .cfa .ra .undef $rsp $rbp $esp $ebp sp x29 x30 ^ + - * / % @ = -8 8 0 ffffffff 9223372036854775807 $T0 .raSearch __proto__: constructor toString: \u{1f4a5}'.split(
    ' ',
  );

/** Touches what a result offers, as a stack walk would. */
function use(dump: ReturnType<typeof readMinidump>): void {
  for (const address of [0n, dump.context?.stackPointer ?? 1n, dump.crashSite?.address ?? 2n, 1n << 63n]) {
    dump.moduleAt(address);
    dump.memory.pointer(address);
    const range = dump.memory.range(address);
    if (range !== undefined && dump.memory.bytes(range.base, range.size)?.length !== range.size) {
      throw new Error('a piece of memory is not as long as it says');
    }
  }
  for (const thread of dump.threads.slice(0, 16)) {
    try {
      dump.contextOf(thread);
    } catch (error) {
      if (!(error instanceof MinidumpError)) throw error;
    }
  }
}

function mutate(original: Buffer, next: (bound: number) => number): Buffer {
  const bytes = Buffer.from(original);
  if (next(12) === 0) return bytes.subarray(0, next(bytes.length + 1));
  // Structure lies at the front and, in built dumps, at the end.
  const front = next(2) === 0 ? Math.min(bytes.length, 6144) : bytes.length;
  const changes = 1 + next(next(4) === 0 ? 24 : 3);
  for (let change = 0; change < changes; change++) {
    const at = next(front - 8);
    switch (next(4)) {
      case 0:
        bytes.writeUInt8(next(256), at);
        break;
      case 1:
        bytes.writeUInt32LE(nasty[next(nasty.length)] ?? 0, at - (at % 4));
        break;
      case 2:
        bytes.writeUInt32LE(next(bytes.length * 2), at - (at % 4));
        break;
      default:
        bytes.copyWithin(at, next(bytes.length), next(bytes.length));
    }
  }
  return bytes;
}

interface Seed {
  readonly dump: Buffer;
  readonly symbols: readonly string[];
}

function seedDumps(next: (bound: number) => number): Seed[] {
  const head = `MODULE Linux x86_64 ${'0'.repeat(33)} game`;
  const crashme = Buffer.from(sample('crashme.sym')).toString().trimEnd().split('\n');
  const windows = [
    head,
    'FUNC 0 100 8 middle',
    'STACK WIN 4 0 100 3 0 8 4 8 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =',
    'STACK WIN 4 8 80 3 0 8 0 0 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =',
    'STACK WIN 0 0 100 3 0 0 c 4 0 0 1',
  ];
  const played = (architecture: ContextArchitecture): Seed => {
    const { crash, symbols } = playCalls(architecture, 12, next);
    return {
      dump: crashBytes(crash),
      symbols: [head, ...symbols, ...(architecture === 'x86' ? windows.slice(1) : [])],
    };
  };
  const built = (processor: number, platform: number, context: Buffer): Seed => ({
    dump: builtDump(processor, platform, context),
    symbols: windows,
  });
  return [
    { dump: sampleDump('win-av.dmp'), symbols: crashme },
    { dump: sampleDump('linux-null.dmp'), symbols: crashme },
    { dump: sampleDump('linux-div.dmp'), symbols: crashme },
    built(numbers.x64, numbers.windows, contextRecord(1232, [0x30, 0x10001f], 64, { 152: 0x8000 })),
    built(numbers.x86, numbers.windows, contextRecord(716, [0, 0x1001f], 32, { 184: 0x1010, 196: 0x8000 })),
    built(numbers.arm64, numbers.linux, contextRecord(912, [0, 0x40001f], 64, { 256: 0x8000 })),
    played('x64'),
    played('x86'),
    played('arm64'),
    { dump: chainDump('x64'), symbols: [head] },
    { dump: chainDump('x86'), symbols: [head] },
    { dump: chainDump('arm64'), symbols: [head] },
  ];
}

/** A crash without call-frame rules: thirty frames by their frame pointers. */
function chainDump(architecture: ContextArchitecture): Buffer {
  const { width } = layouts[architecture];
  const [ip, sp, fp] = pointers[architecture];
  const stack = new Stack(width, 2048);
  const step = 64n;
  for (let level = 0n; level < 30n; level++) {
    stack.put(stackBase + level * step, stackBase + (level + 1n) * step, moduleBase + 0x2044n + level * 4n);
  }
  const registers = { [ip]: moduleBase + 0x1500n, [sp]: stackBase, [fp]: stackBase };
  return crashBytes({ architecture, registers, stack });
}

function builtDump(processor: number, platform: number, context: Buffer): Buffer {
  return new DumpBuilder()
    .system({ processor, platform, version: [10, 0, 19045], servicePack: 'Service Pack 1' })
    .exception({ code: 0xc000027b, parameters: [0x5000n, 1n], address: 0x1010n, context })
    .modules([
      {
        base: 0x1000n,
        size: 256,
        path: 'C:\\a.exe',
        version: [1, 2],
        record: Buffer.from('RSDS'.padEnd(40)),
      },
      { base: 0x2000n, size: 256, path: '/b.so', record: Buffer.from('LEpB'.padEnd(24)) },
      { base: 0x2080n, size: 256, path: 'c.dll', record: Buffer.from('NB10'.padEnd(24)) },
    ])
    .threads([{ id: 7, context, stack: { base: 0x8000n, bytes: stackOfReturns() } }, { id: 8 }])
    .memory([{ base: 0x5000n, bytes: Buffer.alloc(64, 2) }])
    .memory64([{ base: 0x9000n, bytes: Buffer.alloc(16) }])
    .stream(numbers.miscInfo, Buffer.alloc(24, 3))
    .stream(numbers.breakpadInfo, Buffer.alloc(12, 3))
    .build();
}

/** A small stack with addresses of the first module on it. */
function stackOfReturns(): Buffer {
  const bytes = Buffer.alloc(128);
  for (const at of [0, 8, 40, 64, 96]) bytes.writeUInt32LE(0x1014 + at, at);
  return bytes;
}
