/**
 * What the server's main thread and the threads that read crash files tell each other, and what reading a file gives.
 * Plain data: everything here is copied between threads. The main thread knows accounts, symbols and rows; a reading
 * thread knows one file at a time, by its path.
 */
import type { FrameSource } from './blamed-frame.js';
import type { ExceptionFacts } from './failure-name.js';
import type { SymbolCheck } from './symbol-reading.js';

/** A frame of a walked stack, innermost first; what `failureRow` takes. */
export interface FoundFrame {
  readonly image: string | undefined;
  readonly function: string | undefined;
  /** Bytes from the start of the image; undefined without an image. */
  readonly offset: bigint | undefined;
  /** Bytes from the start of the function; undefined without a function. */
  readonly functionOffset: bigint | undefined;
  readonly found: FrameSource;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** An image and its version, four numbers; undefined if it has none. */
export interface FoundModule {
  readonly name: string;
  readonly version: string | undefined;
}

/** What a dump says of its crash. */
export interface DumpFacts {
  /** Milliseconds since 1970; undefined if the dump does not say. */
  readonly time: number | undefined;
  /** As reports print them; `Unknown` where there is no name. */
  readonly osName: string;
  readonly osRelease: string;
  readonly osBuild: string;
  readonly architecture: string;
  readonly exception: ExceptionFacts | undefined;
  /** The image of the program: the first module. */
  readonly program: FoundModule | undefined;
  /** The module that holds the place of the crash. */
  readonly crashed: FoundModule | undefined;
  /** At most 128. */
  readonly frames: readonly FoundFrame[];
}

/** `read`, or a sentence that says why the file is kept without having been read. */
export type Processed = string;

/** What came of reading a crash file that is kept. */
export interface Reading {
  readonly processed: Processed;
  /** Undefined unless `processed` is `read`. */
  readonly facts: DumpFacts | undefined;
  /** Bytes of the cabinet that was written as asked; undefined if none was. */
  readonly written: number | undefined;
}

/** Ids by which symbols of a module are found, spelt as `Module` has them. */
export interface ModuleIds {
  readonly name: string;
  readonly debugId: string | undefined;
  readonly codeId: string | undefined;
}

/** Symbols that an account has for a module: gzipped `.sym` text. */
export interface SymbolsAt {
  /** Position in the list that was asked for. */
  readonly module: number;
  readonly path: string;
  /** Changes whenever the content under the path does, so that threads can keep what they parsed. */
  readonly version: string;
}

/** Finds the symbols that an account has for modules of a dump. */
export type FindSymbols = (accountId: string, modules: readonly ModuleIds[]) => Promise<readonly SymbolsAt[]>;

/** How a file is read. */
export interface ReadingTask {
  /** The file: its bytes, or where it lies. */
  readonly file: Uint8Array | string;
  /**
   * Where the cabinet to keep is written and synced: a bare dump wrapped into one, or the cabinet that came, unless it
   * lies in a file already. Undefined to keep nothing.
   */
  readonly keepTo: string | undefined;
  /** False to keep alone: for a file that could not be read in time. */
  readonly read: boolean;
  /** Most unpacked bytes of a cabinet. */
  readonly unpackedBytes: number;
  /** Time of the file inside the cabinet if the dump has none; milliseconds since 1970. */
  readonly now: number;
}

/**
 * What a thread is asked. To `open` it answers `modules` if there are symbols that could serve, and waits for `walk`; then `done`,
 * `refused` or `failed`.
 */
export type ReadingRequest =
  | { readonly ask: 'open'; readonly task: ReadingTask; readonly symbols: boolean }
  | { readonly ask: 'walk'; readonly symbols: readonly SymbolsAt[] }
  /** The facts of a symbol file that was just received; answered by `checked`. */
  | { readonly ask: 'check'; readonly path: string };

/** What a thread answers. */
export type ReadingAnswer =
  | { readonly answer: 'modules'; readonly modules: readonly ModuleIds[] }
  | { readonly answer: 'done'; readonly reading: Reading }
  | { readonly answer: 'checked'; readonly check: SymbolCheck }
  /** The file is damaged, hostile or no crash file: a sentence for its sender. */
  | { readonly answer: 'refused'; readonly sentence: string }
  /** A fault of ours, for the log. */
  | { readonly answer: 'failed'; readonly error: unknown };
