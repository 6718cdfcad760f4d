/**
 * Registers of a stopped thread, for x64, x86 and arm64, from the context records of a minidump. Floating point and
 * vector registers are left alone: walking a stack does not need them.
 */
import { type DumpBytes, MinidumpError } from './dump-bytes.js';

/** Processors whose contexts are read, spelt as reports print them. */
export type ContextArchitecture = 'x64' | 'x86' | 'arm64';

/** Where a thread stood. Addresses of x86 have 32 bits. */
export interface CpuContext {
  readonly architecture: ContextArchitecture;
  readonly instructionPointer: bigint;
  readonly stackPointer: bigint;
  /** rbp, ebp or x29. */
  readonly framePointer: bigint;
  /** General registers by their usual names in lower case: rax ... r15, rip; eax ... eip; x0 ... x30, sp, pc. */
  readonly registers: Readonly<Record<string, bigint>>;
}

interface Layout {
  /** Offset of the flags that say which processor the record is of, and the bits of which it has one at least. */
  readonly flagsAt: number;
  readonly flags: number;
  /** Bytes of a register, and the offset of each. */
  readonly width: 4 | 8;
  readonly offsets: Readonly<Record<string, number>>;
  readonly instructionPointer: string;
  readonly stackPointer: string;
  readonly framePointer: string;
}

/** Names in the order of the record, the first at `from`. */
function consecutive(from: number, width: number, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, from + index * width]));
}

const x64Names = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip'.split(' ');
const arm64Names = [...Array.from({ length: 31 }, (_, index) => `x${index}`), 'sp', 'pc'];

const layouts: Readonly<Record<ContextArchitecture, Layout>> = {
  x64: {
    flagsAt: 0x30,
    flags: 0x10_0000,
    width: 8,
    offsets: consecutive(0x78, 8, x64Names),
    instructionPointer: 'rip',
    stackPointer: 'rsp',
    framePointer: 'rbp',
  },
  x86: {
    flagsAt: 0,
    flags: 0x1_0000,
    width: 4,
    offsets: {
      ...consecutive(0x9c, 4, ['edi', 'esi', 'ebx', 'edx', 'ecx', 'eax', 'ebp', 'eip']),
      esp: 0xc4,
    },
    instructionPointer: 'eip',
    stackPointer: 'esp',
    framePointer: 'ebp',
  },
  // Older Breakpad has 64 bits of flags with the topmost of the lower half set; the registers are at the same place.
  arm64: {
    flagsAt: 0,
    flags: 0x8040_0000,
    width: 8,
    offsets: consecutive(8, 8, arm64Names),
    instructionPointer: 'pc',
    stackPointer: 'sp',
    framePointer: 'x29',
  },
};

/** Reads a context record. Throws MinidumpError if it is too short or of another processor. */
export function readContext(record: DumpBytes, architecture: ContextArchitecture): CpuContext {
  const layout = layouts[architecture];
  if ((record.u32(layout.flagsAt) & layout.flags) === 0) {
    throw new MinidumpError(
      'malformed',
      `By its flags ${record.what} is not of the processor ${architecture}.`,
    );
  }
  const registers: Record<string, bigint> = {};
  for (const [name, offset] of Object.entries(layout.offsets)) {
    registers[name] = layout.width === 8 ? record.u64(offset) : BigInt(record.u32(offset));
  }
  return {
    architecture,
    instructionPointer: registers[layout.instructionPointer] ?? 0n,
    stackPointer: registers[layout.stackPointer] ?? 0n,
    framePointer: registers[layout.framePointer] ?? 0n,
    registers,
  };
}
