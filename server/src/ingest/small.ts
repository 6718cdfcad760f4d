/**
 * Small bodies that came in share an insert. Rows that could be packed are put into one file of columns (`packed.ts`).
 * Of others the text is put into one file as it is, and a row has the number of the batch within whose rows its place in
 * the file lies. Rows whose number hangs on their place are read by one thread; a group is short enough for that.
 */
import type { Settings } from '../config.js';
import type { Clock } from '../system.js';
import { type GroupBatch, type GroupParts, type GroupRows, Groups, type Numbered } from './group.js';
import type { IncomingBatch } from './index.js';
import type { RowFormat } from './media.js';
import { type PackedRows, packedFile, packedStatementOf } from './packed.js';
import { factsOf } from './rules.js';
import { groupStatementOf } from './statement.js';

/** Most bytes of a decoded body that is held in memory and shares an insert. */
export const smallBytes = 256 * 1024;

/** A body that the scanner passed. */
export interface SmallBatch extends GroupBatch {
  readonly products: IncomingBatch['products'];
  /** Its rows, without what stands around them. */
  readonly text: Buffer;
  /** The header line of CSV rows. */
  readonly header: string | undefined;
  /** Its rows in columns, unless they are left to the engine; groups have batches of one kind. */
  readonly packed: PackedRows | undefined;
}

/** What groups of small bodies work with. */
interface SmallParts extends GroupParts {
  readonly clock: Clock;
  readonly settings: Pick<Settings, 'ingest-group'>;
}

/** Groups of small bodies; the engine holds values against the time at which a group is put together. */
export function smallBatches(parts: SmallParts): Groups<SmallBatch> {
  const { clock, settings } = parts;
  return new Groups(parts, (group) => compose(group, clock.now()), settings['ingest-group']);
}

const newline = 0x0a;
const spaces: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0d, newline]);

/** The rows of a good body without byte order mark, header line, the brackets of an array and the last line feeds. */
export function bareRows(body: Buffer, format: RowFormat): Buffer {
  let from = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  let to = body.length;
  if (format === 'csv') {
    // Keys of datasets have no line feed, so the header has none either.
    from = body.indexOf(newline) + 1;
    while (to > from && (body[to - 1] === newline || body[to - 1] === 0x0d)) to -= 1;
    return body.subarray(from, to);
  }
  while (spaces.has(body[to - 1])) to -= 1;
  if (format === 'array') {
    while (spaces.has(body[from])) from += 1;
    from += 1;
    to -= 1;
  }
  return body.subarray(from, to);
}

function compose(group: readonly [Numbered<SmallBatch>, ...Numbered<SmallBatch>[]], now: number): GroupRows {
  const [{ batch }] = group;
  const { dataset, accountId, header } = batch;
  const packed = group.flatMap((one) =>
    one.batch.packed === undefined ? [] : [{ packed: one.batch.packed, seq: one.seq }],
  );
  if (packed.length === group.length) {
    return {
      statement: packedStatementOf(dataset, accountId),
      text: [packedFile(dataset, packed)],
      days: packed.map(({ packed: { days } }) => days),
    };
  }
  const starts: number[] = [];
  let rows = 0;
  for (const one of group) {
    starts.push(rows);
    rows += one.batch.rows;
  }
  const { products } = group.at(-1)?.batch ?? batch;
  const numbers = { starts, seqs: group.map(({ seq }) => seq) };
  const reading = header === undefined ? 'json' : 'csv';
  return {
    statement: groupStatementOf(dataset, reading, factsOf(now, products), { accountId, numbers }),
    text: [
      ...(header === undefined ? [] : [header, '\n']),
      ...group.flatMap((one) => [one.batch.text, '\n']),
    ],
  };
}
