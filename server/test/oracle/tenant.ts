/**
 * One account on the compared server beside the oracle's copy of its data. Batches go out one after the other, so the
 * k-th batch is commit k; which of them a reader may see is known up to the one that is on its way.
 */
import assert from 'node:assert/strict';
import { datasets, type ReportEntry } from '@storelens/contract';
import { answer, type OracleAnswer, type Scope, sameQuery } from './answer.js';
import { learnIds, sourceOf } from './cab-ids.js';
import {
  checkNames,
  keepsName,
  removeSymbols,
  rereadCrashes,
  sendCrash,
  sendSymbols,
  someEvent,
  stackOf,
} from './crash-files.js';
import { now, someRows, today } from './generate-data.js';
import { bodyOf, type PostedRow } from './posted.js';
import { Dice } from './random.js';
import { readRequest, type Shape } from './request.js';
import { type CrashStack, type OracleProduct, Store, type StoredRow } from './store.js';
import type { Wire } from './wire.js';

/** A batch as it was posted. */
export interface Batch {
  readonly dataset: string;
  readonly rows: readonly PostedRow[];
}

/** Rows that an account starts with, by dataset. */
export const firstRows: Readonly<Record<string, number>> = {
  acquisitions: 1500,
  pageviews: 900,
  installs: 500,
  usage: 400,
  ratings: 400,
  reviews: 250,
  adperformance: 600,
  campaigns: 400,
  failures: 1200,
};

/** An account under comparison. */
export class Tenant {
  readonly store: Store;
  readonly batches: Batch[] = [];
  /** Commits that were acknowledged: a first page may not miss them. */
  acknowledged = 0;
  private queue: Promise<void> = Promise.resolve();
  /** How the crash file is read without and with its symbols. */
  private readonly stacks: CrashStack[] = [];
  /** Debug id of the symbols that are there. */
  private symbols: string | undefined;
  private learning: Promise<void> = Promise.resolve();
  private readonly answered = new Map<string, Set<number>>();

  constructor(
    readonly wire: Wire,
    products: readonly OracleProduct[],
    sellerId: string,
    readonly shape: Shape = '2018',
  ) {
    this.store = new Store(products, datasets, sellerId);
  }

  /** A failure that a report could show, its ids learnt; undefined for reports of something else. */
  async someRecord(report: ReportEntry, dice: Dice): Promise<StoredRow | undefined> {
    const source = sourceOf(report);
    if (source === '') return undefined;
    const rows = this.store
      .rows('failures', this.acknowledged)
      .filter(({ cells }) => cells.get('source') === source);
    if (rows.length === 0) return undefined;
    // Failures with files are few, but can do more.
    const files = dice.chance(0.35) ? rows.filter(({ hasFile }) => hasFile) : [];
    const row = dice.pick(files.length > 0 ? files : rows);
    await this.learn(source, String(row.cells.get('applicationId')), String(row.cells.get('failureHash')));
    return row;
  }

  /** Learns what is random of the failures that a request finds. */
  async learnFor(report: ReportEntry, query: string): Promise<void> {
    const { lookups, ids } = readRequest(report, query, today, this.shape);
    const hash = lookups.get('failureHash');
    if (hash === undefined) return;
    const application = this.store.product(ids.get('applicationId') ?? '')?.id;
    await this.learn(sourceOf(report), application, hash);
  }

  private async learn(source: string, application: string | undefined, hash: string): Promise<void> {
    // What was sent must have arrived, and what is sent meanwhile is another time's matter.
    await this.settled();
    const learnt = this.learning.then(() =>
      learnIds(this.store, this.wire, source, application, hash, this.acknowledged),
    );
    this.learning = learnt.catch(() => {});
    await learnt;
  }

  /** Commits that a reader may see at most: all that were sent. */
  get begun(): number {
    return this.store.commits;
  }

  /** Posts a batch once those before it are acknowledged. */
  post(dataset: string, rows: readonly PostedRow[]): Promise<void> {
    return this.enqueue(async () => {
      this.batches.push({ dataset, rows });
      const seq = this.store.ingest(dataset, rows);
      const form = seq % 3 === 0 ? 'array' : 'ndjson';
      const type = form === 'array' ? 'application/json' : 'application/x-ndjson';
      const got = await this.wire.post(`/ingest/v1/${dataset}`, bodyOf(rows, form), type);
      assert.equal(got.status, 200, `batch of ${rows.length} ${dataset} rows: ${got.body}`);
      const receipt = JSON.parse(got.body) as { accepted: number; duplicate: boolean };
      assert.deepEqual([receipt.accepted, receipt.duplicate], [rows.length, false]);
      this.acknowledged = seq;
    });
  }

  /** Sends a crash file with its event once what was sent before is acknowledged. */
  postCrash(dice: Dice): Promise<void> {
    return this.enqueue(async () => {
      const event = someEvent(this.store.products, dice);
      this.batches.push({ dataset: 'failures', rows: [] });
      const row = this.store.crash(event, {}, this.stacks[this.symbols === undefined ? 0 : 1]);
      const receipt = await sendCrash(this.wire, event);
      for (const key of ['cabId', 'cabIdHash'] as const) row.cells.set(key, receipt[key]);
      const { cells } = row;
      assert.equal(receipt.failureName, cells.get('failureName'));
      assert.equal(receipt.failureHash, cells.get('failureHash'));
      this.acknowledged = row.seq;
    });
  }

  /** Sends or removes the symbols of all crash files and reads these once more. */
  turnSymbols(): Promise<void> {
    return this.enqueue(async () => {
      if (this.symbols === undefined) this.symbols = await sendSymbols(this.wire);
      else {
        await removeSymbols(this.wire, this.symbols);
        this.symbols = undefined;
      }
      const stack = this.stacks[this.symbols === undefined ? 0 : 1];
      if (stack === undefined) throw new Error('no crash file was read yet');
      this.batches.push({ dataset: 'failures', rows: [] });
      const changed = this.store.reread(stack, ({ cells }) => keepsName(String(cells.get('failureName'))));
      const seq = this.store.commits;
      assert.equal(await rereadCrashes(this.wire), changed, 'failures that have another stack');
      this.acknowledged = seq;
    });
  }

  /** Learns how the crash file is named and walked without and with symbols; the symbols stay. */
  private async fillCrashes(dice: Dice): Promise<void> {
    for (const symbols of [false, true]) {
      const event = { ...someEvent(this.store.products, dice), failureName: null };
      if (symbols) this.symbols = await sendSymbols(this.wire);
      const receipt = await sendCrash(this.wire, event);
      const stack = await stackOf(this.wire, receipt);
      this.stacks.push(stack);
      this.batches.push({ dataset: 'failures', rows: [] });
      this.acknowledged = this.store.crash(event, receipt, stack).seq;
    }
    const [without, withSymbols] = this.stacks;
    assert.ok(without && withSymbols);
    checkNames(without, withSymbols);
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  /** Posts a small random batch. */
  async postSome(dice: Dice): Promise<void> {
    const entry = dice.pick(Object.values(datasets));
    await this.post(entry.name, someRows(entry, dice.whole(1, 8), this.store.products, dice));
  }

  /** Posts what an account starts with. */
  async fill(seed: number): Promise<void> {
    for (const [name, count] of Object.entries(firstRows)) {
      const entry = datasets[name];
      assert.ok(entry, name);
      const dice = new Dice('rows', seed, name, this.store.products[0]?.name ?? '');
      await this.post(name, someRows(entry, count, this.store.products, dice));
    }
    const dice = new Dice('crashes', seed, this.store.products[0]?.name ?? '');
    await this.fillCrashes(dice);
    await this.postCrash(dice);
    await this.postCrash(dice);
  }

  /** Waits until no batch is on its way. */
  async settled(): Promise<void> {
    await this.queue;
  }

  /**
   * Snapshots at which a request may be answered that was sent when `least` commits were acknowledged. One that skips
   * rows without naming a snapshot may get that of an earlier request of the same query.
   */
  snapshots(report: ReportEntry, query: string, least: number): readonly number[] {
    const possible = new Set<number>();
    for (let snapshot = this.begun; snapshot >= least; snapshot -= 1) possible.add(snapshot);
    const key = sameQuery(report, query, this.scope(0));
    const earlier = this.answered.get(key) ?? new Set<number>();
    this.answered.set(key, new Set([...earlier, ...possible]));
    if (readRequest(report, query, today, this.shape).skip > 0)
      for (const snapshot of earlier) possible.add(snapshot);
    return [...possible];
  }

  /** The oracle's answer at a snapshot. */
  expected(report: ReportEntry, query: string, snapshot: number): OracleAnswer {
    return answer(report, query, this.scope(snapshot));
  }

  private scope(snapshot: number): Scope {
    // The server's clock stands still: whatever was done last was done now.
    const fresh = new Date(now).toISOString().slice(0, 19);
    return { store: this.store, today, snapshot, shape: this.shape, fresh };
  }
}
