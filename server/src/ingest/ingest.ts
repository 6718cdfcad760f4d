/**
 * Ingestion: takes batches of rows, all of one or nothing, and answers when they are durable. After a crash the spool
 * repeats what was begun. Knows no HTTP; who the caller is and which products the account has is handed in. This file
 * wires the steps and counts what is under way.
 */
import { join } from 'node:path';
import type { Settings } from '../config.js';
import type { Engine } from '../engine/index.js';
import type { Files } from '../files/index.js';
import type { Ledger, Rollups } from '../ledger/index.js';
import { KeyLocks } from '../locks.js';
import type { Log } from '../log.js';
import { createSums } from '../sums/index.js';
import type { Clock, Random } from '../system.js';
import { busy } from './answers.js';
import type { Completions } from './complete.js';
import { Housekeeping } from './housekeeping.js';
import type { Ingest } from './index.js';
import { Kept } from './kept.js';
import { MadeBatches } from './made.js';
import { MirroredDays } from './mirrored.js';
import { rowProblems } from './one-row.js';
import { Purge } from './purge.js';
import { IncomingBatches } from './received.js';
import { removeAccount } from './removed-account.js';
import { Spool } from './spool.js';
import { Store } from './store.js';

/** What {@link createIngest} needs; `folder` is the data folder. */
export interface IngestOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly rollups: Rollups;
  /** Where the files of made batches go. */
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  readonly folder: string;
  /** How rows are completed, for datasets that ask for it. */
  readonly complete: Completions;
  /** Hears of batches that were given up while nobody waited for an answer. */
  readonly log: Pick<Log, 'warn'>;
}

/** Opens the spool and wires the steps. Call `replay` before the first batch. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { engine, ledger, rollups, files, clock, random, settings, complete, log } = options;
  const spool = await Spool.open(join(options.folder, 'spool'), random);
  const embedded = engine.kind === 'chdb';
  const store = new Store(engine, ledger, spool, files, embedded ? 1 : settings.sessions);
  const grace = settings['query-seconds'] * 1000;
  const purge = new Purge(engine, ledger, grace);
  const leastRows = settings['rollup-rows'];
  const sums = createSums({ engine, ledger, rollups, leastRows, embedded, grace });
  const locks = new KeyLocks();
  const kept = new Kept();
  const parts = { engine, ledger, spool, store, kept, locks, clock, settings, complete };
  const made = new MadeBatches({ ...parts, maxKept: settings['ingest-queue'] });
  const housekeeping = new Housekeeping({ ...parts, purge, sums, embedded, log });
  const running = new Set<Promise<unknown>>();
  /** Of those that are running. */
  let receiving = 0;
  let closed = false;
  let keeping: Promise<void> | undefined;

  /** Runs work that `close` waits for. */
  async function run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = work();
    const ended = result.catch(() => undefined).finally(() => running.delete(ended));
    running.add(ended);
    return await result;
  }

  const behind = (work: () => Promise<void>) => {
    run(work).catch((err: unknown) => {
      log.warn({ err }, 'files of a stored batch could not be removed; the next start tries again');
    });
  };
  const incoming = new IncomingBatches({ ...parts, behind });
  const mirrored = new MirroredDays({ ...parts, behind });

  async function inQueue<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closed) throw busy('The server is stopping.');
    if (receiving + kept.size >= settings['ingest-queue']) {
      throw busy(`${settings['ingest-queue']} batches are being received or stored.`);
    }
    receiving += 1;
    return await run(() =>
      work().finally(() => {
        receiving -= 1;
      }),
    );
  }

  return {
    accept: (request) => inQueue(() => incoming.take(request)),

    inQueue,

    prepareDay: (day) => mirrored.prepare(day),

    storeDay: (day, batchId) => mirrored.store(day, batchId),

    dropDay: (day) => mirrored.drop(day),

    async store(batch) {
      if (closed) {
        await spool.drop(batch.files.map(({ path }) => spool.nameOf(path)));
        throw busy('The server is stopping.');
      }
      return await run(() => made.store(batch));
    },

    problems: (dataset, json, products) => rowProblems(dataset, json, clock.now(), products),

    newFile: () => spool.newFile(),

    replay: () => housekeeping.replay(),

    purge() {
      keeping ??= housekeeping.run().finally(() => {
        keeping = undefined;
      });
      return keeping;
    },

    removeAccount: (accountId) => run(() => removeAccount({ engine, ledger, rollups }, accountId)),

    async close() {
      closed = true;
      sums.stop();
      await Promise.allSettled([...running, keeping]);
    },
  };
}
