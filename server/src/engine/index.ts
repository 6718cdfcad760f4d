/**
 * The engine port. Two adapters stand behind it: `chdb.ts` (ClickHouse in this process) and `clickhouse.ts`
 * (a ClickHouse server over HTTP). Both run the same SQL text. Every call names the account it works for;
 * an adapter for several shards maps it to one of them.
 */

/** A value bound to a `{name:Type}` placeholder. */
export type EngineValue = string | number | bigint | boolean | readonly string[] | readonly number[];

/** Values by placeholder name. */
export type EngineParams = Readonly<Record<string, EngineValue>>;

/** ClickHouse settings of one call. */
export type EngineSettings = Readonly<Record<string, string | number>>;

/** A read. The whole answer is held in memory, so the caller bounds it (LIMIT, one row per group). */
export interface EngineQuery {
  readonly account: string;
  /** SQL without FORMAT and SETTINGS clauses. */
  readonly sql: string;
  readonly params?: EngineParams;
  /** Output format, for example `JSONCompactEachRow` or `Template`. */
  readonly format: string;
  readonly settings?: EngineSettings;
  /** Nobody wants the answer once it aborts: a query that still waits for its turn is not run (`unavailable`). */
  readonly signal?: AbortSignal | undefined;
  /** Goes on with a request that had its turn before: it is next, and not refused for a full line. */
  readonly goesOn?: boolean;
  /** Called when the query has waited for its turn and begins. */
  readonly begun?: () => void;
}

/** A read of a whole answer, however large, in pieces. */
export interface EngineStream extends Omit<EngineQuery, 'format' | 'goesOn' | 'begun'> {
  /** `Template` must print nothing around rows: embedded, each piece is made by itself. `Parquet` gives one file. */
  readonly format: 'Template' | 'Parquet';
}

/** Formats of files. */
export type InputFormat = 'JSONEachRow' | 'CSVWithNames' | 'Parquet' | 'Native';

/** A read of a local file, which the SQL names `batch_file`. */
export interface EngineFileQuery extends EngineQuery {
  readonly file: string;
  readonly inputFormat: InputFormat;
  readonly structure: string;
}

/** A batch in a local file, to be stored by one atomic insert that is counted once per token. */
export interface EngineBatch {
  readonly account: string;
  readonly table: string;
  /** Target columns; `expressions` gives their values in the same order, reading the file's columns as `i.<name>`. */
  readonly columns: readonly string[];
  readonly expressions: readonly string[];
  /** Boolean SQL that is true for a bad row; one bad row refuses the batch. Absent for rows that were checked. */
  readonly bad?: string;
  readonly params?: EngineParams;
  /** The file, its input format and its columns as read: `timestamp Nullable(String), ...`. */
  readonly file: string;
  readonly format: InputFormat;
  readonly structure: string;
  /** SQL that makes the columns `i.<name>` of the file's, which are `r.<name>` then; else they are the file's own. */
  readonly selection?: string;
  readonly token: string;
  readonly settings?: EngineSettings;
}

/** The few verbs that Storelens needs of an engine. */
export interface Engine {
  /** Which adapter this is, for messages and health. */
  readonly kind: 'chdb' | 'clickhouse';
  /** Runs a read and returns the answer's bytes. */
  query(query: EngineQuery): Promise<Uint8Array>;
  /**
   * Runs a read on sessions that only such reads have, and returns the answer's bytes piece by piece, as they are asked
   * for. It waits for a session when the first piece is asked for. Whoever stops early ends the query; so does the
   * signal, at any time. An error may come after many pieces, and none of them tells.
   */
  stream(query: EngineStream): AsyncIterable<Uint8Array>;
  /** Reads a local file and returns the answer's bytes. */
  queryFile(query: EngineFileQuery): Promise<Uint8Array>;
  /** Stores a batch, all of it or nothing. */
  insert(batch: EngineBatch): Promise<void>;
  /** Runs a statement that returns nothing (schema steps, deletions). */
  command(statement: Omit<EngineQuery, 'format' | 'signal' | 'goesOn' | 'begun'>): Promise<void>;
  /** Answers if the engine is reachable and able to run a query; throws otherwise. */
  ping(): Promise<void>;
  /** Waits for running calls, then releases everything. */
  close(): Promise<void>;
}

/** How a failed engine call concerns the caller. */
export type EngineErrorKind =
  /** The rows of a batch are bad: definitely nothing was stored. */
  | 'refused'
  /** Too long or too much memory for the limits. */
  | 'too-large'
  /** Unreachable or overloaded; an insert may or may not have happened. */
  | 'unavailable'
  /** Everything else: a fault of ours. */
  | 'fault';

/** The only error type that engine adapters throw. */
export class EngineError extends Error {
  constructor(
    readonly kind: EngineErrorKind,
    message: string,
    /** ClickHouse error code, if the engine gave one. */
    readonly engineCode: number | undefined,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'EngineError';
  }
}

export { readMark, writeMark } from './mark.js';
export { Queue } from './queue.js';
export { quoteText } from './statement.js';
