/**
 * What readers ask the ledger, answered from memory: every report begins with its account's snapshot, and a read of
 * the registry takes 80 microseconds of the event loop, a third of what a repeated answer costs otherwise.
 *
 * A write forgets its account (a mark of a purge that of its dataset) once it is over, whatever came of it. Until then
 * readers get the snapshot of a moment ago, as if they had come then; a batch is acknowledged after. That suffices
 * because one process writes. Several on one registry would leave this out, or have it told by each other.
 */
import { LruMap } from '../lru-map.js';
import type { Ledger, OpenCommit } from './index.js';

/** Accounts, or datasets of accounts, of which a number is kept. */
const mostKept = 100_000;

/** What is being read or was, by a key. */
class Memory<Value> {
  private readonly known = new LruMap<Promise<Value>>(mostKept);

  of(key: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const reading = read();
    this.known.set(key, reading);
    reading.catch(() => this.known.get(key) === reading && this.known.delete(key));
    return reading;
  }

  /** Does work that changes the number. What was read meanwhile may be the old one, and is forgotten as well. */
  async changing<Result>(key: string, work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } finally {
      this.known.delete(key);
    }
  }
}

/** The same ledger, which asks the registry for a snapshot or a purge only after it has written one. */
export function remembered(ledger: Ledger): Ledger {
  const snapshots = new Memory<number>();
  const newest = new Memory<number>();
  const purged = new Memory<number>();
  const filled = new Memory<boolean>();
  const keyOf = (accountId: string, dataset: string) => `${accountId} ${dataset}`;
  /** Whoever sees the new snapshot sees that the dataset has rows, too. */
  const stored = <Result>(commit: OpenCommit | undefined, work: Promise<Result>) => {
    const { accountId = '', dataset = '' } = commit ?? {};
    return snapshots.changing(accountId, filled.changing(keyOf(accountId, dataset), work));
  };
  const begun = <Result>(accountId: string, work: Promise<Result>) =>
    snapshots.changing(accountId, newest.changing(accountId, work));
  // Every verb is listed, so that a new one has to say whether it writes.
  return {
    begin: (request) => begun(request.accountId, ledger.begin(request)),
    beginAll: (requests) => begun(requests[0]?.accountId ?? '', ledger.beginAll(requests)),
    finish: (commit, firstDay, lastDay) => stored(commit, ledger.finish(commit, firstDay, lastDay)),
    finishAll(written, next = []) {
      const work = stored(written[0]?.commit, ledger.finishAll(written, next));
      return next.length === 0 ? work : begun(next[0]?.accountId ?? '', work);
    },
    abandon: (commit) => snapshots.changing(commit.accountId, ledger.abandon(commit)),
    giveUp: (commit) => snapshots.changing(commit.accountId, ledger.giveUp(commit)),
    snapshot: (accountId) => snapshots.of(accountId, () => ledger.snapshot(accountId)),
    newest: (accountId) => newest.of(accountId, () => ledger.newest(accountId)),
    doneAt: (accountId, snapshot) => ledger.doneAt(accountId, snapshot),
    purgedBelow: (accountId, dataset) =>
      purged.of(keyOf(accountId, dataset), () => ledger.purgedBelow(accountId, dataset)),
    markPurged: (accountId, dataset, mark) =>
      purged.changing(keyOf(accountId, dataset), ledger.markPurged(accountId, dataset, mark)),
    unfinished: () => ledger.unfinished(),
    forgetBatches: (doneBefore) => ledger.forgetBatches(doneBefore),
    settled: (accountId, doneBefore) => ledger.settled(accountId, doneBefore),
    accountsWith: (dataset, from, to) => ledger.accountsWith(dataset, from, to),
    stored: (accountId, dataset, above, upTo) => ledger.stored(accountId, dataset, above, upTo),
    storedRows: (accountId, dataset, above, upTo) => ledger.storedRows(accountId, dataset, above, upTo),
    touchedDays: (accountId, dataset, above, upTo) => ledger.touchedDays(accountId, dataset, above, upTo),
    hasStored: (accountId, dataset) =>
      filled.of(keyOf(accountId, dataset), () => ledger.hasStored(accountId, dataset)),
    purgeMark: (accountId, dataset) => ledger.purgeMark(accountId, dataset),
    forget: (accountId) => begun(accountId, ledger.forget(accountId)),
  };
}
