/**
 * What scanners of all formats have in common. A scanner sees the decoded body chunk by chunk, counts its rows and
 * finds the first place where the body is not what its format and dataset ask for. It keeps no rows.
 */

/** What a scanner found at the end of a body. */
export interface Scan {
  /** Complete rows before the end or the first problem. */
  readonly rows: number;
  /** The first problem: its row, counted from 1, and what is wrong there. */
  readonly problem?: { readonly row: number; readonly text: string };
  /**
   * For each start of a row and each quote at the end of a key 256 times its offset in the body, for a key with the place
   * of its column added, counted from 1. Only of good bodies and if it was asked for.
   */
  readonly notes?: Int32Array;
}

/** Reads a body once, in order. */
export interface Scanner {
  push(chunk: Uint8Array): void;
  end(): Scan;
}

/** Most bytes of one row; longer ones are refused. */
export const maxRowBytes = 1024 * 1024;

/** The byte at which a row became unreadable, in words. */
export function unreadable(format: string, offset: number): string {
  return `not ${format}: unexpected character at byte ${offset} of the row`;
}
