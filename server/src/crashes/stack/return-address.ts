/**
 * Tells return addresses from other numbers on a stack. It says what is possible; whether a number was pushed by the
 * call that matters, it cannot know.
 */
import type { Memory } from '../minidump-memory.js';
import type { SymbolIndex } from '../symbol-index.js';
import type { Walk } from './frame-state.js';

/** Below it no system maps code. */
const lowestCode = 0x1_0000n;

/**
 * Whether an address may be one that a function returns to: in a module, or, since code is also made at run time, at
 * any address of user code away from the stack at `stack`.
 */
export function isPossible(address: bigint, stack: bigint, walk: Walk): boolean {
  if (walk.placeOf(address - 1n) !== undefined) return true;
  if (address < lowestCode) return false;
  if (walk.processor.width === 8 && address >> 47n !== 0n) return false;
  const range = walk.memory.range(address);
  return range === undefined || range !== walk.memory.range(stack);
}

/** Images begin with headers, which no one calls. */
const headers = 0x1000;

/**
 * Whether a number found by searching is taken for a return address: it lies in a module, in a known function if the
 * module has symbols, and behind a call if the dump holds the code there. Where neither says anything, addresses at
 * which functions and data begin (multiples of 16, except on arm64) are left out: on a stack, few of these are return
 * addresses.
 */
export function isLikely(address: bigint, { memory, placeOf, processor }: Walk): boolean {
  const place = placeOf(address - 1n);
  if (place === undefined || place.offset < headers) return false;
  const arm64 = processor.architecture === 'arm64';
  if (arm64 && address % 4n !== 0n) return false;
  const call = arm64 ? arm64Call(address, memory) : intelCall(address, memory);
  if (call !== undefined) return call;
  return place.symbols === undefined ? arm64 || address % 16n !== 0n : isInside(place.offset, place.symbols);
}

/** Whether symbols have a function around an address and the one behind it; one that begins there was not returned to. */
function isInside(offset: number, symbols: SymbolIndex): boolean {
  const place = symbols.functionAt(offset);
  if (place === undefined || symbols.functionAt(offset + 1)?.functionAddress === offset + 1) return false;
  // An exported name reaches as far as the next one, over data too; rules hold for code alone.
  return place.record === 'FUNC' || !symbols.hasCallFrames || symbols.hasRules(offset);
}

/** Whether a call ends at an address: `call rel32`, or `call` through a register or memory. */
function intelCall(address: bigint, memory: Memory): boolean | undefined {
  const bytes = memory.bytes(address - 7n, 7);
  if (bytes === undefined) return undefined;
  if (bytes[2] === 0xe8) return true;
  for (let at = 0; at <= 5; at += 1) {
    // FF with 2 in the middle of the next byte; how long its address is, that byte says too.
    if (bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0x38) === 0x10) return true;
  }
  return false;
}

/** Whether the instruction before an address is `bl`, `blr` or one of its signed forms. */
function arm64Call(address: bigint, memory: Memory): boolean | undefined {
  const word = memory.bytes(address - 4n, 4)?.readUInt32LE();
  if (word === undefined) return undefined;
  const register = (word & 0xfefff800) >>> 0;
  return word >>> 26 === 0b100101 || register === 0xd63f0000 || register === 0xd63f0800;
}
