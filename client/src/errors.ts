/**
 * Everything that can go wrong, as one class per family, so that a caller can tell by `instanceof` what to do about it.
 * Messages and facts never hold a secret, a token or a signed address. Wrong use of the library (a missing option, an
 * invalid date) is a `TypeError`; a call that its signal cancels throws the reason of the signal.
 */

/** What is known of an error besides its message. */
export interface ErrorFacts {
  /** Word for programs: of the service if it gave one (`InvalidQueryParameters`), else of this library (`timeout`). */
  readonly code: string;
  /** Status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** Id of the request in the log of the service. */
  readonly requestId?: string | undefined;
  /** The sentences in which the service says what is wrong. */
  readonly data?: readonly string[];
  /** Milliseconds after which the service asks to try again. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** Base of all errors of this library. */
export class StorelensError extends Error {
  override readonly name: string = 'StorelensError';
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly data: readonly string[];
  readonly retryAfter: number | undefined;

  constructor(message: string, { code, status, requestId, data = [], retryAfter, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.data = data;
    this.retryAfter = retryAfter;
  }
}

/** No token was granted, or the service does not take the one that was. Check tenant, client id and secret. */
export class AuthenticationError extends StorelensError {
  override readonly name = 'AuthenticationError';
}

/** The application may not do this: its role is too low, or the product is not its account's. */
export class ForbiddenError extends StorelensError {
  override readonly name = 'ForbiddenError';
}

/** There is nothing at this address, or the file is gone. */
export class NotFoundError extends StorelensError {
  override readonly name = 'NotFoundError';
}

/** The service does not accept the request; `data` names the parameter and what would be right. */
export class InvalidRequestError extends StorelensError {
  override readonly name = 'InvalidRequestError';
}

/** Too many requests, also after waiting as often as allowed. */
export class RateLimitError extends StorelensError {
  override readonly name = 'RateLimitError';
}

/** The service failed, also after trying again. */
export class ServiceError extends StorelensError {
  override readonly name = 'ServiceError';
}

/** The service cannot be reached, fell silent, or hung up in the middle of an answer. */
export class ConnectionError extends StorelensError {
  override readonly name = 'ConnectionError';
}

/** The answer is not one of this API, or it leads where this library does not go. */
export class ProtocolError extends StorelensError {
  override readonly name = 'ProtocolError';
}

/** The result changed between two of its pages: what was read so far does not belong to what follows. */
export class ResultMovedError extends StorelensError {
  override readonly name = 'ResultMovedError';
}
