/**
 * Finds callers of x86 Windows code by the frame layouts that symbol files keep as STACK WIN records.
 */
import type { WindowsFrame } from '../windows-frames.js';
import { type Callee, callerState, type Found, type Walk } from './frame-state.js';
import { runPostfix } from './postfix.js';
import { isLikely, isPossible } from './return-address.js';

/** Words above the computed place of the return address that are tried: the stack may have been aligned. */
const alignmentWords = 3n;

/** The caller by the layout of the frame; undefined on other processors, without a layout or if it leads nowhere. */
export function byWindowsFrames(callee: Callee, walk: Walk): Found {
  if (walk.processor.architecture !== 'x86') return undefined;
  const frame = callee.place?.symbols?.windowsFrame(callee.place.offset);
  if (frame === undefined) return undefined;
  const returnAt = placeOfReturn(callee, frame, walk);
  const values =
    frame.kind === 'program' ? run(frame, callee, returnAt, walk) : computed(frame, callee, returnAt, walk);
  const instruction = values?.get('$eip');
  const stack = values?.get('$esp');
  if (values === undefined || instruction === undefined || stack === undefined) return undefined;
  if (!isPossible(instruction, stack, walk)) return undefined;
  const kept: (readonly [string, bigint])[] = [];
  for (const name of walk.processor.kept) {
    // Layouts tell where ebp is, and of the others at most where; those left out may have been changed.
    const value = values.get(`$${name}`) ?? (name === 'ebp' ? callee.framePointer : undefined);
    if (value !== undefined) kept.push([name, value]);
  }
  return callerState(walk.processor, instruction, stack, kept);
}

/** Where the return address should lie: above what was pushed for the last call, the locals and saved registers. */
function placeOfReturn(callee: Callee, frame: WindowsFrame, walk: Walk): bigint {
  const skipped = callee.calleeParameters + frame.localSize + frame.savedRegisterSize;
  const start = callee.stackPointer + BigInt(skipped);
  for (let at = start; at < start + 4n * alignmentWords; at += 4n) {
    const word = walk.memory.pointer(at);
    if (word !== undefined && isLikely(word, walk)) return at;
  }
  return start;
}

/** What a program gives its names. */
function run(
  frame: WindowsFrame,
  callee: Callee,
  returnAt: bigint,
  { memory, budget }: Walk,
): ReadonlyMap<string, bigint> | undefined {
  budget.characters -= frame.program.length;
  if (budget.characters < 0) return undefined;
  const given = new Map<string, bigint>([
    ['.raSearch', returnAt],
    ['.raSearchStart', returnAt],
    ['.cbCalleeParams', BigInt(callee.calleeParameters)],
    ['.cbParams', BigInt(frame.parameterSize)],
    ['.cbSavedRegs', BigInt(frame.savedRegisterSize)],
    ['.cbLocals', BigInt(frame.localSize)],
  ]);
  for (const [name, value] of callee.registers) given.set(`$${name}`, value);
  const assigned = new Map<string, bigint>();
  const left = runPostfix(
    frame.program.split(/\s+/).filter((word) => word !== ''),
    { width: 4, memory: memory.pointer, variable: (name) => assigned.get(name) ?? given.get(name) },
    (name, value) => assigned.set(name, value),
  );
  return left?.length === 0 ? assigned : undefined;
}

/** What sizes alone give: return address, stack, and ebp if the function saved it. */
function computed(
  frame: WindowsFrame,
  callee: Callee,
  returnAt: bigint,
  { memory }: Walk,
): ReadonlyMap<string, bigint> | undefined {
  const instruction = memory.pointer(returnAt);
  if (instruction === undefined) return undefined;
  const values = new Map([
    ['$eip', instruction],
    ['$esp', returnAt + 4n],
  ]);
  if (frame.usesFramePointer) {
    const savedAt = callee.stackPointer + BigInt(callee.calleeParameters + frame.savedRegisterSize) - 8n;
    const saved = memory.pointer(savedAt);
    if (saved !== undefined) values.set('$ebp', saved);
  }
  return values;
}
