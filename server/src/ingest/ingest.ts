/**
 * Ingestion: takes a batch of rows, all of it or nothing, and answers when it is durable. The steps of a batch, in
 * order: media type, spool, scan, commit number, insert, done. After a crash the spool repeats what was begun. Knows
 * no HTTP; who the caller is and which products the account has is handed in.
 */
import { join } from 'node:path';
import type { DatasetEntry } from '@storelens/contract';
import type { Settings } from '../config.js';
import type { Engine } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { CommitRequest, Ledger, OpenCommit } from '../ledger/index.js';
import { KeyLocks } from '../locks.js';
import type { Log } from '../log.js';
import { type Clock, newGuid, type Random } from '../system.js';
import { type Completions, completeRows } from './complete.js';
import { headerKeys, headerProblems } from './csv-rows.js';
import { csvScanner } from './csv-scanner.js';
import { explainRows, maxProblems } from './explain.js';
import type { AcceptedBatch, IncomingBatch, Ingest } from './index.js';
import { jsonScanner } from './json-scanner.js';
import { BodyLimits } from './limits.js';
import { type BatchFormat, type Media, readIdempotencyKey, readMedia } from './media.js';
import { Purge } from './purge.js';
import { type Received, receive } from './receive.js';
import { type Facts, factsOf } from './rules.js';
import type { Scan } from './scanner.js';
import { Spool, type Staged } from './spool.js';
import { statementOf } from './statement.js';
import { type Outcome, RefusedRows, Store } from './store.js';

/** What {@link createIngest} needs; `folder` is the data folder. */
export interface IngestOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  readonly folder: string;
  /** How rows are completed, for datasets that ask for it. */
  readonly complete: Completions;
  /** Hears of batches that were given up while nobody waited for an answer. */
  readonly log: Pick<Log, 'warn'>;
}

/** How long an Idempotency-Key is remembered. */
const rememberedMilliseconds = 30 * 86_400_000;

/** Longest that an insert may still be under way on a server after the process that sent it has gone. */
const leaseMilliseconds = 15 * 60 * 1000;

/** A good body in the spool. */
interface Checked {
  readonly id: string;
  readonly format: BatchFormat;
  readonly received: Received;
  readonly facts: Facts;
}

/** Refuses what the scanner found, in the words of the second pass. */
function merged(problems: readonly string[], scan: Scan): readonly string[] {
  const { problem } = scan;
  if (problem?.row === 0) return [`header: ${problem.text}`];
  // The scanner is stricter about syntax than the second pass.
  if (problem === undefined || problems.some((one) => one.startsWith(`row ${problem.row}:`))) return problems;
  const rowOf = (text: string) => Number(/^row (\d+)/.exec(text)?.[1] ?? 0);
  return [...problems, `row ${problem.row}: ${problem.text}`]
    .sort((a, b) => rowOf(a) - rowOf(b))
    .slice(0, maxProblems);
}

function busy(sentence: string): Failure {
  return new Failure('unavailable', [sentence], { retryAfter: 2 });
}

/** Opens the spool and wires the steps. Call `replay` before the first batch. */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { engine, ledger, clock, random, settings, log } = options;
  const { complete } = options;
  const spool = await Spool.open(join(options.folder, 'spool'), random);
  const embedded = engine.kind === 'chdb';
  const store = new Store(engine, ledger, spool, embedded ? 1 : settings.sessions);
  const purge = new Purge(engine, ledger, settings['query-seconds'] * 1000);
  const locks = new KeyLocks();
  /** Received batches whose commit is open, by commit. */
  const kept = new Map<string, Staged>();
  const running = new Set<Promise<unknown>>();
  let closed = false;
  let housekeeping: Promise<void> | undefined;

  const commitKey = ({ accountId, seq }: OpenCommit) => `${accountId}\n${seq}`;
  const batchKey = ({
    accountId,
    dataset,
    batchId,
  }: Pick<CommitRequest, 'accountId' | 'dataset' | 'batchId'>) => `${accountId}\n${dataset}\n${batchId}`;

  /** Step 2: the body into the spool, counted, hashed and scanned on the way. */
  async function spoolBody(request: IncomingBatch, media: Media, id: string): Promise<Checked> {
    const { dataset, products, body, contentLength } = request;
    const limits = new BodyLimits(settings);
    limits.announced(contentLength);
    const csv = media.format === 'csv' ? csvScanner() : undefined;
    const scanner = csv ?? jsonScanner(dataset, media.format === 'array' ? 'array' : 'lines');
    const received = await receive(body, media, limits, scanner, spool.rowsFile(id));
    const { scan } = received;
    limits.rows(scan.rows);
    const keys = csv?.header();
    const header = keys === undefined ? [] : headerProblems(dataset, headerKeys(keys));
    if (header.length > 0) throw new Failure('invalid-rows', header.slice(0, maxProblems));
    const facts = factsOf(clock.now(), products);
    if (scan.problem !== undefined) {
      const problems = await explainRows(spool.rowsFile(id), dataset, media.format, facts);
      throw new Failure('invalid-rows', merged(problems, scan));
    }
    if (scan.rows === 0) throw new Failure('invalid-body', ['The batch has no rows.']);
    if (dataset.completed !== undefined) {
      const [from, to] = [spool.rowsFile(id), spool.rowsFile(id, 'complete')];
      const good = await completeRows(from, to, dataset, media.format, complete[dataset.completed]);
      if (!good) throw await refusal(dataset, { id, format: media.format, facts });
    }
    return { id, format: media.format, received, facts };
  }

  /** Step 3 and 4: the commit number, and the files from which its insert can be repeated. */
  async function begin(request: IncomingBatch, batchId: string, checked: Checked) {
    const { dataset, accountId } = request;
    const { hash: bodyHash, scan } = checked.received;
    const begun = await ledger.begin({
      accountId,
      dataset: dataset.name,
      batchId,
      bodyHash,
      rows: scan.rows,
    });
    if (begun.outcome !== 'open') return begun;
    const { commit, takenOver } = begun;
    const reads = dataset.completed === undefined ? 'rows' : 'complete';
    const reading = checked.format === 'csv' && reads === 'rows' ? 'csv' : 'json';
    const staged: Staged = {
      id: checked.id,
      commit,
      statement: statementOf(dataset, reading, checked.facts, commit),
      reads,
    };
    try {
      await spool.stage(staged);
    } catch (cause) {
      if (!takenOver) await ledger.abandon(commit);
      throw new Failure('unavailable', ['The batch cannot be written to disk.'], { retryAfter: 30, cause });
    }
    const earlier = kept.get(commitKey(commit));
    kept.set(commitKey(commit), staged);
    if (earlier !== undefined) await spool.remove(earlier.id);
    return { ...begun, staged };
  }

  /** Step 5: insert and done. What is settled needs no files any longer, but for the explanation. */
  async function settle(staged: Staged, repeated: boolean): Promise<Outcome> {
    const result = await store.settle(staged, repeated);
    if (result.outcome !== 'open') kept.delete(commitKey(staged.commit));
    return result;
  }

  /** In words, why a batch that the scanner let pass was refused. */
  async function refusal(
    dataset: DatasetEntry,
    { id, format, facts }: Pick<Checked, 'id' | 'format' | 'facts'>,
    error?: RefusedRows,
  ): Promise<Failure> {
    const problems = await explainRows(spool.rowsFile(id), dataset, format, facts);
    if (problems.length > 0) return new Failure('invalid-rows', problems);
    const row = error?.row === undefined ? 'The rows were refused' : `row ${error.row}: refused`;
    return new Failure('invalid-rows', [`${row} by a check that names no field.`], { cause: error });
  }

  async function storeBatch(
    request: IncomingBatch,
    batchId: string,
    checked: Checked,
  ): Promise<AcceptedBatch> {
    const rows = checked.received.scan.rows;
    const answer = { dataset: request.dataset.name, accepted: rows, batch: batchId, duplicate: false };
    const begun = await store.inTurn(async () => {
      const found = await begin(request, batchId, checked);
      return 'staged' in found ? { ...found, result: await settle(found.staged, found.takenOver) } : found;
    });
    switch (begun.outcome) {
      case 'duplicate':
        return { ...answer, accepted: begun.rows, duplicate: true };
      case 'conflict':
        throw new Failure('conflict', [
          `Idempotency-Key '${batchId}' was used for another body of dataset ${request.dataset.name}.`,
        ]);
      case 'closing':
        throw busy('An earlier attempt of this batch is being removed.');
      case 'open': {
        if (begun.result.outcome === 'done') return answer;
        const { error } = begun.result;
        throw error instanceof RefusedRows ? await refusal(request.dataset, checked, error) : error;
      }
    }
  }

  async function take(request: IncomingBatch): Promise<AcceptedBatch> {
    const media = readMedia(request.contentType, request.contentEncoding);
    const batchId = readIdempotencyKey(request.idempotencyKey) ?? newGuid(random);
    const id = spool.newId();
    try {
      const checked = await spoolBody(request, media, id);
      const key = batchKey({ ...request, dataset: request.dataset.name, batchId });
      return await locks.run(key, () => storeBatch(request, batchId, checked));
    } finally {
      if (![...kept.values()].some((staged) => staged.id === id)) await spool.remove(id);
    }
  }

  /** Repeats the insert of a kept batch, unless a retry of its sender did so meanwhile. */
  async function repeat(staged: Staged): Promise<void> {
    await locks.run(batchKey(staged.commit), async () => {
      if (kept.get(commitKey(staged.commit)) !== staged) return;
      const result = await store.inTurn(() => settle(staged, true));
      if (result.outcome !== 'open') await spool.remove(staged.id);
      if (result.outcome === 'ended') {
        const { accountId, dataset, seq } = staged.commit;
        log.warn({ err: result.error, accountId, dataset, seq }, 'a kept batch was given up');
      }
    });
  }

  /** One step of the housekeeping that fails must not keep the others from being done. */
  async function keepHouse(): Promise<void> {
    const now = clock.now();
    const steps: readonly (() => Promise<unknown>)[] = [
      ...[...kept.values()].map((staged) => () => repeat(staged)),
      giveUpOrphans,
      () => removeClosing(now),
      () => purge.run(now),
      () => ledger.forgetBatches(now - rememberedMilliseconds),
    ];
    const failed: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failed.push(error));
    if (failed.length > 0)
      throw new AggregateError(failed, `${failed.length} steps of the housekeeping failed`);
  }

  /**
   * Gives up open commits whose batch is neither kept nor running: the registry failed when they were to be ended.
   * Left alone, they would hold their account's snapshot down. Who holds the lock of a batch is alone with it.
   */
  async function giveUpOrphans(): Promise<void> {
    for (const { commit, state } of await ledger.unfinished()) {
      if (state !== 'open' || kept.has(commitKey(commit))) continue;
      await locks.run(batchKey(commit), async () => {
        if (!kept.has(commitKey(commit))) await ledger.giveUp(commit);
      });
    }
  }

  /** Removes commits that were given up, once no insert of theirs can be under way any longer. */
  async function removeClosing(now: number): Promise<void> {
    for (const { commit, state, begunAt } of await ledger.unfinished()) {
      const over = embedded || begunAt + leaseMilliseconds <= now;
      if (state === 'closing' && over) await store.remove(commit);
    }
  }

  return {
    async accept(request) {
      if (closed) throw busy('The server is stopping.');
      if (running.size + kept.size >= settings['ingest-queue']) {
        throw busy(`${settings['ingest-queue']} batches are being received or stored.`);
      }
      const work = take(request);
      const ended = work.catch(() => undefined).finally(() => running.delete(ended));
      running.add(ended);
      return await work;
    },

    async store() {
      throw new TypeError('made batches are not stored yet');
    },

    problems() {
      throw new TypeError('single rows are not checked yet');
    },

    newFile() {
      throw new TypeError('there are no files yet');
    },

    async replay() {
      for (const staged of await spool.recover()) kept.set(commitKey(staged.commit), staged);
      const open = new Set<string>();
      for (const { commit, state } of await ledger.unfinished()) {
        const staged = kept.get(commitKey(commit));
        if (state === 'open' && staged !== undefined) {
          open.add(commitKey(commit));
          await repeat(staged);
        } else await ledger.giveUp(commit);
      }
      // Statements of commits that were settled before their files could be removed.
      for (const [key, staged] of kept) {
        if (open.has(key)) continue;
        kept.delete(key);
        await spool.remove(staged.id);
      }
      await removeClosing(clock.now());
    },

    purge() {
      housekeeping ??= keepHouse().finally(() => {
        housekeeping = undefined;
      });
      return housekeeping;
    },

    async close() {
      closed = true;
      await Promise.allSettled([...running, housekeeping]);
    },
  };
}
