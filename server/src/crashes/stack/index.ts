/** What a walked stack is. The walker takes a dump and the symbols of its modules and knows neither files nor accounts. */
import type { NamedFrame } from '../blamed-frame.js';
import type { Minidump } from '../minidump.js';
import type { Module } from '../minidump-modules.js';
import type { SymbolIndex } from '../symbol-index.js';

/** One frame of a walked stack, innermost first. */
export interface StackFrame extends NamedFrame {
  /** How it was found; never `given`. `cfi` stands for all rules from symbols, STACK WIN records too. */
  readonly found: 'context' | 'cfi' | 'frame-pointer' | 'scan';
  /** Address of the instruction (of a caller: the one it returns to). */
  readonly address: bigint;
  readonly module: Module | undefined;
  /** Bytes from the start of the function; undefined without a function. */
  readonly functionOffset: bigint | undefined;
  /** Source file and line, if the symbols have them. */
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** Symbols of a module, if there are any. A walk asks once for a module, and only if it comes to it. */
export type SymbolsOf = (module: Module) => SymbolIndex | undefined;

/** Walks the crashed thread of a dump; at most 128 frames. Never throws for what a dump may hold. */
export type WalkStack = (dump: Minidump, symbolsOf: SymbolsOf) => readonly StackFrame[];
