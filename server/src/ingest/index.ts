/** What ingestion offers the other parts. It knows no HTTP; who calls and what products there are is handed in. */
import type { Readable } from 'node:stream';
import type { DatasetEntry } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import type { MirroredDay, WrittenRows } from './mirrored-rows.js';

export { createIngest, type IngestOptions } from './ingest.js';
export { readIdempotencyKey } from './media.js';

/** A batch as it came in, with its headers. The body is read to its end or to a limit, and never destroyed. */
export interface IncomingBatch {
  readonly dataset: DatasetEntry;
  readonly accountId: string;
  readonly products: AccountProducts;
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Bytes on the wire, if announced. */
  readonly contentLength?: number | undefined;
  readonly idempotencyKey: string | undefined;
}

/** Answer of a good batch. */
export interface AcceptedBatch {
  readonly dataset: string;
  /** Rows of the batch. */
  readonly accepted: number;
  /** The Idempotency-Key, or the id made for the batch. */
  readonly batch: string;
  /** Whether the batch was stored before and is not counted again. */
  readonly duplicate: boolean;
}

/** A row as JSON keys and values. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Completes a row of a dataset that asks for it: accepted keys in, JSON with every column of the table out. The row is
 * used up.
 */
export type CompleteRow = (row: Record<string, unknown>) => string;

/** A local file that joins the store of files when its rows do. */
export interface BatchFile {
  /** A path that `newFile` gave out; the file is durable there. */
  readonly path: string;
  readonly key: string;
}

/** Rows that another part of the server made. Concurrent ones of an account share one durable insert. */
export interface MadeBatch {
  readonly accountId: string;
  readonly dataset: DatasetEntry;
  readonly batchId: string;
  /** Equal for a repetition of the same batch. */
  readonly bodyHash: string;
  /** Completed rows with all columns; checked already, with products and values in their final spelling. */
  readonly rows: readonly Row[];
  readonly files: readonly BatchFile[];
  /** `cabIdHash` of earlier rows that these take the place of. */
  readonly supersedes?: readonly string[];
}

/** What became of a made batch. */
export interface StoredBatch {
  readonly seq: number;
  /** Whether it was stored before; then its files were not needed and are gone. */
  readonly duplicate: boolean;
}

/** The rows of one day of a report as another server of the API answered them, with the headers of their body. */
export interface IncomingDay
  extends MirroredDay,
    Pick<
      IncomingBatch,
      'accountId' | 'products' | 'body' | 'contentType' | 'contentEncoding' | 'contentLength'
    > {}

/** A day that was received and found good; its rows lie in the spool until it is dropped. */
export interface PreparedDay extends WrittenRows {
  readonly id: string;
  readonly accountId: string;
  readonly day: MirroredDay;
}

/** Ingestion of all datasets. */
export interface Ingest {
  /**
   * Stores a batch, all of it or nothing, once per key; returns when it is durable. Throws Failure:
   * `unsupported-media-type`, `too-large`, `invalid-body`, `invalid-rows` with up to a hundred problems, `conflict`
   * for a key that came with another body, `unavailable` when the same batch should be sent again later.
   */
  accept(batch: IncomingBatch): Promise<AcceptedBatch>;
  /**
   * Stores rows that were made here, all or nothing, once per batch id; returns when rows and files are durable.
   * Throws Failure `conflict` and `unavailable`.
   */
  store(batch: MadeBatch): Promise<StoredBatch>;
  /**
   * Runs work on a body, from its first byte until it is stored, while there is room for another one; `close` waits for
   * it. Throws Failure `unavailable` beyond that. `accept` does so by itself.
   */
  inQueue<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Receives the rows of a mirrored day, in the queue; whoever gets it drops it in the end. Throws Failure as `accept`,
   * but for `conflict`.
   */
  prepareDay(day: IncomingDay): Promise<PreparedDay>;
  /** Stores a day, in the queue still, all or nothing, once per batch id; returns when it is durable. Throws Failure `unavailable`. */
  storeDay(day: PreparedDay, batchId: string): Promise<StoredBatch>;
  /** Removes what a prepared day needs no longer; nothing happens if it is stored. */
  dropDay(day: PreparedDay): Promise<void>;
  /** Problems of one row of a dataset given as JSON text, in the words of a refusal without the row's number. */
  problems(dataset: DatasetEntry, json: string, products: AccountProducts): readonly string[];
  /** Path of a new file beside the spool; a file there that belongs to no batch is removed at the next start. */
  newFile(): string;
  /** Settles whatever a stopped process left behind; to be called once, before anything is accepted. */
  replay(): Promise<void>;
  /** Housekeeping, to be called now and then: batches still to store, superseded rows, old keys. */
  purge(): Promise<void>;
  /**
   * Goes on removing the rows and commits of an account that nobody can write for; answers how much still has to go,
   * 0 when it is done. To be called again later until then.
   */
  removeAccount(accountId: string): Promise<number>;
  /** Refuses new batches and waits for running ones. */
  close(): Promise<void>;
}
