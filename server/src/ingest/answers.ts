/** Failures that batches of every kind end with. */
import { Failure } from '../failure.js';

/** Nothing was stored; a moment later it may be. */
export function busy(sentence: string): Failure {
  return new Failure('unavailable', [sentence], { retryAfter: 2 });
}

/** A batch id that came with another body. */
export function conflict(batchId: string, dataset: string): Failure {
  return new Failure('conflict', [
    `Idempotency-Key '${batchId}' was used for another body of dataset ${dataset}.`,
  ]);
}

/** Waits for work on the disk, whose faults are none of the caller: Failure `unavailable`; `failed` runs before. */
export async function onDisk<Result>(
  work: Promise<Result>,
  what: 'batch' | 'day' = 'batch',
  failed: () => Promise<void> = async () => undefined,
): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    await failed();
    throw new Failure('unavailable', [`The ${what} cannot be written to disk.`], { retryAfter: 30, cause });
  }
}
