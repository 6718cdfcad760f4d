/**
 * The registry port: three verbs over a small relational database. SQL is written in the common subset of
 * SQLite and PostgreSQL with `$1` placeholders; there is no other layer above it.
 */

/** A value in a registry row or parameter. Booleans are stored as 0 and 1, times as milliseconds in UTC. */
export type RegistryValue = string | number | null;

/** A row by column name. */
export type RegistryRow = Readonly<Record<string, RegistryValue>>;

/** The verbs that run statements, inside or outside a transaction. */
export interface RegistryQueries {
  /** The first row, or undefined. */
  get(sql: string, params?: readonly RegistryValue[]): Promise<RegistryRow | undefined>;
  /** All rows. Also runs statements that return none. */
  all(sql: string, params?: readonly RegistryValue[]): Promise<readonly RegistryRow[]>;
}

/** The registry's disk is full or fails. Nothing of the statement was stored; it may be tried again. */
export class RegistryDiskError extends Error {
  override readonly name = 'RegistryDiskError';
}

/** A registry connection. */
export interface Registry extends RegistryQueries {
  /** Runs `work` in one write transaction (BEGIN IMMEDIATE); throwing rolls back. Not re-entrant. */
  transaction<Result>(work: (queries: RegistryQueries) => Promise<Result>): Promise<Result>;
  /** Waits for running work, then closes. */
  close(): Promise<void>;
}
