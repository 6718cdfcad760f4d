/**
 * Finds callers where neither rules nor frame pointers lead on: the nearest word on the stack that looks like a
 * return address. What it finds may be left from calls that are over.
 */
import { type Callee, callerState, type Found, type Walk } from './frame-state.js';
import { isLikely } from './return-address.js';

/** Words that are looked at; the first frame may have lost most, so that more of its stack is. */
export const scannedWords = { first: 160, later: 40 } as const;

/** The caller by scanning; undefined if no word in reach looks like a return address. */
export function byScanning(callee: Callee, walk: Walk): Found {
  const { processor, memory } = walk;
  const width = BigInt(processor.width);
  const words = callee.first ? scannedWords.first : scannedWords.later;
  for (let index = 0, at = callee.stackPointer; index < words; index += 1, at += width) {
    const word = memory.pointer(at);
    if (word === undefined) return undefined;
    const address = processor.codeAddress(word);
    if (!isLikely(address, walk)) continue;
    return callerState(processor, address, at + width, framePointerAfter(callee, at, walk));
  }
  return undefined;
}

/** The frame pointer, if it belongs to the caller: saved just below the return address, or still above both. */
function framePointerAfter(
  { framePointer }: Callee,
  returnAt: bigint,
  { processor, memory }: Walk,
): readonly (readonly [string, bigint])[] {
  if (framePointer === undefined) return [];
  const width = BigInt(processor.width);
  let frame: bigint | undefined;
  if (framePointer === returnAt - width) frame = memory.pointer(framePointer);
  else if (framePointer > returnAt) frame = framePointer;
  if (frame === undefined || frame <= returnAt || memory.range(frame) !== memory.range(returnAt)) return [];
  return [[processor.framePointer, frame]];
}
