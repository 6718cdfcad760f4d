/** What ingestion offers the other parts. */
import type { Readable } from 'node:stream';
import type { DatasetEntry } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';

/** A batch as it came in; the body is read once, to its end or to the first thing wrong with it. */
export interface IncomingBatch {
  readonly dataset: DatasetEntry;
  readonly accountId: string;
  readonly products: AccountProducts;
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
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

/** Stores batches: all of a batch or nothing, durable before it answers, once per key. Throws `Failure`. */
export interface Ingest {
  accept(batch: IncomingBatch): Promise<AcceptedBatch>;
  /** Finishes what a stopped process left behind; to be called once, before anything is accepted. */
  replay(): Promise<void>;
  /** Deletes superseded rows that no promised snapshot needs. */
  purge(): Promise<void>;
  /** Waits for running batches. */
  close(): Promise<void>;
}
