/**
 * Brings a walked stack into the form in which it leaves the thread that read it. How rows hold frames is the
 * business of `failure-row.ts`.
 */
import type { FoundFrame } from './reading.js';
import type { StackFrame } from './stack/index.js';

/** Longest text of a frame that is kept, in characters; names made from templates can be far longer. */
export const longestFrameText = 4096;

/** A text that fits, without half a surrogate pair at its end. */
function cut(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= longestFrameText) return text;
  return text.slice(0, longestFrameText).replace(/[\ud800-\udbff]$/, '');
}

/** Walked frames as plain data without modules: they can be copied between threads, named after and stored. */
export function foundFrames(frames: readonly StackFrame[]): readonly FoundFrame[] {
  return frames.map((frame) => ({
    image: cut(frame.image),
    function: cut(frame.function),
    offset: frame.offset === undefined ? undefined : BigInt(frame.offset),
    functionOffset: frame.functionOffset,
    found: frame.found,
    file: cut(frame.file),
    line: frame.line,
  }));
}
