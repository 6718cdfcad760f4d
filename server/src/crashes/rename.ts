/**
 * What becomes of a stored row when its crash file is read once more: the row that takes its place, or nothing if the
 * stack and everything that is made from it are the same. Pure; the row keeps its ids, and what a client gave.
 */
import { asciiLower } from '../body.js';
import type { Row } from '../ingest/index.js';
import type { FrameSource } from './blamed-frame.js';
import { type FailureExtras, failureRow, type KnownFrame, type StoredFrame } from './failure-row.js';
import type { Reading } from './reading.js';

/** A stored row of failures with all columns that completing gives; the others are copied. */
export interface StoredFailure extends Row {
  readonly failureName: string;
  readonly failureHash: string;
  readonly symbol: string;
  readonly exceptionCode: string;
  readonly exceptionClass: string;
  readonly nameGiven: boolean;
  readonly hashGiven: boolean;
  readonly namingVersion: number;
  readonly formerHashes: readonly string[];
  readonly cabId: string;
  readonly cabIdHash: string;
  readonly cabBytes: number;
  readonly processed: string;
  readonly frames: readonly StoredFrame[];
}

/** Columns that stand for an unknown module when a row is stored without one. */
const moduleColumns = ['moduleName', 'fileName', 'driverName'] as const;

/** The row as it was before it was completed, but for frames and symbol. */
function given(stored: StoredFailure): Row {
  const { exceptionCode, exceptionClass, nameGiven, hashGiven, ...rest } = stored;
  const { failureName, failureHash, symbol, namingVersion, formerHashes, ...kept } = rest;
  const { cabId, cabIdHash, cabBytes, processed, frames, ...row } = kept;
  return {
    ...row,
    exception: { code: exceptionCode, class: exceptionClass },
    failureName: nameGiven ? failureName : '',
    failureHash: hashGiven ? failureHash : '',
  };
}

/** A stored frame as it was when the failure was named. */
function knownFrame(frame: StoredFrame): KnownFrame {
  const offset = /^0x[0-9a-f]{1,16}$/i.test(frame.offset) ? BigInt(frame.offset.toLowerCase()) : undefined;
  return {
    image: frame.image || undefined,
    function: frame.function || undefined,
    ...(frame.function === '' ? { offset } : { functionOffset: offset }),
    found: frame.found satisfies FrameSource,
    file: frame.file || undefined,
    line: frame.line || undefined,
  };
}

/** The completed row; columns that only stand for a missing module name nothing. */
function completed(row: Row, extras: FailureExtras): Row {
  const named = Object.fromEntries(
    moduleColumns.filter((name) => row[name] === 'Unknown').map((name) => [name, '']),
  );
  return { ...failureRow({ ...row, ...named }, extras), ...pick(row, Object.keys(named)) };
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

const frameText = ({ image, function: name, offset, found, file, line }: StoredFrame): string =>
  JSON.stringify([image, name, offset, found, file, line]);

const sameFrames = (left: readonly StoredFrame[], right: readonly StoredFrame[]): boolean =>
  left.length === right.length &&
  left.every((frame, index) => {
    const other = right[index];
    return other !== undefined && frameText(frame) === frameText(other);
  });

/** Whether the frames of a row are its sender's; then no symbols change them. */
export function hasGivenFrames({ frames }: Pick<StoredFailure, 'frames'>): boolean {
  return frames.some(({ found }) => found === 'given');
}

/** A row with a new stack. */
export interface Renamed {
  /** Takes the place of the stored one. */
  readonly row: Row;
  /** Whether failureHash is another one. */
  readonly renamed: boolean;
}

/**
 * The row that takes the place of a stored one; undefined if nothing changes, or the file could not be read. A hash
 * that changes joins `formerHashes`, and one that comes back leaves them.
 */
export function renameFailure(stored: StoredFailure, { facts, processed }: Reading): Renamed | undefined {
  if (facts === undefined || hasGivenFrames(stored)) return undefined;
  const row = given(stored);
  const { cabId, cabIdHash, cabBytes, formerHashes } = stored;
  const extras = { cabId, cabIdHash, cabBytes, formerHashes };
  // No column tells a given symbol from a made one; the same facts make the same one again.
  const before = completed(row, { ...extras, frames: stored.frames.map(knownFrame) });
  const symbol = before.symbol === stored.symbol ? '' : stored.symbol;
  const { exception, frames } = facts;
  const now = completed({ ...row, symbol }, { ...extras, processed, exception, frames }) as StoredFailure;
  const [oldHash, newHash] = [asciiLower(stored.failureHash), asciiLower(now.failureHash)];
  const same =
    sameFrames(stored.frames, now.frames) &&
    now.failureName === stored.failureName &&
    now.symbol === stored.symbol &&
    processed === stored.processed;
  if (same && oldHash === newHash) return undefined;
  if (oldHash === newHash) return { row: now, renamed: false };
  const former = [...formerHashes.filter((hash) => hash !== newHash && hash !== oldHash), oldHash];
  return { row: { ...now, formerHashes: former }, renamed: true };
}
