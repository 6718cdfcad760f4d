/** Failures that batches of either kind end with. */
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
