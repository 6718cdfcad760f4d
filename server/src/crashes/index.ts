/**
 * What the crash side offers the other parts: crash files taken in, symbols, and renaming after symbols arrived. It
 * knows no HTTP; who calls and which products there are is handed in.
 */
import type { Readable } from 'node:stream';
import type { AccountProducts } from '../products/index.js';

export { type CrashesOptions, createCrashes } from './crashes.js';
export { readReprocess } from './reprocess.js';
export { findCrashFile, type StoredCrashFile } from './stored-file.js';

/** A crash as it came in: a multipart body with the part `file` and, unless the query says what it is, `event`. */
export interface IncomingCrash {
  readonly accountId: string;
  readonly products: AccountProducts;
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Bytes on the wire, if announced. */
  readonly contentLength: number | undefined;
  /** Instead of the part `event`; as they stand in the query. */
  readonly source: string | undefined;
  readonly applicationId: string | undefined;
  /** Checked already; a new id is made without. */
  readonly idempotencyKey: string | undefined;
}

/** Answer of a good crash. */
export interface AcceptedCrash {
  readonly dataset: 'failures';
  readonly accepted: 1;
  readonly batch: string;
  readonly duplicate: boolean;
  /** 13 digits. */
  readonly cabId: string;
  /** A GUID. */
  readonly cabIdHash: string;
  readonly failureName: string;
  readonly failureHash: string;
  /** `read`, or why the file is kept without having been read: a sentence. */
  readonly processed: string;
}

/** A stored failure, with what the reports have no room for. */
export interface CrashDetail {
  readonly cabId: string;
  readonly cabIdHash: string;
  readonly source: string;
  /** Empty for failures without product. */
  readonly applicationId: string;
  /** ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly failureName: string;
  readonly failureHash: string;
  /** Hashes it had before it was renamed; they still answer. */
  readonly formerHashes: readonly string[];
  readonly symbol: string;
  readonly exceptionCode: string;
  readonly exceptionClass: string;
  /** Version of the rules by which it was named. */
  readonly namingVersion: number;
  /** Size of the stored crash file; 0 without one. */
  readonly cabBytes: number;
  /** `read`, why the file was not read, or empty for failures that came without one. */
  readonly processed: string;
  /** The failed thread, the failing function first. */
  readonly frames: readonly CrashFrame[];
}

/** A frame of a stored failure. */
export interface CrashFrame {
  /** 0 for the failing function. */
  readonly level: number;
  readonly image: string;
  /** Empty if unknown. */
  readonly function: string;
  /** Such as `0x25C`; in the function, without function in the image. */
  readonly offset: string;
  /** How it was found: `context`, `cfi`, `frame-pointer`, `scan`, or `given` by the sender. */
  readonly found: string;
  readonly file: string | null;
  readonly line: number | null;
}

/** A symbol file of an account. */
export interface SymbolsInfo {
  readonly module: string;
  /** Upper-case hex, build and age. */
  readonly debugId: string;
  /** Upper-case hex; null if the file has none. */
  readonly codeId: string | null;
  readonly os: string;
  readonly architecture: string;
  /** Unpacked size. */
  readonly bytes: number;
  readonly functions: number;
  /** ISO 8601 in UTC. */
  readonly storedAt: string;
}

/** Which crashes to rename. */
export interface ReprocessRequest {
  readonly accountId: string;
  readonly products: AccountProducts;
  /** Narrow the crashes; absent ones do not. Days are UTC and both count. */
  readonly source: string | undefined;
  readonly applicationId: string | undefined;
  readonly failureHash: string | undefined;
  readonly startDate: string | undefined;
  readonly endDate: string | undefined;
  /** Where the last call ended. */
  readonly after: string | undefined;
}

/** What a call of reprocess did. */
export interface Reprocessed {
  /** Crashes with a file that were looked at. */
  readonly examined: number;
  /** Of these: have another stack or name now. */
  readonly changed: number;
  /** Of these: have another failureHash now; the old one still answers. */
  readonly renamed: number;
  /** To be sent as `after` to go on; null when all are done. */
  readonly next: string | null;
}

/** The crash side. */
export interface Crashes {
  /**
   * Stores a crash with its file, once per key; returns when both are durable and the row can be asked for. Throws
   * Failure: `unsupported-media-type`, `too-large`, `invalid-body`, `invalid-rows` for the event, `invalid-crash-file`
   * for a file that is hostile, damaged or no crash file, `conflict`, `too-many-requests`, `unavailable`.
   */
  accept(crash: IncomingCrash): Promise<AcceptedCrash>;
  /** A failure of an account as it stands now; undefined if there is none. */
  crash(accountId: string, cabIdHash: string): Promise<CrashDetail | undefined>;
  /** Stores a Breakpad symbol file (plain or gzip). Throws Failure `invalid-symbols`, `too-large`, `unavailable`. */
  acceptSymbols(accountId: string, body: Readable, contentEncoding: string | undefined): Promise<SymbolsInfo>;
  /** The account's symbol files, newest first. */
  symbols(accountId: string): Promise<readonly SymbolsInfo[]>;
  /** Removes an account's symbol file; false if there is none. */
  removeSymbols(accountId: string, debugId: string): Promise<boolean>;
  /** Reads stored crash files once more with the symbols of now and renames; some at a time. */
  reprocess(request: ReprocessRequest): Promise<Reprocessed>;
  /** Housekeeping, to be called now and then: removes crash files past their time; returns how many. */
  sweep(): Promise<number>;
  /** Removes all crash files and symbols of an account that is no more; returns how many. */
  removeFiles(accountId: string): Promise<number>;
  /** Refuses new work, waits for running work, ends the workers. */
  close(): Promise<void>;
}
