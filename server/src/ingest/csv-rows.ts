/**
 * Reads a CSV body's header and rows for the checks in words. Cells stay text; an empty cell means that the value
 * is missing. One row is held at a time.
 */
import type { Readable } from 'node:stream';
import type { DatasetEntry } from '@storelens/contract';
import { CsvError, parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';
import type { FoundRow } from './json-row.js';
import { maxRowBytes } from './scanner.js';
import { shown } from './values.js';

/** The keys that a header row names; undefined if it is not CSV. */
export function headerKeys(header: string): readonly string[] | undefined {
  try {
    const [keys] = parseSync(header) as string[][];
    return keys;
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

/** What is wrong with the header row: every key has to be one of the dataset's, once. */
export function headerProblems(entry: DatasetEntry, keys: readonly string[] | undefined): string[] {
  if (keys === undefined) return ['header: not CSV'];
  const known = new Map(entry.columns.map((column) => [column.name.toLowerCase(), column]));
  return keys.flatMap((key, index) => {
    const column = known.get(key.toLowerCase());
    if (column === undefined) return [`header: ${shown(key)}: unknown key`];
    if (column.type === 'object' || column.type === 'list') return [`header: ${key}: only JSON can give it`];
    if (column.name !== key) return [`header: ${shown(key)}: unknown key; did you mean ${column.name}`];
    return keys.indexOf(key) < index ? [`header: ${key}: given twice`] : [];
  });
}

/** The rows of a CSV body under the keys of its header, in order. */
export async function* csvRows(body: Readable): AsyncGenerator<FoundRow> {
  const parser = parse({
    bom: true,
    record_delimiter: ['\n', '\r\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
  });
  body.on('error', (error) => parser.destroy(error));
  let keys: readonly string[] | undefined;
  try {
    for await (const cells of body.pipe(parser) as AsyncIterable<string[]>) {
      if (keys === undefined) {
        keys = cells;
        continue;
      }
      if (cells.length !== keys.length) {
        yield { problem: `not CSV: ${cells.length} cells, but the header has ${keys.length}` };
        continue;
      }
      yield {
        entries: keys.map((key, index) => [key, { kind: 'cell', text: cells[index] ?? '' }] as const),
      };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const long = error.code === 'CSV_MAX_RECORD_SIZE';
    yield {
      problem: long ? `longer than ${maxRowBytes} bytes` : 'not CSV: quotes do not enclose a whole cell',
      lost: true,
    };
  } finally {
    body.destroy();
  }
}
