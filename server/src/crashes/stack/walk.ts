/**
 * Walks the stack of a crashed thread: the crash itself, then caller after caller, each by the best means there is:
 * call-frame rules of the module's symbols, frame pointers, scanning the stack. Pure; reads no file. A stack from
 * strangers is walked in bounded time: at most 128 frames, each higher on the stack than the one before.
 *
 * On x64 Windows frames can be told without guessing from unwind data alone, which dumps do not hold. Symbols made
 * from the image bring the same as STACK CFI; without them, frames above the crash are found by scanning.
 */
import { isSystemImage } from '../blamed-frame.js';
import type { Minidump } from '../minidump.js';
import type { Module } from '../minidump-modules.js';
import type { SymbolIndex } from '../symbol-index.js';
import { byCallFrames } from './call-frames.js';
import { byFrameOwner } from './frame-owner.js';
import { byEntry, byFramePointer } from './frame-pointers.js';
import { type Callee, type FrameState, type KnownPlace, stateOf, type Walk } from './frame-state.js';
import type { StackFrame, SymbolsOf, WalkStack } from './index.js';
import { processorOf } from './processors.js';
import { byScanning } from './scanning.js';
import { byWindowsFrames } from './windows-program.js';

/** Most frames of a walked stack. */
export const mostFrames = 128;

/** Most characters of call-frame rules that one walk reads; a real stack needs some ten thousand. */
const rulesBudget = 4_000_000;

/** Functions of the system in which threads begin: what lies above them on the stack are no callers. */
const firstFunctions = /^(?:_*clone3?|_*RtlUserThreadStart|_*thread_start)$/;

/** Walks the crashed thread of a dump. Never throws for what dump or symbols hold. */
export const walkStack: WalkStack = (dump, symbolsOf) => {
  const processor = processorOf(dump);
  const { context, crashSite } = dump;
  if (processor === undefined || context === undefined) return siteAlone(dump, symbolsOf);
  const symbolsOnce = once(symbolsOf);
  const walk: Walk = {
    processor,
    memory: dump.memory,
    placeOf: (instruction) => placeOf(instruction, dump, symbolsOnce),
    budget: { characters: rulesBudget },
  };
  const registers = new Map(Object.entries(context.registers));
  // Where the exception says better than the registers where it happened, it wins.
  registers.set(processor.instructionPointer, crashSite?.address ?? context.instructionPointer);
  const start = stateOf(registers, processor);
  if (start === undefined) return siteAlone(dump, symbolsOf);
  const frames: StackFrame[] = [];
  let callee = calleeOf(start, walk, true, 0);
  frames.push(frameOf(callee, 'context'));
  while (frames.length < mostFrames) {
    const caller = callerOf(callee, walk, isAstray(callee, dump));
    if (caller === undefined) break;
    callee = calleeOf(caller.state, walk, false, parametersOf(callee, walk));
    frames.push(frameOf(callee, caller.found));
  }
  // Frames outside all modules are kept for what they lead to; at the end they led nowhere.
  while (frames.length > 1 && frames.at(-1)?.module === undefined) frames.pop();
  return frames;
};

/** Asks for the symbols of each module once: a walk asks often, and reading them may take long. */
function once(symbolsOf: SymbolsOf): SymbolsOf {
  const known = new Map<Module, SymbolIndex | undefined>();
  return (module) => {
    if (!known.has(module)) known.set(module, symbolsOf(module));
    return known.get(module);
  };
}

/** The crash alone, for dumps without registers that can be read. */
function siteAlone({ crashSite, ...dump }: Minidump, symbolsOf: SymbolsOf): readonly StackFrame[] {
  if (crashSite === undefined) return [];
  const place = placeOf(crashSite.address, dump, symbolsOf);
  return [frameAt(crashSite.address, place, 'context', 0)];
}

function placeOf(
  address: bigint,
  { moduleAt }: Pick<Minidump, 'moduleAt'>,
  symbolsOf: SymbolsOf,
): KnownPlace | undefined {
  const module = moduleAt(address);
  return module && { module, symbols: symbolsOf(module), offset: Number(address - module.base) };
}

function calleeOf(state: FrameState, { placeOf }: Walk, first: boolean, calleeParameters: number): Callee {
  const place = placeOf(first ? state.instructionPointer : state.instructionPointer - 1n);
  return { ...state, first, place, calleeParameters };
}

/** Bytes that a frame's function has as parameters on the stack; of interest on x86 alone. */
function parametersOf({ place }: Callee, { processor }: Walk): number {
  if (place?.symbols === undefined || processor.architecture !== 'x86') return 0;
  const { symbols, offset } = place;
  return symbols.windowsFrame(offset)?.parameterSize ?? symbols.functionAt(offset)?.parameterSize ?? 0;
}

/** Whether the crash is a jump to where no code is: to a null pointer, or to the address that could not be read. */
function isAstray({ first, place, instructionPointer }: Callee, { exception, system }: Minidump): boolean {
  if (!first || place !== undefined) return false;
  if (instructionPointer < 0x1_0000n) return true;
  const accessed = system.kind === 'windows' ? exception?.parameters[1] : exception?.address;
  return accessed === instructionPointer;
}

/** The caller by the first means that gives one that gets on; undefined at the end of the stack. */
function callerOf(
  callee: Callee,
  walk: Walk,
  astray: boolean,
): { state: FrameState; found: StackFrame['found'] } | undefined {
  if (isFirstFunction(callee)) return undefined;
  const means = [
    { found: 'cfi', find: byCallFrames },
    { found: 'cfi', find: byWindowsFrames },
    { found: 'frame-pointer', find: (from: Callee, through: Walk) => byEntry(from, through, astray) },
    { found: 'frame-pointer', find: byFrameOwner },
    { found: 'frame-pointer', find: byFramePointer },
    { found: 'scan', find: byScanning },
  ] as const;
  for (const { found, find } of means) {
    const state = find(callee, walk);
    if (state === 'root') return undefined;
    if (state !== undefined && getsOn(callee, state, walk)) return { state, found };
  }
  return undefined;
}

function isFirstFunction({ place }: Callee): boolean {
  const name = place?.symbols?.functionAt(place.offset)?.function;
  if (place === undefined || name === undefined) return false;
  return name === '_start' || (firstFunctions.test(name) && isSystemImage(place.module.name));
}

/** Callers lie above on the stack. Only a function that was entered by a link register may not have used it yet. */
function getsOn(callee: Callee, caller: FrameState, { processor, memory }: Walk): boolean {
  if (caller.stackPointer === callee.stackPointer) {
    return callee.first && processor.linkRegister !== undefined;
  }
  return (
    caller.stackPointer > callee.stackPointer &&
    caller.stackPointer >> BigInt(processor.width * 8) === 0n &&
    memory.range(caller.stackPointer - 1n) !== undefined
  );
}

function frameOf({ instructionPointer, place, first }: Callee, found: StackFrame['found']): StackFrame {
  return frameAt(instructionPointer, place, found, first ? 0 : 1);
}

/** A frame; `back` is how far its instruction lies before its address. */
function frameAt(
  address: bigint,
  place: KnownPlace | undefined,
  found: StackFrame['found'],
  back: 0 | 1,
): StackFrame {
  const symbol = place?.symbols?.lookup(place.offset);
  return {
    found,
    address,
    module: place?.module,
    image: place?.module.name,
    offset: place && address - place.module.base,
    function: symbol?.function,
    functionOffset:
      place === undefined || symbol === undefined
        ? undefined
        : BigInt(place.offset + back - symbol.functionAddress),
    file: symbol?.file,
    line: symbol?.line,
  };
}
