/**
 * Splits a JSON body into its rows. One row is held at a time; a body that is no JSON is split as well as it can be,
 * for the explanations.
 */
import { type FoundRow, parseRow } from './json-row.js';
import type { Framing } from './json-scanner.js';
import { maxRowBytes } from './scanner.js';

/** A row's text, or what makes it unreadable. `lost` ends the search: no later row can be told. */
export type RowPiece = { readonly text: string } | { readonly problem: string; readonly lost?: true };

const tooLong: RowPiece = { problem: `longer than ${maxRowBytes} bytes` };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function pieceOf(bytes: Buffer): RowPiece {
  if (bytes.length > maxRowBytes) return tooLong;
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { problem: 'not UTF-8' };
  }
}

/** Pieces of a body that end with a given byte outside of `keep`; a piece never grows beyond the row limit. */
async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer) => {
    size += part.length;
    if (size <= maxRowBytes + 1024) parts.push(part);
  };
  const cut = (): Buffer => {
    const line = size > maxRowBytes + 1024 ? Buffer.alloc(maxRowBytes + 1) : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of body) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, to));
      from = to + 1;
      yield cut();
    }
    add(chunk.subarray(from));
  }
  yield cut();
}

/** Whether only a little white space is there. */
function isBlank(bytes: Buffer): boolean {
  return bytes.length < 1024 && /^[ \t\r\n]*$/.test(bytes.toString('latin1'));
}

async function* rowsByLine(body: AsyncIterable<Buffer>): AsyncGenerator<RowPiece> {
  let first = true;
  for await (const line of lines(body)) {
    const bytes = first && line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line;
    first = false;
    if (isBlank(bytes)) continue;
    yield pieceOf(bytes);
  }
}

const byteOrderMark = Buffer.from('\ufeff');
const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma] = Buffer.from('"\\{}[],');

/** Rows of an array: what stands between its brackets and commas at the top. */
async function* rowsOfArray(body: AsyncIterable<Buffer>): AsyncGenerator<RowPiece> {
  let depth = -1;
  let inText = false;
  let escaped = false;
  let row: Buffer[] = [];
  let size = 0;
  let first = true;
  let closed = false;
  for await (const chunk of body) {
    let from = 0;
    let index = first && chunk.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
    first = false;
    for (; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
      } else if (depth < 0) {
        if (byte === openBracket && !closed) {
          depth = 0;
          from = index + 1;
        } else if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) {
          yield {
            problem: closed ? 'not JSON: something follows the array' : 'not a JSON array',
            lost: true,
          };
          return;
        }
      } else if (byte === quote) inText = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (depth > 0 && (byte === closeBrace || byte === closeBracket)) depth -= 1;
      else if (depth === 0 && (byte === comma || byte === closeBracket)) {
        row.push(chunk.subarray(from, index));
        from = index + 1;
        const bytes = Buffer.concat(row);
        // `[]` has no row; a comma asks for one.
        if (!isBlank(bytes) || byte === comma) yield pieceOf(bytes);
        row = [];
        size = 0;
        if (byte === closeBracket) {
          depth = -1;
          closed = true;
        }
      }
    }
    if (depth < 0) continue;
    row.push(Buffer.from(chunk.subarray(from)));
    size += chunk.length - from;
    if (size > maxRowBytes + 1024) {
      yield { ...tooLong, lost: true };
      return;
    }
  }
  if (closed) return;
  const rest = Buffer.concat(row);
  if (depth === 0 && !isBlank(rest)) yield pieceOf(rest);
  yield { problem: 'not JSON: the body ends too early', lost: true };
}

/** The texts of the rows of a JSON body, in order. */
export function jsonPieces(body: AsyncIterable<Buffer>, framing: Framing): AsyncGenerator<RowPiece> {
  return framing === 'lines' ? rowsByLine(body) : rowsOfArray(body);
}

/** The rows of a JSON body, in order. */
export async function* jsonRows(body: AsyncIterable<Buffer>, framing: Framing): AsyncGenerator<FoundRow> {
  for await (const piece of jsonPieces(body, framing)) yield 'text' in piece ? parseRow(piece.text) : piece;
}
