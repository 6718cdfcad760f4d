/**
 * Finds the function that a frame pointer belongs to. Libraries without symbols often keep no frame pointer of their
 * own: the register is still that of the function that called them, and following it would leave that one out.
 */
import { applyRules, rulesAt } from './call-frames.js';
import { type Callee, callerState, type Found, type Walk } from './frame-state.js';
import { isLikely } from './return-address.js';

/** Words that are looked at from the stack pointer on: frames of libraries are small. */
const searchedWords = 512;

/**
 * The caller whose frame the frame pointer points into: its return address lies below, and by its rules its frame
 * ends where the frame pointer says. Undefined if none fits so, on processors with a link register, or without rules.
 */
export function byFrameOwner(callee: Callee, walk: Walk): Found {
  const { processor, memory } = walk;
  const { framePointer: frame, stackPointer: stack } = callee;
  if (!processor.chained || processor.linkRegister !== undefined || frame === undefined) return undefined;
  const width = BigInt(processor.width);
  const end = stack + BigInt(searchedWords) * width;
  for (let at = stack; at < frame && at < end; at += width) {
    const address = memory.pointer(at);
    if (address === undefined) return undefined;
    const place = walk.placeOf(address - 1n);
    const rules = place?.symbols?.hasRules(place.offset) ? rulesAt(place, walk) : undefined;
    if (rules === undefined || !isLikely(address, walk)) continue;
    const caller = callerState(processor, address, at + width, [[processor.framePointer, frame]]);
    const applied = applyRules(rules, caller.registers, walk);
    if (applied !== undefined && applied !== 'root' && applied.cfa === frame + 2n * width) return caller;
  }
  return undefined;
}
