/**
 * The crash side put together. A crash comes in by these steps: query, body into a file, event, limits of the product,
 * reading in a thread, row, store. Only the last one leaves anything behind.
 */
import { open, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { datasets } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { Settings } from '../config.js';
import type { Engine } from '../engine/index.js';
import { Failure } from '../failure.js';
import { crashFileKey, type Files, removeCrashFiles, sweepCrashFiles } from '../files/index.js';
import type { Ingest } from '../ingest/index.js';
import type { Ledger } from '../ledger/index.js';
import type { Log } from '../log.js';
import { RateLimit } from '../rate-limit.js';
import type { Registry } from '../registry/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import { bodyHash, type CrashEvent, checkQuery, givesFrames, mergedRow, readEvent } from './crash-event.js';
import { openCrashIds } from './crash-ids.js';
import { failureMode } from './failure-hash.js';
import { failureRow } from './failure-row.js';
import type { AcceptedCrash, Crashes, IncomingCrash } from './index.js';
import { Quota, type QuotaOwner } from './quota.js';
import { createReaders, type FindFor } from './readers.js';
import type { Reading, ReadingTask } from './reading.js';
import { createReprocess } from './reprocess.js';
import { storedCrash } from './stored-crash.js';
import { createSymbolStore } from './symbol-store.js';
import { defaultSymbolLimits } from './symbols.js';
import { receiveUpload, type Upload } from './upload.js';

/** What {@link createCrashes} needs. */
export interface CrashesOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly ingest: Ingest;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  readonly log: Pick<Log, 'error' | 'warn'>;
}

const mib = 1024 * 1024;

/** The dataset of the rows. */
function failuresEntry() {
  const { failures } = datasets;
  if (failures === undefined) throw new TypeError('there is no dataset failures');
  return failures;
}

function busy(sentence: string): Failure {
  return new Failure('unavailable', [sentence], { retryAfter: 2 });
}

/** Makes a file durable; returns its size. */
async function synced(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    await file.datasync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Opens the crash side. */
export async function createCrashes(options: CrashesOptions): Promise<Crashes> {
  const { engine, ledger, registry, ingest, clock, random, settings, log } = options;
  const failures = failuresEntry();
  const idsOf = await openCrashIds(registry, random);
  const rate = new RateLimit(settings['crash-rate'], clock, {
    plural: 'crashes of the product',
    setting: 'crash-rate',
  });
  const quota = new Quota({
    engine,
    clock,
    most: settings['crash-quota-mib'],
    days: settings['crash-file-days'],
  });
  const threads = Math.min(2, availableParallelism());
  const readers = createReaders({
    threads,
    queueLength: settings['ingest-queue'],
    milliseconds: settings['crash-seconds'] * 1000,
    log,
  });
  const symbols = createSymbolStore({
    registry,
    files: options.files,
    clock,
    quota: settings['symbols-quota-mib'],
    limits: {
      wireBytes: settings['max-body-mib'] * mib,
      unpackedBytes: defaultSymbolLimits.bytes,
      ratio: settings['max-ratio'],
    },
    newFile: () => ingest.newFile(),
    check: (path) => readers.check(path),
  });
  const keepFiles = settings['crash-files'] === 'keep';
  const running = new Set<Promise<unknown>>();
  let closed = false;
  let swept = false;

  const taskOf = (file: ReadingTask['file'], keepTo: string | undefined): ReadingTask => ({
    file,
    keepTo,
    read: true,
    unpackedBytes: settings['max-crash-unpacked-mib'] * mib,
    now: clock.now(),
  });

  /** Undefined for an account that has no symbols. */
  async function finderOf(accountId: string): Promise<FindFor | undefined> {
    if (!(await symbols.any(accountId))) return undefined;
    return (modules) => symbols.find(accountId, modules);
  }

  /** The file read in a thread, and kept at a path if that is asked. Throws for files that are refused. */
  async function read(
    accountId: string,
    file: ReadingTask['file'],
    keepTo: string | undefined,
  ): Promise<Reading> {
    const task = taskOf(file, keepTo);
    const first = await readers.read(task, await finderOf(accountId));
    if (first.outcome === 'done') return first.reading;
    if (first.outcome === 'refused') throw new Failure('invalid-crash-file', [first.sentence]);
    // What the thread had written when it was ended may be half a cabinet.
    if (keepTo !== undefined) await rm(keepTo, { force: true });
    const second = await readers.read({ ...task, read: false }, undefined);
    if (second.outcome === 'refused') throw new Failure('invalid-crash-file', [second.sentence]);
    if (second.outcome === 'given up') {
      throw new Failure('unavailable', [`The crash file cannot be taken now: ${second.sentence}`], {
        retryAfter: 30,
      });
    }
    return { ...second.reading, processed: first.sentence };
  }

  /** Whose crash it is, with the registry's spelling of the product. */
  function ownerOf({ accountId, products }: IncomingCrash, { row }: CrashEvent): QuotaOwner {
    const id = typeof row.applicationId === 'string' ? row.applicationId : '';
    return {
      accountId,
      source: asciiLower(String(row.source)),
      applicationId: products.find(id)?.id ?? '',
    };
  }

  function refuseUnnamed({ row }: CrashEvent, { processed }: Reading): void {
    const source = asciiLower(String(row.source));
    const named = typeof row.failureName === 'string' && row.failureName.trim() !== '';
    if (processed === 'read' || named || failureMode(source) === 'um') return;
    throw new Failure('invalid-crash-file', [
      `${processed} A failure of source '${source}' needs a failureName then.`,
    ]);
  }

  async function storeCrash(
    crash: IncomingCrash,
    received: { readonly upload: Upload; readonly event: CrashEvent; readonly path: string },
    pending: Set<string>,
  ): Promise<AcceptedCrash> {
    const { accountId } = crash;
    const { upload, event, path } = received;
    const receipt = clock.now();
    const owner = ownerOf(crash, event);
    rate.take(Object.values(owner).join('\n'));
    const batch = crash.idempotencyKey ?? newGuid(random);
    const hash = bodyHash(crash, upload);
    const ids = idsOf(accountId, batch, hash);
    const detail = () => storedCrash({ engine, ledger }, accountId, ids.cabIdHash);
    try {
      await quota.check(owner, keepFiles ? upload.bytes : 0);
    } catch (error) {
      // A crash that comes again, because its answer was lost, takes no more room.
      if (crash.idempotencyKey === undefined || (await detail()) === undefined) throw error;
    }
    const keepTo = keepFiles ? ingest.newFile() : undefined;
    if (keepTo !== undefined) pending.add(keepTo);
    const reading = await read(accountId, upload.content ?? path, keepTo);
    refuseUnnamed(event, reading);
    // A cabinet that lies in a file stays there.
    const file = reading.written === undefined && keepFiles ? path : keepTo;
    const bytes = file === undefined ? 0 : (reading.written ?? (await synced(file)));
    const row = failureRow(
      {
        ...mergedRow(event, reading.facts, receipt),
        source: owner.source,
        applicationId: owner.applicationId,
      },
      {
        ...ids,
        cabBytes: bytes,
        processed: reading.processed,
        exception: reading.facts?.exception,
        frames: givesFrames(event) ? undefined : reading.facts?.frames,
      },
    );
    const day = new Date(String(row.timestamp)).toISOString().slice(0, 10);
    if (file !== undefined) pending.delete(file);
    const { duplicate } = await ingest.store({
      accountId,
      dataset: failures,
      batchId: batch,
      bodyHash: hash,
      rows: [row],
      files: file === undefined ? [] : [{ path: file, key: crashFileKey(accountId, day, ids.cabIdHash) }],
    });
    if (!duplicate) quota.add(owner, bytes);
    const stored = duplicate ? await detail() : undefined;
    return {
      dataset: 'failures',
      accepted: 1,
      batch,
      duplicate,
      ...ids,
      failureName: stored?.failureName ?? String(row.failureName),
      failureHash: stored?.failureHash ?? String(row.failureHash),
      processed: stored?.processed ?? reading.processed,
    };
  }

  async function take(crash: IncomingCrash): Promise<AcceptedCrash> {
    checkQuery(crash);
    const path = ingest.newFile();
    const pending = new Set([path]);
    try {
      const upload = await receiveUpload({ ...crash, maxFileMib: settings['max-crash-mib'], path });
      if (upload.content !== undefined) pending.delete(path);
      const event = readEvent({ ...crash, event: upload.event }, clock.now());
      const problems = ingest.problems(failures, event.json, crash.products);
      if (problems.length > 0) throw new Failure('invalid-rows', problems);
      return await storeCrash(crash, { upload, event, path }, pending);
    } finally {
      for (const left of pending) await rm(left, { force: true });
    }
  }

  const reprocess = createReprocess({
    engine,
    ledger,
    files: options.files,
    ingest,
    dataset: failures,
    clock,
    random,
    atOnce: threads,
    async read(accountId, path) {
      const found = await readers.read(taskOf(path, undefined), await finderOf(accountId));
      return found.outcome === 'done' ? found.reading : undefined;
    },
  });

  /** Work that a stop waits for; so much of it at a time. */
  async function counted<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closed) throw busy('The server is stopping.');
    if (running.size >= settings['ingest-queue']) {
      throw busy(`${running.size} crashes are being received or stored.`);
    }
    const begun = work();
    const ended = begun.catch(() => undefined).finally(() => running.delete(ended));
    running.add(ended);
    return await begun;
  }

  return {
    accept: (crash) => counted(() => take(crash)),

    crash: (accountId, cabIdHash) => storedCrash({ engine, ledger }, accountId, asciiLower(cabIdHash)),

    acceptSymbols: (accountId, body, contentEncoding) =>
      counted(() => symbols.accept(accountId, body, contentEncoding)),
    symbols: (accountId) => symbols.list(accountId),
    removeSymbols: (accountId, debugId) => symbols.remove(accountId, debugId),
    reprocess: (request) => counted(() => reprocess(request)),
    async sweep() {
      if (!swept) await symbols.sweep();
      swept = true;
      return await sweepCrashFiles(options.files, settings['crash-file-days'], clock);
    },

    async removeFiles(accountId) {
      return (await symbols.removeAll(accountId)) + (await removeCrashFiles(options.files, accountId));
    },

    async close() {
      closed = true;
      await Promise.allSettled(running);
      await readers.close();
    },
  };
}
