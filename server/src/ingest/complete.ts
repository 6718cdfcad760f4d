/**
 * Completes the rows of a spooled body into a second file, for datasets whose rows are named before they are stored.
 * Streams, a slice at a time. Rows are held against what neither the scanner nor the engine sees on the way: limits
 * of nested values, keys given twice.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Column, DatasetEntry } from '@storelens/contract';
import { onDisk } from './answers.js';
import { csvRows } from './csv-rows.js';
import type { CompleteRow, Row } from './index.js';
import { jsonPieces } from './json-rows.js';
import type { RowFormat } from './media.js';
import { defaultMaxBytes } from './rules.js';
import { Turns } from './turns.js';

/** Characters that are written at once. */
const writtenAtOnce = 256 * 1024;

/** Completes by the dataset's kind of completion. */
export type Completions = Readonly<Record<NonNullable<DatasetEntry['completed']>, CompleteRow>>;

function fits(text: string, most: number): boolean {
  return text.length * 3 <= most || Buffer.byteLength(text) <= most;
}

/** Keys of a row whose types the scanner has seen to, nested ones included; undefined if it breaks a limit. */
function keysWithinLimits(columns: readonly Column[], row: Row): number | undefined {
  let keys = Object.keys(row).length;
  for (const column of columns) {
    const value = row[column.name];
    if (typeof value === 'string') {
      if (!fits(value, column.maxBytes ?? defaultMaxBytes)) return undefined;
    } else if (typeof value === 'number') {
      if (column.type === 'code' && !Number.isSafeInteger(value)) return undefined;
    } else if (typeof value === 'object' && value !== null) {
      const entries = Array.isArray(value) ? (value as readonly Row[]) : [value as Row];
      if (Array.isArray(value) && entries.length > (column.most ?? Number.POSITIVE_INFINITY))
        return undefined;
      for (const entry of entries) {
        const more = keysWithinLimits(column.columns ?? [], entry);
        if (more === undefined) return undefined;
        keys += more;
      }
    }
  }
  return keys;
}

/** How many keys stand in the text of a JSON value, one given twice counted twice. */
function keysIn(text: string): number {
  let keys = 0;
  let at = text.indexOf('"');
  while (at >= 0) {
    let end = at;
    do {
      end = text.indexOf('"', end + 1);
    } while (end >= 0 && isEscaped(text, end));
    if (end < 0) break;
    let behind = end + 1;
    while (text.charCodeAt(behind) <= 0x20) behind += 1;
    if (text.charCodeAt(behind) === 0x3a) keys += 1;
    at = text.indexOf('"', behind);
  }
  return keys;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === 0x5c) first -= 1;
  return (at - first) % 2 === 1;
}

/** The rows of a body that the scanner passed; undefined for one that breaks a limit. */
async function* rowsOf(
  path: string,
  entry: DatasetEntry,
  format: RowFormat,
): AsyncGenerator<Record<string, unknown> | undefined> {
  const body = createReadStream(path);
  try {
    if (format === 'csv') {
      for await (const found of csvRows(body)) {
        if (!('entries' in found)) yield undefined;
        else {
          const cells = found.entries.flatMap(([key, { text }]) =>
            text === '' ? [] : [[key, text] as const],
          );
          const row: Record<string, unknown> = Object.fromEntries(cells);
          yield keysWithinLimits(entry.columns, row) === undefined ? undefined : row;
        }
      }
      return;
    }
    for await (const piece of jsonPieces(body, format)) {
      if (!('text' in piece)) yield undefined;
      else {
        const row = JSON.parse(piece.text) as Record<string, unknown>;
        yield keysWithinLimits(entry.columns, row) === keysIn(piece.text) ? row : undefined;
      }
    }
  } finally {
    body.destroy();
  }
}

/**
 * Writes the completed rows of a body as lines of JSON, in their order, and flushes them to disk. False if a row is
 * bad; what it is, explanations tell. The columns of such a dataset are texts, or nested. Throws Failure
 * `unavailable` for faults of the disk.
 */
export async function completeRows(
  from: string,
  to: string,
  entry: DatasetEntry,
  format: RowFormat,
  complete: CompleteRow,
): Promise<boolean> {
  const file = await onDisk(open(to, 'wx', 0o600));
  try {
    return await writeRows(file, rowsOf(from, entry, format), complete);
  } finally {
    await file.close();
  }
}

async function writeRows(
  file: FileHandle,
  rows: AsyncIterable<Record<string, unknown> | undefined>,
  complete: CompleteRow,
): Promise<boolean> {
  const turns = new Turns();
  let lines = '';
  for await (const row of rows) {
    if (row === undefined) return false;
    lines += `${complete(row)}\n`;
    if (lines.length >= writtenAtOnce) {
      await onDisk(file.writeFile(lines));
      lines = '';
    }
    await turns.give();
  }
  await onDisk(file.writeFile(lines));
  await onDisk(file.datasync());
  return true;
}
