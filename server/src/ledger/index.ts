/**
 * The commit ledger: every batch is a commit with a number of its account's own series. Rows carry the number
 * as `seq`; a reader sees the rows up to the account's low-water mark. Rules and reasons: docs/decisions.
 */

/** How long a snapshot that was the newest one stays readable. */
export const keptMilliseconds = 10 * 60 * 1000;

/** Everything about a batch that is fixed when its commit begins and repeated by every retry. */
export interface CommitRequest {
  readonly accountId: string;
  readonly dataset: string;
  /** The client's Idempotency-Key, or a new id. */
  readonly batchId: string;
  /** SHA-256 of the decoded body, hex. */
  readonly bodyHash: string;
  readonly rows: number;
}

/** A commit that may be written now. */
export interface OpenCommit extends CommitRequest {
  readonly seq: number;
  readonly shard: number;
  /** Deduplication token: account, number and body hash. */
  readonly token: string;
}

/** What `begin` found. */
export type Begun =
  /** `takenOver`: an earlier attempt of the same batch may have stored its rows under the same number. */
  | { readonly outcome: 'open'; readonly commit: OpenCommit; readonly takenOver: boolean }
  /** The same batch was stored before. */
  | { readonly outcome: 'duplicate'; readonly rows: number; readonly seq: number }
  /** The batch id came with another body. */
  | { readonly outcome: 'conflict' }
  /** An earlier attempt is being removed; the batch may begin anew in a moment. */
  | { readonly outcome: 'closing' };

/** A commit that is neither done nor void. */
export interface Unfinished {
  readonly commit: OpenCommit;
  /** `closing`: given up, its rows are not removed yet. */
  readonly state: 'open' | 'closing';
  readonly begunAt: number;
}

/** A commit whose rows are stored, with the least and greatest day of its rows, `yyyy-MM-dd`. */
export interface Written {
  readonly commit: OpenCommit;
  readonly firstDay: string;
  readonly lastDay: string;
}

/** A stored commit of one dataset. */
export interface DoneCommit {
  readonly seq: number;
  readonly rows: number;
}

/** How far superseded rows of one account and dataset are purged. */
export interface PurgeMark {
  /** Commits up to this number have been looked at. */
  readonly checked: number;
  /** Snapshots below this number can no longer be had; 0 if nothing was purged. */
  readonly horizon: number;
}

/** The ledger of all accounts. Times are milliseconds in UTC. */
export interface Ledger {
  /** Takes a number for a batch, or takes over the open commit of the same batch. */
  begin(request: CommitRequest): Promise<Begun>;
  /**
   * The same for several batches of one account and dataset in one transaction; answers in the order of the requests, whose batch
   * ids differ. New numbers rise in that order.
   */
  beginAll(requests: readonly CommitRequest[]): Promise<readonly Begun[]>;
  /** Marks a commit as stored; `firstDay` and `lastDay` are `yyyy-MM-dd`, the least and greatest day of its rows. */
  finish(commit: OpenCommit, firstDay: string, lastDay: string): Promise<void>;
  /**
   * The same for several commits of one account in one transaction: readers see all of them or none. Commits of `next`,
   * which is of the same account, begin in that transaction, too, as `beginAll` says: the disk is waited for once.
   */
  finishAll(written: readonly Written[], next?: readonly CommitRequest[]): Promise<readonly Begun[]>;
  /** Makes a commit void and its batch id free. Only when its rows are definitely not stored. */
  abandon(commit: OpenCommit): Promise<void>;
  /** Forbids to take an open commit over or to finish it; its rows are to be removed before `abandon`. */
  giveUp(commit: OpenCommit): Promise<void>;
  /** The account's low-water mark: 0 when it has no commits. */
  snapshot(accountId: string): Promise<number>;
  /**
   * The greatest number that a commit of the account has, whatever became of it; 0 when it has no commits. No row with a
   * greater one is stored before a call that begins its commit has returned.
   */
  newest(accountId: string): Promise<number>;
  /** When the newest commit that a snapshot sees was done, in milliseconds; undefined: it sees none. */
  doneAt(accountId: string, snapshot: number): Promise<number | undefined>;
  /** Commits of all accounts that are neither done nor void, oldest first. */
  unfinished(): Promise<readonly Unfinished[]>;
  /** Frees the batch ids of commits that were done before a time; returns how many. */
  forgetBatches(doneBefore: number): Promise<number>;
  /** The greatest number that, with all below it, was done or void before a time: no later snapshot is below it. */
  settled(accountId: string, doneBefore: number): Promise<number>;
  /** Accounts that have commits of a dataset done in `from <= time < to`. */
  accountsWith(dataset: string, from: number, to: number): Promise<readonly string[]>;
  /** Stored commits of an account and dataset with `above < seq <= upTo`, in order, at most 1,000. */
  stored(accountId: string, dataset: string, above: number, upTo: number): Promise<readonly DoneCommit[]>;
  /** Rows of the stored commits of an account and dataset with `above < seq <= upTo`. */
  storedRows(accountId: string, dataset: string, above: number, upTo: number): Promise<number>;
  /**
   * First and last day, `yyyy-MM-dd`, of the rows of the stored commits of an account and dataset with `above < seq <= upTo`;
   * undefined: there are none.
   */
  touchedDays(
    accountId: string,
    dataset: string,
    above: number,
    upTo: number,
  ): Promise<{ readonly first: string; readonly last: string } | undefined>;
  /** Whether an account has a stored commit of a dataset. */
  hasStored(accountId: string, dataset: string): Promise<boolean>;
  /** Least snapshot that still answers completely for a dataset; 0 if nothing was purged. */
  purgedBelow(accountId: string, dataset: string): Promise<number>;
  /** How far the purge came; zeros at first. */
  purgeMark(accountId: string, dataset: string): Promise<PurgeMark>;
  /** Records how far the purge comes; to be called before rows are deleted. Numbers never go down. */
  markPurged(accountId: string, dataset: string, mark: PurgeMark): Promise<void>;
  /** Forgets an account with all of its commits, none of which is unfinished and none of which has rows. */
  forget(accountId: string): Promise<void>;
}

export type { Mark, Rollups } from './rollups.js';
