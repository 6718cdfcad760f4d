/** What becomes of faults of the disk. */
import { Failure } from '../failure.js';

/** Waits for work on the disk, whose faults are no faults of the caller: Failure `unavailable`. */
export async function onDisk<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    throw new Failure('unavailable', ['The batch cannot be written to disk.'], { retryAfter: 30, cause });
  }
}
