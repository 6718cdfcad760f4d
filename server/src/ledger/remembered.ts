/**
 * What readers ask the ledger, answered from memory: every report begins with its account's snapshot, and a read of
 * the registry takes 80 microseconds of the event loop, a third of what a repeated answer costs otherwise.
 *
 * A write forgets its account (a mark of a purge that of its dataset) once it is over, whatever came of it. Until then
 * readers get the snapshot of a moment ago, as if they had come then; a batch is acknowledged after. That suffices
 * because one process writes. Several on one registry would leave this out, or have it told by each other.
 */
import type { Ledger } from './index.js';

/** Numbers that are being read or were, by a key. */
class Memory {
  private readonly known = new Map<string, Promise<number>>();

  of(key: string, read: () => Promise<number>): Promise<number> {
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
  const snapshots = new Memory();
  const purged = new Memory();
  const keyOf = (accountId: string, dataset: string) => `${accountId} ${dataset}`;
  // Every verb is listed, so that a new one has to say whether it writes.
  return {
    begin: (request) => snapshots.changing(request.accountId, ledger.begin(request)),
    beginAll: (requests) => snapshots.changing(requests[0]?.accountId ?? '', ledger.beginAll(requests)),
    finish: (commit, firstDay, lastDay) =>
      snapshots.changing(commit.accountId, ledger.finish(commit, firstDay, lastDay)),
    finishAll: (written) => snapshots.changing(written[0]?.commit.accountId ?? '', ledger.finishAll(written)),
    abandon: (commit) => snapshots.changing(commit.accountId, ledger.abandon(commit)),
    giveUp: (commit) => snapshots.changing(commit.accountId, ledger.giveUp(commit)),
    snapshot: (accountId) => snapshots.of(accountId, () => ledger.snapshot(accountId)),
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
    purgeMark: (accountId, dataset) => ledger.purgeMark(accountId, dataset),
  };
}
