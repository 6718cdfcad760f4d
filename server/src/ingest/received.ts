/**
 * Batches that come in. The steps, in order: media type, memory or spool, scan, completion, commit number, insert,
 * done. Small ones take the last three in groups; each of the others has an insert of its own.
 */
import type { DatasetEntry } from '@storelens/contract';
import type { Settings } from '../config.js';
import { type Engine, EngineError } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { Ledger } from '../ledger/index.js';
import type { KeyLocks } from '../locks.js';
import type { Clock } from '../system.js';
import { busy, conflict, onDisk } from './answers.js';
import { type Completions, completeRows } from './complete.js';
import { headerKeys, headerProblems } from './csv-rows.js';
import { csvScanner } from './csv-scanner.js';
import { explainRows, maxProblems } from './explain.js';
import { explainParquet } from './explain-parquet.js';
import type { Groups } from './group.js';
import type { AcceptedBatch, IncomingBatch } from './index.js';
import { jsonScanner } from './json-scanner.js';
import { batchKey, type Kept } from './kept.js';
import { BodyLimits } from './limits.js';
import { type Media, type RowFormat, readIdempotencyKey, readMedia } from './media.js';
import { settleOwn, stageOwn } from './own-insert.js';
import { packRows } from './packed.js';
import type { ParquetReading } from './parquet-columns.js';
import { type Received, receive } from './receive.js';
import { receiveParquet } from './receive-parquet.js';
import { type Facts, factsOf } from './rules.js';
import type { Scan } from './scanner.js';
import { bareRows, type SmallBatch, smallBatches, smallBytes } from './small.js';
import type { Days, Spool, Staged } from './spool.js';
import { statementOf } from './statement.js';
import { RefusedRows, type Store } from './store.js';
import { inSlice } from './turns.js';

/** A good body, in memory or in the spool. */
export interface Checked {
  readonly id: string;
  /** How its rows are read. */
  readonly source: RowFormat | ParquetReading;
  /** The header line of CSV. */
  readonly header: string | undefined;
  readonly received: Received;
  /** What the values are held against; to make it takes as long as the account has products. */
  readonly facts: () => Facts;
  /** First and last day of its rows, if they are known and the check holds them to it. */
  readonly days?: Days;
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

function isFault(error: unknown): boolean {
  return error instanceof EngineError && error.kind === 'fault';
}

/** What batches that come in work with. */
export interface IncomingParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly store: Store;
  readonly kept: Kept;
  readonly locks: KeyLocks;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly complete: Completions;
  /** Runs work that no answer waits for, but `close`. */
  readonly behind: (work: () => Promise<void>) => void;
}

/** Takes batches in, one after the other under the same key. */
export class IncomingBatches {
  readonly #small: Groups<SmallBatch>;

  constructor(readonly parts: IncomingParts) {
    this.#small = smallBatches(parts);
  }

  /** Stores a batch. Throws Failure as `Ingest.accept` says. */
  async take(request: IncomingBatch): Promise<AcceptedBatch> {
    const { spool, kept, locks, behind } = this.parts;
    const media = readMedia(request.contentType, request.contentEncoding);
    const batchId = readIdempotencyKey(request.idempotencyKey) ?? spool.newId();
    const id = spool.newId();
    let inMemory = false;
    let stored = false;
    try {
      const checked = await this.#receive(request, media, id);
      const { body } = checked.received;
      inMemory = body !== undefined;
      if (body !== undefined) return await this.#share(request, batchId, checked, body);
      const key = batchKey({ ...request, dataset: request.dataset.name, batchId });
      const answer = await locks.run(key, () => this.#store(request, batchId, checked));
      stored = !kept.holds(id);
      return answer;
    } finally {
      // To remove a file of 30 MB takes up to 30 ms, which says nothing to the sender.
      if (stored) behind(() => spool.remove(id));
      else if (!inMemory && !kept.holds(id)) await spool.remove(id);
    }
  }

  /** Step 2: the body into memory or the spool, counted, hashed and scanned on the way. */
  async #receive(request: IncomingBatch, media: Media, id: string): Promise<Checked> {
    const { spool, clock, settings, complete } = this.parts;
    const { dataset, products, body, contentLength } = request;
    const limits = new BodyLimits(settings);
    limits.announced(contentLength);
    if (media.format === 'parquet') return await receiveParquet(request, media, limits, id, this.parts);
    const csv = media.format === 'csv' ? csvScanner() : undefined;
    const mostHeld = dataset.completed === undefined ? smallBytes : 0;
    const scanner = csv ?? jsonScanner(dataset, media.format === 'array' ? 'array' : 'lines', mostHeld);
    const received = await receive(body, media, limits, scanner, spool.rowsFile(id), mostHeld);
    const { scan } = received;
    limits.rows(scan.rows);
    const header = csv?.header();
    const wrong = header === undefined ? [] : headerProblems(dataset, headerKeys(header));
    if (wrong.length > 0) throw new Failure('invalid-rows', wrong.slice(0, maxProblems));
    const now = clock.now();
    const facts = () => factsOf(now, products);
    const checked = { id, source: media.format, header, received, facts };
    if (scan.problem !== undefined) {
      throw new Failure('invalid-rows', merged(await this.#problems(dataset, checked), scan));
    }
    if (scan.rows === 0) throw new Failure('invalid-body', ['The batch has no rows.']);
    if (dataset.completed !== undefined) {
      const [from, to] = [spool.rowsFile(id), spool.rowsFile(id, 'complete')];
      const good = await completeRows(from, to, dataset, media.format, complete[dataset.completed]);
      if (!good) throw await this.#refusal(dataset, checked);
    }
    return checked;
  }

  /** Steps 3 to 5 of a small body: in a group. */
  async #share(
    { dataset, accountId, products }: IncomingBatch,
    batchId: string,
    checked: Checked,
    body: Buffer,
  ): Promise<AcceptedBatch> {
    const { source, header } = checked;
    if (typeof source === 'object') throw new TypeError('a Parquet file is no small batch');
    const { hash: bodyHash, bytes, scan } = checked.received;
    const text = bareRows(body, source);
    const { newId: newGuid } = this.parts.spool;
    const packed = await inSlice(() => packRows(dataset, body, scan, { ...checked.facts(), newGuid }));
    try {
      const { outcome } = await this.#small.store({
        accountId,
        dataset,
        batchId,
        bodyHash,
        rows: scan.rows,
        bytes,
        form: packed !== undefined ? 'packed' : header === undefined ? 'json' : `csv\n${header}`,
        files: [],
        supersedes: [],
        products,
        text,
        header,
        packed,
      });
      const duplicate = outcome === 'duplicate';
      return { dataset: dataset.name, accepted: scan.rows, batch: batchId, duplicate };
    } catch (error) {
      throw error instanceof RefusedRows ? await this.#refusal(dataset, checked, error) : error;
    }
  }

  /** Step 3 and 4: the commit number, and the files from which its insert can be repeated. */
  async #begin(request: IncomingBatch, batchId: string, checked: Checked) {
    const { ledger, kept } = this.parts;
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
    const earlier = takenOver ? kept.of(commit) : undefined;
    // A version that knew other sizes may have put it into a group, which is not to be stored in parts.
    if (earlier?.group) throw busy('An earlier attempt of this batch is not settled yet.');
    if (earlier !== undefined) return { ...begun, staged: earlier };
    const reads = dataset.completed === undefined ? 'rows' : 'complete';
    const { source } = checked;
    const cells = source === 'csv' && reads === 'rows';
    const reading = typeof source === 'object' ? source : cells ? 'csv' : 'json';
    const staged: Staged = {
      id: checked.id,
      commits: [commit],
      token: commit.token,
      statement: statementOf(dataset, reading, checked.facts(), commit),
      reads,
      group: false,
      files: [],
      supersedes: [],
      ...(reads === 'rows' && { rowsHash: bodyHash }),
      ...(checked.days !== undefined && { days: [checked.days] }),
    };
    await stageOwn(this.parts, staged, takenOver, 'batch');
    return { ...begun, staged };
  }

  /** In words, what is wrong with the rows of a body. */
  async #problems(dataset: DatasetEntry, { id, source, received, facts }: Checked): Promise<string[]> {
    const { spool, engine } = this.parts;
    if (typeof source === 'object') {
      return await explainParquet(engine, spool.rowsFile(id), dataset, source, facts());
    }
    if (received.body !== undefined) await onDisk(spool.write(id, [received.body]));
    try {
      return await explainRows(spool.rowsFile(id), dataset, source, facts());
    } finally {
      if (received.body !== undefined) await spool.remove(id);
    }
  }

  /** In words, why a batch that the scanner let pass was refused. */
  async #refusal(dataset: DatasetEntry, checked: Checked, error?: RefusedRows): Promise<Failure> {
    const problems = await this.#problems(dataset, checked);
    if (problems.length > 0) return new Failure('invalid-rows', problems);
    const row = error?.row === undefined ? 'The rows were refused' : `row ${error.row}: refused`;
    return new Failure('invalid-rows', [`${row} by a check that names no field.`], { cause: error });
  }

  async #store(request: IncomingBatch, batchId: string, checked: Checked): Promise<AcceptedBatch> {
    const rows = checked.received.scan.rows;
    const answer = { dataset: request.dataset.name, accepted: rows, batch: batchId, duplicate: false };
    const begun = await this.parts.store.inTurn(async () => {
      const found = await this.#begin(request, batchId, checked);
      if (!('staged' in found)) return found;
      // Step 5: insert and done. The files of this attempt stay for the explanation.
      return { ...found, result: await settleOwn(this.parts, found.staged, found.takenOver, checked.id) };
    });
    switch (begun.outcome) {
      case 'duplicate':
        return { ...answer, accepted: begun.rows, duplicate: true };
      case 'conflict':
        throw conflict(batchId, request.dataset.name);
      case 'closing':
        throw busy('An earlier attempt of this batch is being removed.');
      case 'open': {
        if (begun.result.outcome === 'done') return answer;
        const { error } = begun.result;
        // Whether a fault is the engine's or the file's, reading the file again tells.
        const perhapsTheFile = typeof checked.source === 'object' && isFault(error);
        if (perhapsTheFile) await this.#problems(request.dataset, checked);
        throw error instanceof RefusedRows ? await this.#refusal(request.dataset, checked, error) : error;
      }
    }
  }
}
