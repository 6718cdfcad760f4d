/**
 * Finds where rows begin and end in a stream of bytes: lines of NDJSON, records of CSV, elements of a JSON array. What is
 * in a row is the server's business; a row of a JSON array becomes a line, so that batches of it are NDJSON.
 */
import { RefusedError } from '../command.js';

/** Forms of rows that can be cut anywhere between two rows. */
export type RowForm = 'ndjson' | 'csv' | 'json';

/** Longer than any row that a server takes; a quote that is never closed must not fill our memory. */
const longestRow = 16 * 1024 * 1024;

const [tab, lineFeed, carriageReturn, space, quote, comma] = [9, 10, 13, 32, 34, 44];
const [openList, backslash, closeList, openObject, closeObject] = [91, 92, 93, 123, 125];

const isBlank = (byte: number) =>
  byte === space || byte === tab || byte === lineFeed || byte === carriageReturn;

/** Cuts bytes into rows. Rows have no line end; blank lines are no rows. */
export class RowCutter {
  readonly #form: RowForm;
  #rest: Buffer[] = [];
  #restLength = 0;
  #inText = false;
  #escaped = false;
  /** JSON: open brackets. Rows lie at 1; after the list it is -1. */
  #depth = 0;
  /** JSON: bytes that do not begin a row may follow: nothing but the list, or the row after a comma. */
  #rowDue = false;
  #rows = 0;

  constructor(form: RowForm) {
    this.#form = form;
  }

  /** The rows that end in this piece. The piece is the cutter's from now on. Throws RefusedError for what is no list of JSON. */
  push(piece: Buffer): readonly Buffer[] {
    const rows: Buffer[] = [];
    const next = this.#form === 'json' ? this.#pushJson(piece, rows) : this.#pushLines(piece, rows);
    if (next < piece.length) this.#keep(piece.subarray(next));
    return rows;
  }

  /** The row that nothing ended. Throws RefusedError if something is open. */
  end(): readonly Buffer[] {
    if (this.#form === 'json') {
      // A file without anything has no rows, as it has none in any other form.
      if (this.#depth > 0) throw new RefusedError('the JSON list is not closed; is the file complete?', 4);
      return [];
    }
    if (this.#form === 'csv' && this.#inText)
      throw new RefusedError('a quote of the CSV is not closed; is the file complete?', 4);
    const rows: Buffer[] = [];
    this.#finish(Buffer.alloc(0), rows);
    return rows;
  }

  #pushLines(piece: Buffer, rows: Buffer[]): number {
    let start = 0;
    if (this.#form === 'ndjson') {
      for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, start)) {
        this.#finish(piece.subarray(start, at), rows);
        start = at + 1;
      }
      return start;
    }
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      // A quote within a text is written twice, which closes and opens it.
      if (byte === quote) this.#inText = !this.#inText;
      else if (byte === lineFeed && !this.#inText) {
        this.#finish(piece.subarray(start, at), rows);
        start = at + 1;
      }
    }
    return start;
  }

  #pushJson(piece: Buffer, rows: Buffer[]): number {
    let start = this.#depth >= 1 && !this.#rowDue ? 0 : piece.length;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) this.#inText = false;
        continue;
      }
      if (isBlank(byte)) {
        if (byte !== tab) piece[at] = space;
        continue;
      }
      if (this.#depth === 0) {
        // A byte order mark may come first.
        if (byte === 0xef || byte === 0xbb || byte === 0xbf) continue;
        if (byte !== openList) throw new RefusedError('the JSON is no list of rows: it begins without [', 4);
        this.#depth = 1;
        this.#rowDue = true;
        continue;
      }
      if (this.#depth === -1) throw new RefusedError('something follows the JSON list', 4);
      if (this.#depth === 1 && (byte === comma || byte === closeList)) {
        if (!this.#rowDue) this.#finish(piece.subarray(start, at), rows);
        else if (byte === comma || this.#rows > 0)
          throw new RefusedError(`no row stands behind row ${this.#rows} of the JSON list`, 4);
        this.#rowDue = true;
        start = piece.length;
        if (byte === closeList) this.#depth = -1;
        continue;
      }
      if (this.#rowDue) {
        this.#rowDue = false;
        start = at;
      }
      if (byte === quote) this.#inText = true;
      else if (byte === openList || byte === openObject) this.#depth += 1;
      else if (byte === closeList || byte === closeObject) this.#depth -= 1;
    }
    return start;
  }

  #keep(piece: Buffer): void {
    this.#rest.push(piece);
    this.#restLength += piece.length;
    if (this.#restLength > longestRow) {
      throw new RefusedError(
        `row ${this.#rows + 1} has more than ${longestRow / 1024 / 1024} MiB; is a quote or a line end missing?`,
        4,
      );
    }
  }

  #finish(last: Buffer, rows: Buffer[]): void {
    const row = this.#rest.length === 0 ? last : Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restLength = 0;
    if (row.every(isBlank)) return;
    this.#rows += 1;
    rows.push(row);
  }
}
