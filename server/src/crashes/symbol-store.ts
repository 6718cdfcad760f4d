/**
 * The symbol files of the accounts: taken in, listed, removed, and found for the modules of a dump. The files lie in
 * the store of files, what is known of them in the registry. An account's symbols are found for that account alone.
 */
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Failure } from '../failure.js';
import { type Files, symbolFileKey } from '../files/index.js';
import { KeyLocks } from '../locks.js';
import type { Registry, RegistryRow } from '../registry/index.js';
import type { Clock } from '../system.js';
import type { SymbolsInfo } from './index.js';
import type { FindSymbols, SymbolsAt } from './reading.js';
import type { SymbolCheck, SymbolFacts } from './symbol-reading.js';
import { type ReceivedSymbols, receiveSymbols, type SymbolUploadLimits } from './symbol-upload.js';

/** What {@link createSymbolStore} needs. */
export interface SymbolStoreOptions {
  readonly registry: Registry;
  readonly files: Files;
  readonly clock: Clock;
  readonly limits: SymbolUploadLimits;
  /** Most MiB of an account's files; 0 for no limit. */
  readonly quota: number;
  /** Path of a new file that the store of files can take; swept at the next start if nobody does. */
  newFile(): string;
  /** `checkSymbols` in a worker thread under its limits. Throws Failure if it takes too long. */
  check(path: string): Promise<SymbolCheck>;
}

/** Symbol files by account. */
export interface SymbolStore {
  /**
   * Takes a file in place of one with the same debug id. Throws Failure `invalid-symbols`, `invalid-body`,
   * `too-large`, `unsupported-media-type`, `unavailable`.
   */
  accept(accountId: string, body: Readable, contentEncoding: string | undefined): Promise<SymbolsInfo>;
  /** Newest first. */
  list(accountId: string): Promise<readonly SymbolsInfo[]>;
  /** Removes a file, its id in any letter case; false if there is none. */
  remove(accountId: string, debugId: string): Promise<boolean>;
  /** Removes all files of an account; returns how many. */
  removeAll(accountId: string): Promise<number>;
  /** Whether an account has any at all. */
  any(accountId: string): Promise<boolean>;
  /** Removes files without a row: a process that ended between the two left them. Once is enough. */
  sweep(): Promise<void>;
  /** The symbols of modules, by debug id, else by code id. */
  readonly find: FindSymbols;
}

const mib = 1024 * 1024;

/** Values of one statement; far below what registries bind. */
const idsAtOnce = 200;

const columns =
  'module, debug_id, code_id, os, architecture, bytes, functions, content_hash, stored_at' as const;

function infoOf(row: RegistryRow): SymbolsInfo {
  return {
    module: String(row.module),
    debugId: String(row.debug_id),
    codeId: row.code_id === null ? null : String(row.code_id),
    os: String(row.os),
    architecture: String(row.architecture),
    bytes: Number(row.bytes),
    functions: Number(row.functions),
    storedAt: new Date(Number(row.stored_at)).toISOString(),
  };
}

/** What was refused, as the sender is told. */
function refusal({ code, message }: { readonly code: string; readonly message: string }): Failure {
  return new Failure(code === 'too-large' || code === 'too-many-records' ? 'too-large' : 'invalid-symbols', [
    message,
  ]);
}

/** Opens the store; nothing is read before it is asked for. */
export function createSymbolStore(options: SymbolStoreOptions): SymbolStore {
  const { registry, files, clock, limits, quota } = options;
  /** Accounts that have none, as long as none is stored; one process writes. */
  const without = new Set<string>();
  let stores = 0;
  /** File and row of one id change together. */
  const locks = new KeyLocks();

  async function keep(accountId: string, path: string, facts: SymbolFacts, received: ReceivedSymbols) {
    await files.take(path, symbolFileKey(accountId, facts.debugId));
    await registry.all(
      `INSERT INTO symbols (account_id, ${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (account_id, debug_id) DO UPDATE SET module = excluded.module, code_id = excluded.code_id,
         os = excluded.os, architecture = excluded.architecture, bytes = excluded.bytes,
         functions = excluded.functions, content_hash = excluded.content_hash, stored_at = excluded.stored_at`,
      [
        accountId,
        facts.module,
        facts.debugId,
        facts.codeId,
        facts.os,
        facts.architecture,
        received.bytes,
        facts.functions,
        received.hash,
        clock.now(),
      ],
    );
    stores += 1;
    without.delete(accountId);
    const row = await one(accountId, facts.debugId);
    if (row === undefined) throw new TypeError(`the symbols ${facts.debugId} are gone under their lock`);
    return infoOf(row);
  }

  /** Throws Failure `too-large` if a file does not fit beside the account's others. */
  async function checkQuota(accountId: string, debugId: string, bytes: number): Promise<void> {
    if (quota === 0) return;
    const row = await registry.get(
      'SELECT coalesce(sum(bytes), 0) AS bytes FROM symbols WHERE account_id = $1 AND debug_id <> $2',
      [accountId, debugId],
    );
    const taken = Number(row?.bytes);
    if (taken + bytes <= quota * mib) return;
    throw new Failure('too-large', [
      `The other symbol files of the account take ${Math.ceil(taken / mib)} MiB, this one ${Math.ceil(bytes / mib)} MiB; together they may take ${quota} MiB (symbols-quota-mib).`,
    ]);
  }

  async function one(accountId: string, debugId: string): Promise<RegistryRow | undefined> {
    return await registry.get(`SELECT ${columns} FROM symbols WHERE account_id = $1 AND debug_id = $2`, [
      accountId,
      debugId,
    ]);
  }

  /** Rows whose id in a column is one of some, by that id; of several the one stored last. */
  async function rowsBy(accountId: string, column: 'debug_id' | 'code_id', ids: ReadonlySet<string>) {
    const found = new Map<string, RegistryRow>();
    const all = [...ids];
    for (let at = 0; at < all.length; at += idsAtOnce) {
      const some = all.slice(at, at + idsAtOnce);
      const rows = await registry.all(
        `SELECT debug_id, code_id, content_hash FROM symbols WHERE account_id = $1
         AND ${column} IN (${some.map((_, index) => `$${index + 2}`).join(', ')}) ORDER BY stored_at, debug_id`,
        [accountId, ...some],
      );
      for (const row of rows) found.set(String(row[column]), row);
    }
    return found;
  }

  async function stored(accountId: string, row: RegistryRow): Promise<Omit<SymbolsAt, 'module'> | undefined> {
    const debugId = String(row.debug_id);
    const path = await files.localPath(symbolFileKey(accountId, debugId));
    return path === undefined ? undefined : { path, version: `${accountId}/${debugId}/${row.content_hash}` };
  }

  /** Most accounts have none; that costs one look in all. */
  async function any(accountId: string): Promise<boolean> {
    if (without.has(accountId)) return false;
    const before = stores;
    const found = await registry.get('SELECT 1 AS one FROM symbols WHERE account_id = $1 LIMIT 1', [
      accountId,
    ]);
    if (found === undefined && stores === before) without.add(accountId);
    return found !== undefined;
  }

  async function remove(accountId: string, debugId: string): Promise<boolean> {
    const id = debugId.toUpperCase();
    return await locks.run(`${accountId}/${id}`, async () => {
      if ((await one(accountId, id)) === undefined) return false;
      await registry.all('DELETE FROM symbols WHERE account_id = $1 AND debug_id = $2', [accountId, id]);
      await files.remove(symbolFileKey(accountId, id));
      return true;
    });
  }

  return {
    any,

    async accept(accountId, body, contentEncoding) {
      const path = options.newFile();
      try {
        const received = await receiveSymbols(body, contentEncoding, limits, path);
        const checked = await options.check(path);
        if ('refused' in checked) throw refusal(checked.refused);
        const { facts } = checked;
        await checkQuota(accountId, facts.debugId, received.bytes);
        return await locks.run(`${accountId}/${facts.debugId}`, () => keep(accountId, path, facts, received));
      } finally {
        await rm(path, { force: true });
      }
    },

    async list(accountId) {
      const rows = await registry.all(
        `SELECT ${columns} FROM symbols WHERE account_id = $1 ORDER BY stored_at DESC, debug_id`,
        [accountId],
      );
      return rows.map(infoOf);
    },

    remove,

    async removeAll(accountId) {
      let removed = 0;
      const rows = await registry.all('SELECT debug_id FROM symbols WHERE account_id = $1', [accountId]);
      for (const row of rows) if (await remove(accountId, String(row.debug_id))) removed += 1;
      return removed;
    },

    async sweep() {
      for (const folder of await files.list('symbols')) {
        const accountId = folder.replace(/\/$/, '');
        for (const name of await files.list(`symbols/${accountId}`)) {
          const debugId = name.replace(/\.sym\.gz$/, '');
          // What is being taken in meanwhile has its row once the lock is free.
          await locks.run(`${accountId}/${debugId}`, async () => {
            if ((await one(accountId, debugId)) === undefined)
              await files.remove(`symbols/${accountId}/${name}`);
          });
        }
      }
    },

    async find(accountId, modules) {
      if (!(await any(accountId))) return [];
      const idsOf = (name: 'debugId' | 'codeId') =>
        new Set(modules.flatMap((module) => module[name]?.toUpperCase() ?? []));
      const byDebugId = await rowsBy(accountId, 'debug_id', idsOf('debugId'));
      const byCodeId = await rowsBy(accountId, 'code_id', idsOf('codeId'));
      const found: SymbolsAt[] = [];
      for (const [module, { debugId, codeId }] of modules.entries()) {
        const row = byDebugId.get(debugId?.toUpperCase() ?? '') ?? byCodeId.get(codeId?.toUpperCase() ?? '');
        const at = row === undefined ? undefined : await stored(accountId, row);
        if (at !== undefined) found.push({ module, ...at });
      }
      return found;
    },
  };
}
