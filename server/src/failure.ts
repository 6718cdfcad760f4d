/**
 * The one error type that features throw: a code of the catalogue, the facts of the case and the cause.
 * It knows no HTTP; `http/errors.ts` maps it. Misuse by our own code is a TypeError instead.
 */
import type { ErrorCode } from '@storelens/contract';

/** Extra facts that the HTTP mapping understands. */
export interface FailureDetails {
  /** Seconds to wait, for `unavailable` and `too-many-requests`. */
  readonly retryAfter?: number;
  /** The original error, for the log only. */
  readonly cause?: unknown;
}

/** A refusal or failure with a place in the error catalogue. */
export class Failure extends Error {
  readonly retryAfter: number | undefined;

  /** `data` are complete sentences for the caller; they never hold secrets or engine internals. */
  constructor(
    readonly code: ErrorCode,
    readonly data: readonly string[] = [],
    details: FailureDetails = {},
  ) {
    super(data[0] ?? code, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.retryAfter = details.retryAfter;
  }
}
