/**
 * The registry in one SQLite file, through libsql. The file is locked for this process from opening to closing,
 * every commit is on disk before it is acknowledged, and all calls pass through one queue. It knows no tables;
 * `migrate.ts` makes them.
 *
 * Statements only ever run through libsql's `all`: `run` leaves a failed statement in progress, after which every
 * COMMIT fails (libsql-js issues 237 and 238), and `get` stops a statement after its first row.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Database from 'libsql';
import {
  type Registry,
  RegistryDiskError,
  type RegistryQueries,
  type RegistryRow,
  type RegistryValue,
} from './index.js';

type Connection = InstanceType<typeof Database>;

/** The data folder belongs to another running server; the message says which file and what to do. */
export class RegistryLockedError extends Error {
  override readonly name = 'RegistryLockedError';

  constructor(file: string, cause: unknown) {
    super(
      `another Storelens server uses the data folder ${dirname(file)}; stop it, or choose another folder with --data`,
      { cause },
    );
  }
}

/**
 * After so many statements other work gets its turn. Without turns of the event loop libsql frees no statement: a
 * long run of calls would take 4.5 kB each.
 */
const statementsPerTurn = 100;

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return codes.some((start) => code.startsWith(start));
}

function isBusy(error: unknown): boolean {
  return hasCode(error, 'SQLITE_BUSY', 'SQLITE_LOCKED');
}

function isOfDisk(error: unknown): boolean {
  return hasCode(error, 'SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_READONLY');
}

/** Integers as BigInt: libsql would bind a number as REAL, which an untyped expression keeps. */
function bound(value: RegistryValue): string | number | bigint | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function runStatement(
  connection: Connection,
  sql: string,
  params: readonly RegistryValue[],
): readonly RegistryRow[] {
  const rows = connection.prepare(sql.replace(/\$(\d+)/g, '?$1')).all(params.map(bound));
  return rows as readonly RegistryRow[];
}

function openConnection(file: string): Connection {
  let connection: Connection | undefined;
  try {
    connection = new Database(file);
    for (const pragma of [
      'locking_mode = EXCLUSIVE',
      'journal_mode = WAL',
      'synchronous = FULL',
      'foreign_keys = ON',
    ]) {
      runStatement(connection, `PRAGMA ${pragma}`, []);
    }
    // Takes the lock now: the mode alone waits for the first write.
    runStatement(connection, 'BEGIN IMMEDIATE', []);
    runStatement(connection, 'COMMIT', []);
    return connection;
  } catch (error) {
    connection?.close();
    if (isBusy(error) || (error instanceof Error && error.message.includes('database is locked'))) {
      throw new RegistryLockedError(file, error);
    }
    throw new Error(`the registry ${file} cannot be opened: ${String(error)}`, { cause: error });
  }
}

/**
 * Gives the file's lock back. Closing alone does not: libsql keeps the connection until the garbage collector has
 * taken every statement. Leaving WAL and the exclusive mode releases the lock at once, unless a statement is in
 * progress. To be removed when libsql's `close` finalizes its statements.
 */
function release(connection: Connection): void {
  if (connection.inTransaction) runStatement(connection, 'ROLLBACK', []);
  for (const statement of [
    'PRAGMA journal_mode = DELETE',
    'PRAGMA locking_mode = NORMAL',
    'SELECT count(*) FROM sqlite_master',
  ]) {
    runStatement(connection, statement, []);
  }
}

/** Makes the garbage collector take the statements that hold a lost connection; same condition as `release`. */
async function collectStatements(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  await nextTurn();
}

/** Makes the file and its folder readable for their owner only; SQLite gives its log the mode of the file. */
function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

/**
 * Opens or makes the registry file. Throws `RegistryLockedError` if another process has it open. Statements are
 * the text of one statement each; `$1` must not occur inside text literals.
 */
export async function openLibsqlRegistry(file: string): Promise<Registry> {
  prepareFile(file);
  let connection = openConnection(file);
  let closed = false;
  let executed = 0;
  let tail: Promise<unknown> = Promise.resolve();
  const insideTransaction = new AsyncLocalStorage<true>();

  function enqueue<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    if (insideTransaction.getStore()) {
      return Promise.reject(new TypeError('inside a transaction use the queries it was given'));
    }
    const result = tail.then(() => {
      // libsql aborts the whole process when a closed connection is used.
      if (closed) throw new Error('the registry is closed');
      return work();
    });
    tail = result.catch(() => undefined);
    return result;
  }

  /** After BUSY a statement may stay in progress and block every COMMIT; a new connection has none. */
  async function reopen(busy: unknown): Promise<void> {
    closed = true;
    // An error keeps the objects of its call frames, and so the statement, until its stack is first read.
    if (busy instanceof Error) String(busy.stack);
    try {
      release(connection);
    } catch {
      // The statement in progress is in the way; the collector takes it below.
    }
    connection.close();
    for (let attempt = 1; closed; attempt += 1) {
      await collectStatements();
      try {
        connection = openConnection(file);
        closed = false;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  async function execute(sql: string, params: readonly RegistryValue[]): Promise<readonly RegistryRow[]> {
    executed += 1;
    if (executed % statementsPerTurn === 0) await nextTurn();
    try {
      return runStatement(connection, sql, params);
    } catch (error) {
      if (isBusy(error)) await reopen(error);
      if (isOfDisk(error)) throw new RegistryDiskError(String(error), { cause: error });
      throw error;
    }
  }

  const all: RegistryQueries['all'] = (sql, params = []) => enqueue(() => execute(sql, params));

  async function runTransaction<Result>(
    work: (queries: RegistryQueries) => Promise<Result>,
  ): Promise<Result> {
    await execute('BEGIN IMMEDIATE', []);
    const own = connection;
    let over = false;
    const inner = async (sql: string, params: readonly RegistryValue[] = []) => {
      if (over) throw new TypeError('the transaction is over');
      if (own !== connection)
        throw new Error('the transaction was rolled back because the registry was busy');
      return execute(sql, params);
    };
    try {
      const result = await insideTransaction.run(true, () =>
        work({ all: inner, get: async (sql, params) => (await inner(sql, params))[0] }),
      );
      await inner('COMMIT');
      return result;
    } catch (error) {
      if (!closed && own === connection && own.inTransaction) await execute('ROLLBACK', []);
      throw error;
    } finally {
      over = true;
      // Transactions follow each other. While one is followed, all promises of the process are, requests' as well.
      insideTransaction.disable();
    }
  }

  return {
    all,
    get: async (sql, params) => (await all(sql, params))[0],
    transaction: (work) => enqueue(() => runTransaction(work)),
    close: async () => {
      if (insideTransaction.getStore()) throw new TypeError('a transaction cannot close its registry');
      await tail;
      if (closed) return;
      closed = true;
      try {
        release(connection);
      } catch (error) {
        // On a full disk the log cannot be put into the file. It stays beside it, and the next start reads it.
        if (!isOfDisk(error)) throw error;
      } finally {
        connection.close();
      }
    },
  };
}
