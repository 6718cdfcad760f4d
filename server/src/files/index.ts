/**
 * The store of files: crash cabinets and symbols. A folder, later a bucket, stands behind it. Keys are ours and begin
 * with the account; what a sender calls a file is never part of one. Knows nothing of who may have which file.
 */
import type { Readable } from 'node:stream';

export { type WantedBytes, wantedBytes } from './range.js';
export { crashFileExpiry, removeCrashFiles, sweepCrashFiles } from './retention.js';
export type { FileAddress, FileAddresses } from './signature.js';

/** Key of a file: parts of letters, digits, dots and hyphens joined by slashes, such as `crashes/<account>/...`. */
export type FileKey = string;

/** A stored file that is being read. */
export interface OpenFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Its bytes from the asked range; ends with an error if the file goes meanwhile. */
  readonly stream: Readable;
}

/** The few verbs that Storelens needs of a store of files. */
export interface Files {
  /**
   * Takes a local file over: once this returns it is durable under the key, and gone from its path. A file under the
   * key is replaced. If the path is gone and the key is there, nothing is left to do: a repeated call is harmless.
   * `durable`: whoever made the file has seen its content on disk.
   */
  take(path: string, key: FileKey, durable?: boolean): Promise<void>;
  /** Bytes of a file; undefined if there is none. */
  size(key: FileKey): Promise<number | undefined>;
  /** A local path to read the whole file from; undefined if there is none. Not to be written to. */
  localPath(key: FileKey): Promise<string | undefined>;
  /** The bytes `start` to `end` (inclusive) of a file, or all; undefined if there is none. */
  open(key: FileKey, range?: { readonly start: number; readonly end: number }): Promise<OpenFile | undefined>;
  /** Removes a file; nothing happens if there is none. */
  remove(key: FileKey): Promise<void>;
  /** Names directly below a key: of files and, with a slash at their end, of folders. */
  list(folder: FileKey): Promise<readonly string[]>;
  /** Answers if files can be written; throws otherwise. */
  ping(): Promise<void>;
}

/** Key of a crash cabinet. The day is that of the event, so that retention drops whole folders. */
export function crashFileKey(accountId: string, day: string, cabIdHash: string): FileKey {
  return `crashes/${accountId}/${day}/${cabIdHash}.cab`;
}

/** Key of a module's symbols, gzipped `.sym` text; the id as Breakpad spells it, upper case. */
export function symbolFileKey(accountId: string, debugId: string): FileKey {
  return `symbols/${accountId}/${debugId}.sym.gz`;
}
