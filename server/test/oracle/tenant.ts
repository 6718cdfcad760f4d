/**
 * One account on the compared server beside the oracle's copy of its data. Batches go out one after the other, so the
 * k-th batch is commit k; which of them a reader may see is known up to the one that is on its way.
 */
import assert from 'node:assert/strict';
import { datasets, type ReportEntry } from '@storelens/contract';
import { answer, type OracleAnswer, sameQuery } from './answer.js';
import { someRows, today } from './generate-data.js';
import { Dice } from './random.js';
import { readRequest } from './request.js';
import { bodyOf, type OracleProduct, type PostedRow, Store } from './store.js';
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
};

/** An account under comparison. */
export class Tenant {
  readonly store: Store;
  readonly batches: Batch[] = [];
  /** Commits that were acknowledged: a first page may not miss them. */
  acknowledged = 0;
  private queue: Promise<void> = Promise.resolve();
  private readonly answered = new Map<string, Set<number>>();

  constructor(
    readonly wire: Wire,
    products: readonly OracleProduct[],
  ) {
    this.store = new Store(products, datasets);
  }

  /** Commits that a reader may see at most: all that were sent. */
  get begun(): number {
    return this.store.commits;
  }

  /** Posts a batch once those before it are acknowledged. */
  post(dataset: string, rows: readonly PostedRow[]): Promise<void> {
    const posted = this.queue.then(async () => {
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
    this.queue = posted.catch(() => {});
    return posted;
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
    const key = sameQuery(report, query, { store: this.store, today, snapshot: 0 });
    const earlier = this.answered.get(key) ?? new Set<number>();
    this.answered.set(key, new Set([...earlier, ...possible]));
    if (readRequest(report, query, today).skip > 0) for (const snapshot of earlier) possible.add(snapshot);
    return [...possible];
  }

  /** The oracle's answer at a snapshot. */
  expected(report: ReportEntry, query: string, snapshot: number): OracleAnswer {
    return answer(report, query, { store: this.store, today, snapshot });
  }
}
