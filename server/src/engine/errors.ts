/**
 * Maps ClickHouse error codes and network failures to the four kinds of EngineError. The message is for our log;
 * http shows callers the kind only.
 */
import { EngineError, type EngineErrorKind } from './index.js';

/** What the failed call was: rows can be refused by an insert only. */
export type EngineCall = 'query' | 'insert' | 'command';

/** Unreadable values and JSON texts (25, 26), unknown fields, text that is no date, and our own check (`throwIf`). */
const refused = new Set([6, 25, 26, 27, 41, 72, 117, 395]);
const tooLarge = new Set([159, 241]);
/**
 * Lost connections, timeouts, shutdown, missing quorum, too many queries or parts, keeper failures; and a disk that has no
 * room (243): a batch has to wait for some, because to remove its rows takes a mutation, which waits for room as well.
 */
const unavailable = new Set([32, 202, 209, 210, 225, 242, 243, 252, 279, 285, 286, 319, 999]);

/** What the system says of a full disk; it comes under several codes. */
const fullDisk = 'No space left on device';

/** Node's codes for a server that cannot be reached or went away; `ABORT_ERR` is our own time limit. */
const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ABORT_ERR',
]);

/** Kind of an engine error code, given the call that failed. */
export function kindOfCode(code: number | undefined, call: EngineCall): EngineErrorKind {
  if (code === undefined) return 'fault';
  if (refused.has(code)) return call === 'insert' ? 'refused' : 'fault';
  if (tooLarge.has(code)) return 'too-large';
  return unavailable.has(code) ? 'unavailable' : 'fault';
}

function engineCodeOf(error: Error): number | undefined {
  if ('clickhouseCode' in error && typeof error.clickhouseCode === 'number') return error.clickhouseCode;
  if ('code' in error && typeof error.code === 'string' && /^\d+$/.test(error.code))
    return Number(error.code);
  const match = /^Code: (\d+)\./.exec(error.message);
  return match === null ? undefined : Number(match[1]);
}

/** Whether an error, or one that caused it, says that the server could not be reached or did not answer. */
function isNetworkError(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 3) return false;
  if ('code' in error && typeof error.code === 'string' && network.has(error.code)) return true;
  if (/^(Timeout error|socket hang up|The user aborted a request)/.test(error.message)) return true;
  return isNetworkError(error.cause, depth + 1);
}

/** Wraps whatever an engine library threw; an EngineError and a TypeError (our own misuse) stay as they are. */
export function toEngineError(error: unknown, call: EngineCall): Error {
  if (error instanceof EngineError || error instanceof TypeError) return error;
  if (!(error instanceof Error)) return new EngineError('fault', String(error), undefined, error);
  const code = engineCodeOf(error);
  const known = code === undefined && isNetworkError(error) ? 'unavailable' : kindOfCode(code, call);
  const kind = known === 'fault' && error.message.includes(fullDisk) ? 'unavailable' : known;
  return new EngineError(kind, `${call}: ${error.message}`, code, error);
}
