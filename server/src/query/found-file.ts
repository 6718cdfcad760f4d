/**
 * What a request finds that asks for one record by its identifiers: its file, or the words for why there is none. Reads
 * nothing itself.
 */
import { Failure } from '../failure.js';
import { printable } from './parse.js';
import type { FilePlan } from './plan.js';
import type { Reach } from './reach.js';
import type { Question } from './validate.js';

/** A stored crash file. */
export interface FoundFile {
  readonly accountId: string;
  /** A GUID, and 13 digits: two names of the one file. */
  readonly cabIdHash: string;
  readonly cabId: string;
  /** UTC day of the event, as `yyyy-MM-dd`. */
  readonly day: string;
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined;
  readonly bytes: number;
  /** What `Storelens-Notice` should say. */
  readonly notices: readonly string[];
}

/** The file of a found row; throws `not-found` where there is no row, no file, or none any more. */
export function foundFile(
  question: Question,
  planned: FilePlan,
  row: readonly unknown[] | undefined,
  reach: Reach | undefined,
  { days, now }: { readonly days: number; readonly now: number },
): Omit<FoundFile, 'notices'> {
  if (row === undefined) throw unknownFile(question, reach?.notice);
  const [cabId, cabIdHash, day, time, bytes] = row;
  const name = recordName(question);
  if (Number(bytes) === 0) {
    throw new Failure('not-found', [
      `The failure with ${name} came without a crash file, or it is not kept.`,
    ]);
  }
  const expiresAt = days === 0 ? undefined : Number(time) + days * 86_400_000;
  if (expiresAt !== undefined && expiresAt <= now) {
    const moment = new Date(expiresAt).toISOString().slice(0, 19).replace('T', ' ');
    throw new Failure('not-found', [`The crash file with ${name} expired at ${moment}.`]);
  }
  return {
    accountId: planned.accountId,
    cabIdHash: String(cabIdHash),
    cabId: String(cabId),
    day: String(day),
    expiresAt,
    bytes: Number(bytes),
  };
}

/** `cabId '1336373323853'`: how a record was asked for. */
export function recordName({ lookups }: Question): string {
  return lookups.map(({ lookup, value }) => `${lookup.parameter} '${printable(value)}'`).join(' and ');
}

/** That there is no such record. */
export function unknownRecord(question: Question): string {
  return `no failure has the ${recordName(question)}`;
}

/** That there is no such record to have a file, and why that may be. */
export function unknownFile(question: Question, reason: string | undefined): Failure {
  const unknown = unknownRecord(question);
  const sentence = `${unknown.charAt(0).toUpperCase()}${unknown.slice(1)}`;
  return new Failure('not-found', [reason === undefined ? `${sentence}.` : `${sentence}; ${reason}.`]);
}
