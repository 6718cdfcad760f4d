/**
 * The commit ledger: every batch is a commit with a number of its account's own series. Rows carry the number
 * as `seq`; a reader sees the rows up to the account's low-water mark. Rules and reasons: docs/decisions.
 */

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
  | { readonly outcome: 'open'; readonly commit: OpenCommit }
  /** The same batch was stored before. */
  | { readonly outcome: 'duplicate'; readonly rows: number }
  /** The batch id came with another body. */
  | { readonly outcome: 'conflict' };

/** The ledger of all accounts. */
export interface Ledger {
  /** Takes a number for a batch, or takes over the open commit of the same batch. */
  begin(request: CommitRequest): Promise<Begun>;
  /** Marks a commit as stored; `firstDay` and `lastDay` are `yyyy-MM-dd`, the least and greatest day of its rows. */
  finish(commit: OpenCommit, firstDay: string, lastDay: string): Promise<void>;
  /** Gives a commit up whose rows are definitely not stored. */
  abandon(commit: OpenCommit): Promise<void>;
  /** The account's low-water mark: 0 when it has no commits. */
  snapshot(accountId: string): Promise<number>;
  /** Open commits of all accounts, oldest first, for replay at start. */
  open(): Promise<readonly OpenCommit[]>;
}
