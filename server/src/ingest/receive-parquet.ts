/**
 * Receives a Parquet file into the spool. Its footer tells rows, size and columns; the rows themselves are seen by the
 * engine alone, which skips the scan and most of the parsing of text.
 */
import { Failure } from '../failure.js';
import { maxProblems } from './explain.js';
import type { IncomingBatch } from './index.js';
import type { BodyLimits } from './limits.js';
import type { Media } from './media.js';
import { columnProblems, parquetDays, parquetReading } from './parquet-columns.js';
import { dictionaryTexts } from './parquet-dictionaries.js';
import { readFooter } from './parquet-footer.js';
import { provenColumns } from './parquet-proven.js';
import { receive } from './receive.js';
import type { Checked, IncomingParts } from './received.js';
import { factsOf } from './rules.js';
import type { Scanner } from './scanner.js';

/** Bytes of memory that the engine may use for a MiB that a decoded body may have. */
const memoryPerMib = 6 * 1024 * 1024;

/** The bytes of a file tell no rows. */
const noScanner: Scanner = { push: () => undefined, end: () => ({ rows: 0 }) };

/** Receives a file and holds its columns against the dataset. Throws Failure as `Ingest.accept` says. */
export async function receiveParquet(
  { dataset, products, body }: IncomingBatch,
  media: Media,
  limits: BodyLimits,
  id: string,
  { spool, clock, settings }: Pick<IncomingParts, 'spool' | 'clock' | 'settings'>,
): Promise<Checked> {
  if (dataset.completed !== undefined) {
    const formats = 'application/x-ndjson, application/json, text/csv';
    throw new Failure('unsupported-media-type', [`${dataset.name} takes ${formats}.`]);
  }
  const path = spool.rowsFile(id);
  const { bytes, hash } = await receive(body, media, limits, noScanner, path, 0);
  const footer = await readFooter(path);
  limits.rows(footer.rows);
  limits.decoded(Math.max(0, footer.uncompressed - bytes));
  const problems = columnProblems(dataset, footer.columns);
  if (problems.length > 0) throw new Failure('invalid-rows', problems.slice(0, maxProblems));
  if (footer.rows === 0) throw new Failure('invalid-body', ['The batch has no rows.']);
  const facts = factsOf(clock.now(), products);
  const proven = provenColumns(dataset, footer.columns, dictionaryTexts(path, footer.columns), facts);
  const memory = settings['max-decoded-mib'] * memoryPerMib;
  const source = parquetReading(dataset, footer.columns, memory, proven);
  const received = { bytes, hash, scan: { rows: footer.rows } };
  const days = parquetDays(dataset, source, facts);
  return { id, source, header: undefined, received, facts: () => facts, ...(days !== undefined && { days }) };
}
