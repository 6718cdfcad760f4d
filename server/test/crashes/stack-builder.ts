/**
 * Crashes with stacks that are known: dumps of one thread with given registers, stack and modules, and programs whose
 * calls are played through so that the true frames are known whatever finds them later.
 */
import type { ContextArchitecture } from '../../src/crashes/contexts.js';
import { type Minidump, readMinidump } from '../../src/crashes/minidump.js';
import { SymbolIndex } from '../../src/crashes/symbol-index.js';
import { SymbolReader } from '../../src/crashes/symbols.js';
import { contextRecord, DumpBuilder, numbers } from './dump-builder.js';

/** Where the built stacks begin, and the first module. */
export const stackBase = 0x7ff0_0000n;
export const moduleBase = 0x40_0000n;
export const moduleSize = 0x10_0000;

const names64 = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip'.split(' ');
const names32 = ['edi', 'esi', 'ebx', 'edx', 'ecx', 'eax', 'ebp', 'eip'];

interface Layout {
  readonly processor: number;
  readonly size: number;
  readonly flags: readonly [number, number];
  readonly width: 4 | 8;
  readonly at: (register: string) => number;
}

/** Context records, written out here once more: the reader's table is what is tested. */
export const layouts: Readonly<Record<ContextArchitecture, Layout>> = {
  x64: {
    processor: numbers.x64,
    size: 1232,
    flags: [0x30, 0x10001f],
    width: 8,
    at: (register) => 120 + 8 * names64.indexOf(register),
  },
  x86: {
    processor: numbers.x86,
    size: 716,
    flags: [0, 0x1001f],
    width: 4,
    at: (register) => (register === 'esp' ? 196 : 156 + 4 * names32.indexOf(register)),
  },
  arm64: {
    processor: numbers.arm64,
    size: 912,
    flags: [0, 0x40001f],
    width: 8,
    at: (register) => (register === 'sp' ? 256 : register === 'pc' ? 264 : 8 + 8 * Number(register.slice(1))),
  },
};

/** Instruction, stack and frame pointer. */
export const pointers = {
  x64: ['rip', 'rsp', 'rbp'],
  x86: ['eip', 'esp', 'ebp'],
  arm64: ['pc', 'sp', 'x29'],
} as const;

/** A stack that is written by address. */
export class Stack {
  readonly bytes: Buffer;

  constructor(
    readonly width: 4 | 8,
    size = 16_384,
  ) {
    this.bytes = Buffer.alloc(size);
  }

  /** The address behind the last byte. */
  get top(): bigint {
    return stackBase + BigInt(this.bytes.length);
  }

  put(address: bigint, ...values: readonly bigint[]): this {
    let at = Number(address - stackBase);
    for (const value of values) {
      if (this.width === 8) this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
      else this.bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)), at);
      at += this.width;
    }
    return this;
  }
}

/** A crash to be built. */
export interface BuiltCrash {
  readonly architecture: ContextArchitecture;
  readonly registers: Readonly<Record<string, bigint>>;
  readonly stack: Stack;
  readonly windows?: boolean;
  readonly code?: number;
  /** The exception's address; for Windows the access too. */
  readonly accessed?: bigint;
  readonly memory?: readonly { base: bigint; bytes: Buffer }[];
  readonly modules?: readonly { base: bigint; size: number; path: string }[];
}

/** The bytes of a dump of a crash of thread 7; modules are `game` at `moduleBase` unless others are given. */
export function crashBytes(crash: BuiltCrash): Buffer {
  const { processor, size, flags, width, at } = layouts[crash.architecture];
  const offsets = Object.entries(crash.registers).map(([name, value]) => [at(name), value] as const);
  const context = contextRecord(size, flags, width === 8 ? 64 : 32, Object.fromEntries(offsets));
  const [pointer] = pointers[crash.architecture];
  const address = crash.windows ? (crash.registers[pointer] ?? 0n) : (crash.accessed ?? 0n);
  return new DumpBuilder()
    .system({
      processor,
      platform: crash.windows ? numbers.windows : numbers.linux,
      version: crash.windows ? [10, 0, 19045] : [6, 1, 0],
    })
    .exception({
      code: crash.code ?? (crash.windows ? 0xc0000005 : 11),
      flags: 1,
      address,
      parameters: crash.windows ? [0n, crash.accessed ?? 0n] : [],
      context,
    })
    .modules(crash.modules ?? [{ base: moduleBase, size: moduleSize, path: '/opt/game' }])
    .threads([{ id: 7, context, stack: { base: stackBase, bytes: crash.stack.bytes } }])
    .memory(crash.memory ?? [])
    .build();
}

export function crashDump(crash: BuiltCrash): Minidump {
  return readMinidump(crashBytes(crash));
}

/** An index over records behind a MODULE line. */
export function symbolsOf(...records: readonly string[]): SymbolIndex {
  const reader = new SymbolReader();
  reader.push(Buffer.from([`MODULE Linux x86_64 ${'0'.repeat(33)} game`, ...records].join('\n')));
  return new SymbolIndex(reader.end());
}

/** Numbers below a bound, the same for the same seed. */
export type Chance = (bound: number) => number;

interface Machine {
  readonly names: { ip: string; sp: string; fp: string; link: string | undefined };
  /** How symbol files spell registers. */
  readonly spelt: (register: string) => string;
  readonly kept: readonly string[];
}

const machines: Readonly<Record<ContextArchitecture, Machine>> = {
  x64: {
    names: { ip: 'rip', sp: 'rsp', fp: 'rbp', link: undefined },
    spelt: (register) => `$${register}`,
    kept: ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'],
  },
  x86: {
    names: { ip: 'eip', sp: 'esp', fp: 'ebp', link: undefined },
    spelt: (register) => `$${register}`,
    kept: ['ebx', 'ebp', 'esi', 'edi'],
  },
  arm64: {
    names: { ip: 'pc', sp: 'sp', fp: 'x29', link: 'x30' },
    spelt: (register) => register,
    kept: ['x19', 'x20', 'x21', 'x27', 'x28', 'x29'],
  },
};

/** A crash whose calls were played through. */
export interface PlayedCrash {
  readonly crash: BuiltCrash;
  readonly symbols: readonly string[];
  /** Addresses of the true frames, innermost first, and the number of each one's function. */
  readonly frames: readonly { readonly address: bigint; readonly name: string }[];
}

/**
 * Plays `depth` calls of functions that each have a prologue of their own: registers saved in any order, the frame
 * measured from the stack pointer or from a register that was set to it, room for locals. Functions clobber what they
 * saved. The last one is stopped anywhere in its prologue or behind it.
 */
export function playCalls(architecture: ContextArchitecture, depth: number, chance: Chance): PlayedCrash {
  const { names, spelt, kept } = machines[architecture];
  const { width } = layouts[architecture];
  const step = BigInt(width);
  const stack = new Stack(width, 16_384);
  const noise = () => BigInt(chance(0x7fffffff)) * 2n + 1n;
  for (let at = stackBase; at < stack.top; at += step) stack.put(at, noise());
  const registers = new Map<string, bigint>(kept.map((name) => [name, noise()]));
  let sp = stack.top - 256n;
  const symbols: string[] = [];
  const frames: { address: bigint; name: string }[] = [];
  let returnTo = 0n;
  for (let level = 0; level < depth; level += 1) {
    const offset = 0x1000 + level * 0x400;
    const name = `function${level}`;
    symbols.push(`FUNC ${offset.toString(16)} 400 0 ${name}`);
    // The call: the return address is pushed, or goes into the link register.
    if (names.link === undefined) {
      sp -= step;
      stack.put(sp, returnTo);
    } else registers.set(names.link, returnTo);
    let pushed = names.link === undefined ? width : 0;
    const rules: string[] = [];
    const ra = names.link === undefined ? `.cfa -${width} + ^` : names.link;
    let base = names.sp;
    symbols.push(`STACK CFI INIT ${offset.toString(16)} 400 .cfa: ${spelt(base)} ${pushed} + .ra: ${ra}`);
    const last = level === depth - 1;
    const stops = last ? chance(12) : 99;
    let at = offset;
    const saved: string[] = [];
    const advance = (...changes: string[]) => {
      at += 1 + chance(7);
      rules.push(`STACK CFI ${at.toString(16)} ${changes.join(' ')}`);
    };
    const cfa = () => (base === names.sp ? [`.cfa: ${spelt(names.sp)} ${pushed} +`] : []);
    const push = (register: string, spelling: string) => {
      sp -= step;
      pushed += width;
      stack.put(sp, registers.get(register) ?? 0n);
      advance(`${spelling}: .cfa -${pushed} + ^`, ...cfa());
    };
    const actions: (() => void)[] = [];
    if (names.link !== undefined && (!last || chance(2) === 0)) actions.push(() => push('x30', '.ra'));
    for (const register of kept) {
      if (chance(2) === 0) {
        actions.push(() => {
          push(register, spelt(register));
          saved.push(register);
        });
      }
    }
    for (let left = actions.length - 1; left > 0; left -= 1) {
      const other = chance(left + 1);
      [actions[left], actions[other]] = [actions[other] ?? (() => {}), actions[left] ?? (() => {})];
    }
    const measured = chance(3) === 0;
    actions.push(() => {
      const register = saved.at(-1);
      if (!measured || register === undefined) return;
      registers.set(register, sp);
      base = register;
      advance(`.cfa: ${spelt(register)} ${pushed} +`);
    });
    actions.push(() => {
      const room = chance(40) * width;
      sp -= BigInt(room);
      pushed += room;
      if (base === names.sp) advance(...cfa());
    });
    for (const [index, action] of actions.entries()) if (index < stops) action();
    for (const register of saved) if (register !== base) registers.set(register, noise());
    symbols.push(...rules);
    const address = moduleBase + BigInt(at + 1 + (last ? 0 : chance(0x300)));
    frames.unshift({ address, name });
    registers.set(names.ip, address);
    // arm64 may sign return addresses in the bits that addresses leave free.
    returnTo = names.link === undefined ? address : address | (BigInt(chance(0x10000)) << 48n);
  }
  registers.set(names.sp, sp);
  return {
    crash: { architecture, registers: Object.fromEntries(registers), stack, accessed: 16n },
    symbols,
    frames,
  };
}
