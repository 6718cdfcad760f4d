/** What ingestion offers the other parts. It knows no HTTP; who calls and what products there are is handed in. */
import type { Readable } from 'node:stream';
import type { DatasetEntry } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';

export { createIngest, type IngestOptions } from './ingest.js';

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

/** Ingestion of all datasets. */
export interface Ingest {
  /**
   * Stores a batch, all of it or nothing, once per key; returns when it is durable. Throws Failure:
   * `unsupported-media-type`, `too-large`, `invalid-body`, `invalid-rows` with up to a hundred problems, `conflict`
   * for a key that came with another body, `unavailable` when the same batch should be sent again later.
   */
  accept(batch: IncomingBatch): Promise<AcceptedBatch>;
  /** Settles whatever a stopped process left behind; to be called once, before anything is accepted. */
  replay(): Promise<void>;
  /** Housekeeping, to be called now and then: batches still to store, superseded rows, old keys. */
  purge(): Promise<void>;
  /** Refuses new batches and waits for running ones. */
  close(): Promise<void>;
}
