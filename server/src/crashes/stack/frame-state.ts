/**
 * Where a walk stands: the registers of a frame as far as they are known, and the surroundings in which its caller
 * is looked for.
 */
import type { Memory } from '../minidump-memory.js';
import type { Module } from '../minidump-modules.js';
import type { SymbolIndex } from '../symbol-index.js';
import type { Processor } from './processors.js';

/** Registers of a frame. */
export interface FrameState {
  readonly instructionPointer: bigint;
  readonly stackPointer: bigint;
  /** Undefined once it is lost. */
  readonly framePointer: bigint | undefined;
  /** All known registers, the three above included, by the names of `CpuContext`. */
  readonly registers: ReadonlyMap<string, bigint>;
}

/** A module's symbols and an address in it. */
export interface KnownPlace {
  readonly module: Module;
  readonly symbols: SymbolIndex | undefined;
  /** Bytes from the start of the module. */
  readonly offset: number;
}

/** What the search for a caller may ask. */
export interface Walk {
  readonly processor: Processor;
  readonly memory: Memory;
  /** What lies at the address of an instruction; undefined if no module holds it. */
  readonly placeOf: (instruction: bigint) => KnownPlace | undefined;
  /** Characters of rules that may still be read: hostile symbols must not cost more than a walk is worth. */
  readonly budget: { characters: number };
}

/** A frame whose caller is looked for. */
export interface Callee extends FrameState {
  /** The crash itself; other frames are callers, whose instruction is the one before the return address. */
  readonly first: boolean;
  /** Where its instruction lies; undefined if in no module. */
  readonly place: KnownPlace | undefined;
  /** Bytes of parameters that were pushed for the function this frame called; 0 if unknown. */
  readonly calleeParameters: number;
}

/** The caller, or that there is none because the stack ends here, or nothing because it cannot be told. */
export type Found = FrameState | 'root' | undefined;

/** A state from its registers, which must have instruction and stack pointer. */
export function stateOf(
  registers: ReadonlyMap<string, bigint>,
  { instructionPointer, stackPointer, framePointer }: Processor,
): FrameState | undefined {
  const instruction = registers.get(instructionPointer);
  const stack = registers.get(stackPointer);
  if (instruction === undefined || stack === undefined) return undefined;
  return {
    instructionPointer: instruction,
    stackPointer: stack,
    framePointer: registers.get(framePointer),
    registers,
  };
}

/** The caller's state: where it goes on, its stack, and the registers that are known to be the caller's own. */
export function callerState(
  processor: Processor,
  instruction: bigint,
  stack: bigint,
  kept: Iterable<readonly [string, bigint]>,
): FrameState {
  const registers = new Map(kept);
  registers.set(processor.instructionPointer, instruction);
  registers.set(processor.stackPointer, stack);
  return {
    instructionPointer: instruction,
    stackPointer: stack,
    framePointer: registers.get(processor.framePointer),
    registers,
  };
}

/** The registers that a function leaves to its caller as they are, as far as they are known. */
export function* keptRegisters(
  { registers }: FrameState,
  { kept }: Processor,
): Generator<readonly [string, bigint]> {
  for (const name of kept) {
    const value = registers.get(name);
    if (value !== undefined) yield [name, value];
  }
}
