/** When to try again, and how long to wait before: exponential backoff with jitter, or what the service asks for. */
import {
  ConnectionError,
  ProtocolError,
  RateLimitError,
  ServiceError,
  type StorelensError,
} from './errors.js';

/** How failures that may pass are met. All times in milliseconds. */
export interface RetrySettings {
  /** How often a request is sent at most. Default 6; 1 never tries again. */
  readonly attempts?: number | undefined;
  /** Wait before the second attempt, doubled before each further one; half of it is chance. Default 1,000. */
  readonly firstDelay?: number | undefined;
  /** The longest that a doubled wait becomes. Default 60,000. */
  readonly longestDelay?: number | undefined;
  /** A service that asks for a longer wait than this gets no further attempt. Default 300,000. */
  readonly longestRetryAfter?: number | undefined;
}

/** An attempt failed and another follows. */
export interface Retry {
  readonly error: StorelensError;
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds until the next. */
  readonly delay: number;
}

/** The settings, with defaults for what they leave out. */
export function completeRetries({
  attempts = 6,
  firstDelay = 1000,
  longestDelay = 60_000,
  longestRetryAfter = 300_000,
}: RetrySettings = {}): CompleteRetries {
  return { attempts, firstDelay, longestDelay, longestRetryAfter };
}

/** {@link RetrySettings} without gaps. */
export type CompleteRetries = { readonly [Key in keyof RetrySettings]-?: number };

/**
 * Milliseconds to wait before the attempt after number `attempt`; undefined if there should be none. `chance` lies
 * between 0 and 1. What the service asks for is a lower bound: jitter comes on top, or all its clients return at once.
 */
export function delayBefore(
  error: unknown,
  attempt: number,
  settings: CompleteRetries,
  chance: number,
): number | undefined {
  if (attempt >= settings.attempts || !mayPass(error)) return undefined;
  const asked = error.retryAfter ?? 0;
  if (asked > settings.longestRetryAfter) return undefined;
  const backoff = Math.min(settings.longestDelay, settings.firstDelay * 2 ** (attempt - 1));
  const delay = backoff / 2 + (chance * backoff) / 2;
  return Math.round(asked > 0 ? Math.max(delay, asked + chance * settings.firstDelay) : delay);
}

function mayPass(error: unknown): error is StorelensError {
  if (error instanceof ServiceError) return error.status !== 501 && error.status !== 505;
  if (error instanceof ProtocolError) return error.code === 'unreadable';
  return error instanceof RateLimitError || error instanceof ConnectionError;
}

/** Milliseconds that a `Retry-After` asks for (seconds or a date); undefined if it cannot be read. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Every form of an HTTP date begins with the name of a day; Date.parse alone would take `-5` for a year.
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
