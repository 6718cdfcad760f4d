/**
 * Splits a JSON body into rows and a row into keys and raw values, for the explanations. Values keep their literal,
 * so that a number is judged as it was written. One row is held at a time.
 */
import type { Framing } from './json-scanner.js';
import { maxRowBytes } from './scanner.js';
import type { Entry, Value } from './values.js';

/** A row as found: its entries, or what makes it unreadable. `lost` ends the search: no later row can be told. */
export type FoundRow =
  | { readonly entries: readonly Entry[] }
  | { readonly problem: string; readonly lost?: true };

const token =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false)|(null))/y;

/** Reads the tokens of one row's text. */
class Tokens {
  #match: RegExpExecArray | null = null;
  #at = 0;

  constructor(readonly text: string) {
    this.next();
  }

  /** Moves on by one token. */
  next(): void {
    token.lastIndex = this.#at;
    this.#match = token.exec(this.text);
    if (this.#match !== null) this.#at = token.lastIndex;
  }

  /** Takes a punctuation mark if it is next. */
  take(mark: string): boolean {
    if (this.#match?.[1] !== mark) return false;
    this.next();
    return true;
  }

  /** Takes a string if it is next, as it stands between its quotes. */
  takeKey(): string | undefined {
    const literal = this.#match?.[2];
    if (literal === undefined) return undefined;
    this.next();
    return literal.slice(1, -1);
  }

  /** Takes a string if it is next; its decoded text. */
  takeText(): string | undefined {
    const text = this.takeKey();
    return text?.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }

  /** Takes a value; objects and lists are passed over whole. Undefined if there is none. */
  takeValue(): Value | undefined {
    const text = this.takeText();
    if (text !== undefined) return { kind: 'text', text };
    const [, mark, , number, boolean, nothing] = this.#match ?? [];
    if (mark === '{' || mark === '[')
      return this.#pass() ? { kind: mark === '{' ? 'object' : 'list', text: '' } : undefined;
    const literal = number ?? boolean ?? nothing;
    if (literal === undefined) return undefined;
    this.next();
    return {
      kind: number !== undefined ? 'number' : boolean !== undefined ? 'boolean' : 'null',
      text: literal,
    };
  }

  /** Whether nothing but blanks is left. */
  get ended(): boolean {
    return this.#match === null && /^[ \t\r\n]*$/.test(this.text.slice(this.#at));
  }

  #pass(): boolean {
    let depth = 0;
    do {
      if (this.#match === null) return false;
      const mark = this.#match[1];
      if (mark === '{' || mark === '[') depth += 1;
      if (mark === '}' || mark === ']') depth -= 1;
      this.next();
    } while (depth > 0);
    return true;
  }
}

/** Reads one row's text. */
export function parseRow(text: string): FoundRow {
  const tokens = new Tokens(text);
  if (!tokens.take('{')) return { problem: 'not a JSON object' };
  const entries: Entry[] = [];
  let more = !tokens.take('}');
  while (more) {
    const key = tokens.takeKey();
    if (key === undefined || !tokens.take(':'))
      return { problem: 'not JSON: a key in quotes and a colon were expected' };
    const value = tokens.takeValue();
    if (value === undefined)
      return { problem: `not JSON: the value of "${key.slice(0, 98)}" cannot be read` };
    entries.push([key, value]);
    if (tokens.take('}')) more = false;
    else if (!tokens.take(',')) return { problem: 'not JSON: a comma or a closing brace was expected' };
  }
  return tokens.ended ? { entries } : { problem: 'not JSON: something follows the object' };
}

const tooLong: FoundRow = { problem: `longer than ${maxRowBytes} bytes` };

function readRow(bytes: Buffer): FoundRow {
  if (bytes.length > maxRowBytes) return tooLong;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { problem: 'not UTF-8' };
  }
  return parseRow(text);
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

async function* rowsByLine(body: AsyncIterable<Buffer>): AsyncGenerator<FoundRow> {
  let first = true;
  for await (const line of lines(body)) {
    const bytes = first && line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line;
    first = false;
    if (isBlank(bytes)) continue;
    yield readRow(bytes);
  }
}

const byteOrderMark = Buffer.from('\ufeff');
const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma] = Buffer.from('"\\{}[],');

/** Rows of an array: what stands between its brackets and commas at the top. */
async function* rowsOfArray(body: AsyncIterable<Buffer>): AsyncGenerator<FoundRow> {
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
        if (!isBlank(bytes) || byte === comma) yield readRow(bytes);
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
  if (depth === 0 && !isBlank(rest)) yield readRow(rest);
  yield { problem: 'not JSON: the body ends too early', lost: true };
}

/** The rows of a JSON body, in order. */
export function jsonRows(body: AsyncIterable<Buffer>, framing: Framing): AsyncGenerator<FoundRow> {
  return framing === 'lines' ? rowsByLine(body) : rowsOfArray(body);
}
