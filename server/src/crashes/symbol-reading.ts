/**
 * Stored symbols as a worker thread reads them: the facts of a file that was just received, and the indexes of files
 * that stacks are walked with, kept as long as there is room. Synchronous, as the walker asks in the middle of a walk.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { SymbolsAt } from './reading.js';
import { SymbolIndex } from './symbol-index.js';
import {
  defaultSymbolLimits,
  SymbolError,
  type SymbolErrorCode,
  type SymbolFile,
  SymbolReader,
} from './symbols.js';

/** What is noted of a symbol file. */
export interface SymbolFacts {
  readonly os: string;
  readonly architecture: string;
  /** Upper-case hex, build and age. */
  readonly debugId: string;
  /** Upper-case hex; null if the file has none. */
  readonly codeId: string | null;
  readonly module: string;
  readonly functions: number;
}

/** The facts of a symbol file, or why it is refused: a sentence that names the line. Plain data for messages. */
export type SymbolCheck =
  | { readonly facts: SymbolFacts }
  | { readonly refused: { readonly code: SymbolErrorCode; readonly message: string } };

/** Text is pushed in pieces, so that no line is decoded from the middle of a huge array. */
const pieceBytes = 1024 * 1024;

/** An index takes less than four times the room of its text: 2.6 times where there are lines and call frames. */
const indexFactor = 4;

function parse(packed: Buffer): SymbolFile {
  // The unpacked size was counted when the file came in; the bound only holds against files that changed since.
  const text = gunzipSync(packed, { maxOutputLength: defaultSymbolLimits.bytes });
  const reader = new SymbolReader();
  for (let at = 0; at < text.length; at += pieceBytes) reader.push(text.subarray(at, at + pieceBytes));
  return reader.end();
}

/** Reads a received file (gzipped) to its end. Throws what the file system or zlib throws. */
export function checkSymbols(path: string): SymbolCheck {
  try {
    const { os, architecture, debugId, codeId = null, module, functions } = parse(readFileSync(path));
    if (/^0+$/.test(debugId.slice(0, 32))) {
      throw new SymbolError('malformed', 1, 'the debug id is zero: no module of a dump can be told by it.');
    }
    return { facts: { os, architecture, debugId, codeId, module, functions: functions.length } };
  } catch (error) {
    if (!(error instanceof SymbolError)) throw error;
    return { refused: { code: error.code, message: error.message } };
  }
}

/** Indexes of symbol files, the longest unused ones dropped when they take too much room. One for each worker. */
export class SymbolCache {
  private readonly kept = new Map<string, { readonly index: SymbolIndex; readonly cost: number }>();
  private cost = 0;

  /** `budget`: bytes that all indexes together may take, as estimated; a single larger one is used but not kept. */
  constructor(private readonly budget: number) {}

  /** The index of a file; undefined if it has gone or cannot be read any more. */
  index({ path, version }: Pick<SymbolsAt, 'path' | 'version'>): SymbolIndex | undefined {
    const found = this.kept.get(version);
    if (found !== undefined) {
      this.kept.delete(version);
      this.kept.set(version, found);
      return found.index;
    }
    try {
      const packed = readFileSync(path);
      // What gzip notes at its end; the file was packed here.
      const cost = packed.readUInt32LE(packed.length - 4) * indexFactor;
      this.makeRoom(cost);
      const index = new SymbolIndex(parse(packed));
      if (cost <= this.budget) {
        this.kept.set(version, { index, cost });
        this.cost += cost;
      }
      return index;
    } catch (error) {
      // Removed or replaced since it was looked up: the stack is walked without it, as before it came.
      if (error instanceof SymbolError || (error instanceof Error && 'code' in error)) return undefined;
      throw error;
    }
  }

  /** Before the new one is read: both together might be too much. */
  private makeRoom(cost: number): void {
    for (const [version, oldest] of this.kept) {
      if (this.cost + cost <= this.budget) return;
      this.kept.delete(version);
      this.cost -= oldest.cost;
    }
  }
}
