/**
 * What walking needs to know of a processor: its special registers, those that a function hands back as it found
 * them, and what a return address looks like. Knows nothing of stacks.
 */
import type { ContextArchitecture } from '../contexts.js';
import type { Minidump } from '../minidump.js';

/** A processor under an operating system's calling convention. Registers have the names of `CpuContext`. */
export interface Processor {
  readonly architecture: ContextArchitecture;
  /** Bytes of a pointer. */
  readonly width: 4 | 8;
  readonly instructionPointer: string;
  readonly stackPointer: string;
  readonly framePointer: string;
  /** Holds the return address of the last call; undefined where calls push it. */
  readonly linkRegister: string | undefined;
  /** Registers that a called function leaves as they were, the frame pointer among them, the stack pointer not. */
  readonly kept: readonly string[];
  /**
   * Whether the frame pointer, where it is used, points at the caller's one below the return address. On x64 Windows
   * it may point anywhere into a frame; only unwind data says where, and dumps do not hold it.
   */
  readonly chained: boolean;
  /** A return address as the processor jumps to it, without what it signed into the upper bits. */
  readonly codeAddress: (value: bigint) => bigint;
}

const asIs = (value: bigint): bigint => value;

/** 47 bits of address; signatures (pointer authentication) lie above, wherever user space has at most that many. */
const signed = (value: bigint): bigint => value & 0x7fff_ffff_ffffn;

const arm64Kept = Array.from({ length: 11 }, (_, index) => `x${19 + index}`);

/** The processor of a dump; undefined if its registers are not read. */
export function processorOf({ system }: Minidump): Processor | undefined {
  const windows = system.kind === 'windows';
  switch (system.architecture) {
    case 'x64':
      return {
        architecture: 'x64',
        width: 8,
        instructionPointer: 'rip',
        stackPointer: 'rsp',
        framePointer: 'rbp',
        linkRegister: undefined,
        kept: ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', ...(windows ? ['rsi', 'rdi'] : [])],
        chained: !windows,
        codeAddress: asIs,
      };
    case 'x86':
      return {
        architecture: 'x86',
        width: 4,
        instructionPointer: 'eip',
        stackPointer: 'esp',
        framePointer: 'ebp',
        linkRegister: undefined,
        kept: ['ebx', 'ebp', 'esi', 'edi'],
        chained: true,
        codeAddress: asIs,
      };
    case 'arm64':
      return {
        architecture: 'arm64',
        width: 8,
        instructionPointer: 'pc',
        stackPointer: 'sp',
        framePointer: 'x29',
        linkRegister: 'x30',
        kept: arm64Kept,
        chained: true,
        codeAddress: signed,
      };
    default:
      return undefined;
  }
}

/** A register's name as `CpuContext` has it, from the spelling of symbol files: `$rsp`, `fp`, `LR`. */
export function registerName(spelt: string, { architecture }: Processor): string {
  const name = (spelt.startsWith('$') ? spelt.slice(1) : spelt).toLowerCase();
  if (architecture !== 'arm64') return name;
  return name === 'fp' ? 'x29' : name === 'lr' ? 'x30' : name;
}
