/**
 * Finds callers without symbols: by the chain of frame pointers, and by the calling convention where a function has
 * just been entered.
 */
import { type Callee, callerState, type Found, keptRegisters, type Walk } from './frame-state.js';
import { isLikely, isPossible } from './return-address.js';

/**
 * The caller of a function that has not built its frame: nothing runs there (a call through a null pointer or astray,
 * `astray`), it is at its first instruction, or, with a link register, it builds none. Only for the crash itself;
 * undefined where none of that is known to be so.
 */
export function byEntry(callee: Callee, walk: Walk, astray: boolean): Found {
  const { processor, memory } = walk;
  if (!callee.first) return undefined;
  if (!astray && !hasNoFrame(callee, walk)) return undefined;
  const { linkRegister, width } = processor;
  const linked = linkRegister === undefined ? undefined : callee.registers.get(linkRegister);
  const word = linkRegister === undefined ? memory.pointer(callee.stackPointer) : linked;
  if (word === undefined) return undefined;
  const address = processor.codeAddress(word);
  if (!isLikely(address, walk)) return undefined;
  const stack = linkRegister === undefined ? callee.stackPointer + BigInt(width) : callee.stackPointer;
  return callerState(processor, address, stack, keptRegisters(callee, processor));
}

/** Whether symbols show that a function has no frame yet, or never has one. */
function hasNoFrame(callee: Callee, walk: Walk): boolean {
  const { place, registers, framePointer } = callee;
  const here = place?.symbols?.functionAt(place.offset);
  if (place === undefined || here === undefined) return false;
  if (here.functionAddress === place.offset) return true;
  const { linkRegister, codeAddress, width } = walk.processor;
  const linked = linkRegister === undefined ? undefined : registers.get(linkRegister);
  if (linked === undefined || here.record !== 'FUNC') return false;
  // After a call of its own, the link register points back into the function; with a frame, its record has the same.
  const address = codeAddress(linked);
  const there = walk.placeOf(address - 1n);
  if (there === undefined) return false;
  if (there.module === place.module) {
    const back = there.symbols?.functionAt(there.offset);
    if (back === undefined || back.functionAddress === here.functionAddress) return false;
  }
  const saved = framePointer === undefined ? undefined : walk.memory.pointer(framePointer + BigInt(width));
  return saved === undefined || codeAddress(saved) !== address;
}

/**
 * The caller by the frame pointer, which points at the caller's one with the return address above. `root` at the end
 * of the chain.
 */
export function byFramePointer(callee: Callee, walk: Walk): Found {
  const { processor, memory } = walk;
  const { framePointer: frame, stackPointer: stack } = callee;
  if (!processor.chained || frame === undefined) return undefined;
  // Where frame pointers are the rule, the function in which a thread begins has none to save.
  if (frame === 0n) return processor.linkRegister === undefined || callee.first ? undefined : 'root';
  const width = BigInt(processor.width);
  if (frame < stack || frame % width !== 0n) return undefined;
  const savedFrame = memory.pointer(frame);
  const savedReturn = memory.pointer(frame + width);
  if (savedFrame === undefined || savedReturn === undefined) return undefined;
  const next = processor.codeAddress(savedFrame);
  const address = processor.codeAddress(savedReturn);
  if (next === 0n && address === 0n) return 'root';
  if (!isPossible(address, stack, walk)) return undefined;
  const goesOn = next === 0n || (next > frame + width && memory.range(next) === memory.range(frame));
  // A register that serves another purpose may point into the stack too: then only a return address in a module counts.
  if (!goesOn && !isLikely(address, walk)) return undefined;
  const kept: (readonly [string, bigint])[] = goesOn ? [[processor.framePointer, next]] : [];
  return callerState(processor, address, frame + 2n * width, kept);
}
