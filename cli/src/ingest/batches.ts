/**
 * Cuts a file into batches that servers take, each with a key made from its content and that of the batches before it: a
 * file that is sent again has the same keys, and equal rows at two places of a file have two.
 */
import { createHash } from 'node:crypto';
import { RefusedError } from '../command.js';
import { RowCutter, type RowForm } from './rows.js';

/** Forms of files. */
export const forms = ['ndjson', 'json', 'csv', 'parquet'] as const;
export type Form = (typeof forms)[number];

/** A part of a file. */
export interface Batch {
  readonly body: Buffer;
  readonly contentType: string;
  readonly key: string;
  /** Rows of the file before it. */
  readonly before: number;
  /** Rows in it; undefined if only the server can tell. */
  readonly rows: number | undefined;
}

/** Part of the keys: with other limits the batches of a file would be others, and would count a second time. */
const mostRows = 100_000;
const mostBytes = 16 * 1024 * 1024;

/** A file of Parquet cannot be cut; above this no server takes it anyway. */
const mostWhole = 1024 * 1024 * 1024;

const contentTypes: Readonly<Record<Form, string>> = {
  ndjson: 'application/x-ndjson',
  json: 'application/x-ndjson',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
};

/**
 * The batches of decoded bytes, one after the other; none of a file without rows. `scope` keeps the keys of datasets,
 * or of what else differs, apart.
 */
export async function* batchesOf(
  bytes: AsyncIterable<Buffer>,
  form: Form,
  scope: readonly string[],
): AsyncGenerator<Batch> {
  let previous = '';
  const made = (body: Buffer, before: number, rows: number | undefined): Batch => {
    const hash = createHash('sha256').update(
      JSON.stringify([...scope, form === 'json' ? 'ndjson' : form, previous]),
    );
    previous = hash.update(body).digest('hex');
    return { body, contentType: contentTypes[form], key: `storelens-${previous}`, before, rows };
  };
  if (form === 'parquet') {
    yield made(await whole(bytes), 0, undefined);
    return;
  }
  for await (const { head, rows, before } of groups(bytes, form)) {
    const lines = [...head, ...rows].flatMap((row) => [row, lineEnd]);
    yield made(Buffer.concat(lines), before, rows.length);
  }
}

const lineEnd = Buffer.from('\n');

interface Group {
  readonly head: readonly Buffer[];
  readonly rows: readonly Buffer[];
  readonly before: number;
}

async function* groups(bytes: AsyncIterable<Buffer>, form: RowForm): AsyncGenerator<Group> {
  const cutter = new RowCutter(form);
  const head: Buffer[] = [];
  let rows: Buffer[] = [];
  let length = 0;
  let before = 0;
  function* add(found: readonly Buffer[]): Generator<Group> {
    for (const row of found) {
      if (form === 'csv' && head.length === 0) {
        head.push(row);
        continue;
      }
      if (rows.length === mostRows || (rows.length > 0 && length + row.length + 1 > mostBytes)) {
        yield { head, rows, before };
        before += rows.length;
        rows = [];
        length = 0;
      }
      rows.push(row);
      length += row.length + 1;
    }
  }
  for await (const piece of bytes) yield* add(cutter.push(piece));
  yield* add(cutter.end());
  if (rows.length > 0) yield { head, rows, before };
}

async function whole(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytes) {
    pieces.push(piece);
    length += piece.length;
    if (length > mostWhole)
      throw new RefusedError(
        'a Parquet file is sent in one piece, and this one is too long; write several',
        4,
      );
  }
  return Buffer.concat(pieces);
}
