/**
 * Feeds damaged minidumps to the reader: seeds of several writers and processors, changed at random from a fixed
 * seed. Each must give a result that can be used, or a MinidumpError.
 */
import { MinidumpError, readMinidump } from '../../src/crashes/minidump.js';
import { contextRecord, DumpBuilder, numbers, sampleDump } from './dump-builder.js';

/** How the run went. `slowest` is in milliseconds. */
export interface FuzzResult {
  readonly read: number;
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
  const next = chance(seed);
  const seeds = seedDumps();
  const refused: Record<string, number> = {};
  const failures: string[] = [];
  let read = 0;
  let slowest = 0;
  for (let number = 0; number < count; number++) {
    // The largest seed is rarely taken: most of its bytes are memory, which no mutation can spoil.
    const original = seeds[next(20) === 0 ? 0 : 1 + next(seeds.length - 1)] ?? Buffer.alloc(0);
    const bytes = mutate(original, next);
    const started = performance.now();
    try {
      use(readMinidump(bytes));
      read++;
    } catch (error) {
      if (error instanceof MinidumpError && /^[A-Z].*\.$/s.test(error.message)) {
        refused[error.code] = (refused[error.code] ?? 0) + 1;
      } else {
        failures.push(`${number}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
    slowest = Math.max(slowest, performance.now() - started);
  }
  return { read, refused, slowest, failures };
}

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

/** A small generator of numbers below a bound (mulberry32). */
function chance(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
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

function seedDumps(): Buffer[] {
  const built = (processor: number, platform: number, context: Buffer) =>
    new DumpBuilder()
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
      .threads([{ id: 7, context, stack: { base: 0x8000n, bytes: Buffer.alloc(64, 1) } }, { id: 8 }])
      .memory([{ base: 0x5000n, bytes: Buffer.alloc(64, 2) }])
      .memory64([{ base: 0x9000n, bytes: Buffer.alloc(16) }])
      .stream(numbers.miscInfo, Buffer.alloc(24, 3))
      .stream(numbers.breakpadInfo, Buffer.alloc(12, 3))
      .build();
  return [
    sampleDump('win-av.dmp'),
    sampleDump('linux-null.dmp'),
    sampleDump('linux-div.dmp'),
    built(numbers.x64, numbers.windows, contextRecord(1232, [0x30, 0x10001f], 64, { 152: 0x8000 })),
    built(numbers.x86, numbers.windows, contextRecord(716, [0, 0x1001f], 32, { 196: 0x8000 })),
    built(numbers.arm64, numbers.linux, contextRecord(912, [0, 0x40001f], 64, { 256: 0x8000 })),
  ];
}
