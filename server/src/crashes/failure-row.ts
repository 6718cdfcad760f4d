/**
 * Completes rows of the dataset `failures`: the accepted keys in, with whatever else is known of the crash; every
 * column of the table out, but for those that ingestion itself adds (account, day, number). Names and hashes are made
 * here and nowhere else. Pure: ids come from the caller. Values are not checked; ingestion does that.
 */
import { asciiLower } from '../body.js';
import type { Row } from '../ingest/index.js';
import type { FrameSource, NamedFrame } from './blamed-frame.js';
import { failureHash, failureMode } from './failure-hash.js';
import { type ExceptionFacts, exceptionCode, givenName, nameFailure } from './failure-name.js';

/** A frame as the table has it. */
export interface StoredFrame {
  readonly image: string;
  readonly function: string;
  /** Such as `0x25C`, in the function; without a function in the image. */
  readonly offset: string;
  readonly found: FrameSource;
  /** Source file and line; empty and 0 if unknown. */
  readonly file: string;
  readonly line: number;
}

/** A frame to be stored: one that was walked, or the like. */
export interface KnownFrame extends NamedFrame {
  /** Bytes from the start of the function. */
  readonly functionOffset?: bigint | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
}

/** What is known of a failure besides the keys of its row: ids, and what its crash file tells. */
export interface FailureExtras {
  /** 13 digits, and a GUID. */
  readonly cabId: string;
  readonly cabIdHash: string;
  /** Bytes of the stored crash file; 0 without one. */
  readonly cabBytes?: number | undefined;
  /** What became of the crash file; empty without one. */
  readonly processed?: string | undefined;
  /** What the crash file says of the exception; the row's own counts where it has another code, and its class does. */
  readonly exception?: ExceptionFacts | undefined;
  /** Instead of the row's frames. */
  readonly frames?: readonly KnownFrame[] | undefined;
  /** Hashes that the failure had before, in lower case. */
  readonly formerHashes?: readonly string[] | undefined;
}

/** Text of a value; empty if it is missing. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Members of a nested value. */
function membersOf(value: unknown): Row {
  return typeof value === 'object' && value !== null ? (value as Row) : {};
}

function upperHex(value: bigint | number): string {
  return value < 0 ? `-0x${(-value).toString(16).toUpperCase()}` : `0x${value.toString(16).toUpperCase()}`;
}

/** Bytes that a given offset says, for names; undefined if it says none. */
function offsetOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return value >= 0 && Number.isSafeInteger(value) ? BigInt(value) : undefined;
  const text = textOf(value).trim();
  return /^(?:0x[0-9a-f]{1,16}|[0-9]{1,19})$/i.test(text) ? BigInt(text.toLowerCase()) : undefined;
}

/** The exception that a row gives; for drivers and hardware its code is the bug check. */
function givenException(value: unknown, kernel: boolean): ExceptionFacts {
  const { code, class: said } = membersOf(value);
  const facts = { class: textOf(said) || undefined };
  if (typeof code !== 'number' && typeof code !== 'string') return facts;
  const text = String(code).trim();
  if (!kernel && /^SIG[A-Z0-9+]{1,20}$/i.test(text)) return { ...facts, signal: text.toUpperCase() };
  const number = exceptionCode(code);
  if (number === undefined) return facts;
  return kernel ? { ...facts, bugCheck: number } : { ...facts, code: number };
}

/** How the code of an exception is stored: as debuggers print it, or as it was given if it cannot be read. */
function codeText({ signal, bugCheck, code }: ExceptionFacts, given: unknown): string {
  if (signal !== undefined) return signal;
  if (bugCheck !== undefined) return `0x${bugCheck.toString(16)}`;
  if (code !== undefined) return `0x${code.toString(16).padStart(8, '0')}`;
  return typeof given === 'number' ? String(given) : textOf(given).trim();
}

/**
 * The exception that a failure is named after: the crash file's, which knows more than a code, under the class that
 * the row gives; the row's alone where it gives another code.
 */
function exceptionOf(given: unknown, found: ExceptionFacts | undefined, kernel: boolean): ExceptionFacts {
  const own = givenException(given, kernel);
  if (found === undefined) return own;
  const number = own.bugCheck ?? own.code;
  const same =
    number === undefined
      ? own.signal !== undefined && own.signal === found.signal
      : number === (found.bugCheck ?? found.code);
  if (codeText(own, membersOf(given).code) !== '' && !same) return own;
  return own.class === undefined ? found : { ...found, class: own.class };
}

/** The frames that a row gives, as they are named after and as they are stored. */
function givenFrames(value: unknown): { named: NamedFrame[]; stored: StoredFrame[] } {
  const frames = (Array.isArray(value) ? value : []).map((frame) => membersOf(frame));
  return {
    named: frames.map((frame) => ({
      image: textOf(frame.image) || undefined,
      function: textOf(frame.function) || undefined,
      offset: offsetOf(frame.offset),
      found: 'given',
    })),
    stored: frames.map(({ image, function: name, offset }) => ({
      image: textOf(image),
      function: textOf(name),
      offset: typeof offset === 'number' ? upperHex(offset) : textOf(offset),
      found: 'given',
      file: '',
      line: 0,
    })),
  };
}

/** A frame in its stored form. */
export function storedFrame(frame: KnownFrame): StoredFrame {
  const offset = frame.function === undefined ? frame.offset : frame.functionOffset;
  return {
    image: frame.image ?? '',
    function: frame.function ?? '',
    offset: offset === undefined ? '' : upperHex(offset),
    found: frame.found ?? 'given',
    file: frame.file ?? '',
    line: frame.line ?? 0,
  };
}

/**
 * The completed row. A name, hash or symbol that the row gives is kept; the flags `nameGiven` and `hashGiven` tell, so
 * that later symbols change neither. Keys of the row that are no column of the table (exception) are gone.
 */
export function failureRow(row: Row, extras: FailureExtras): Row {
  const { exception: given, frames, ...columns } = row;
  const mode = failureMode(asciiLower(textOf(row.source)));
  const exception = exceptionOf(given, extras.exception, mode === 'km');
  const stack =
    extras.frames === undefined
      ? givenFrames(frames)
      : { named: extras.frames, stored: extras.frames.map(storedFrame) };
  const name = nameFailure({
    mode,
    given: textOf(row.failureName),
    eventType: asciiLower(textOf(row.eventType)),
    exception,
    frames: stack.named,
    module: textOf(row.moduleName) || textOf(row.fileName) || textOf(row.driverName) || undefined,
  });
  const hash = givenName(textOf(row.failureHash));
  return {
    ...columns,
    failureName: name.failureName,
    failureHash: hash ?? failureHash(name.failureName, mode),
    symbol: textOf(row.symbol) || name.symbol,
    exceptionCode: codeText(exception, membersOf(given).code),
    exceptionClass: exception.class ?? textOf(membersOf(given).class),
    nameGiven: name.given,
    hashGiven: hash !== undefined,
    namingVersion: name.version,
    formerHashes: extras.formerHashes ?? [],
    cabId: extras.cabId,
    cabIdHash: extras.cabIdHash,
    cabBytes: extras.cabBytes ?? 0,
    processed: extras.processed ?? '',
    frames: stack.stored,
  };
}

/** A cabId: 13 digits out of random bytes (8 at least), the first one not 0. */
export function cabIdOf(bytes: Buffer): string {
  const least = 1_000_000_000_000n;
  return String(least + (bytes.readBigUInt64BE(0) % (9n * least)));
}
