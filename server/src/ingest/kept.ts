/** The inserts whose commits are open, by commit: what can be repeated, by a retry or by housekeeping. */
import type { CommitRequest, OpenCommit } from '../ledger/index.js';
import type { Staged } from './spool.js';

type BatchKey = Pick<CommitRequest, 'accountId' | 'dataset' | 'batchId'>;

/** Key of the lock that attempts of the same batch share. */
export function batchKey({ accountId, dataset, batchId }: BatchKey): string {
  return `${accountId}\n${dataset}\n${batchId}`;
}

/** Key of the lock that groups of an account and dataset share. */
export function groupKey({ accountId, dataset }: Omit<BatchKey, 'batchId'>): string {
  return `${accountId}\n${dataset}\n`;
}

type CommitKey = Pick<OpenCommit, 'accountId' | 'seq'>;

function keyOf({ accountId, seq }: CommitKey): string {
  return `${accountId}\n${seq}`;
}

/** Keeps staged inserts in mind. */
export class Kept {
  readonly #byCommit = new Map<string, Staged>();
  readonly #all = new Set<Staged>();

  /** Inserts that are kept. */
  get size(): number {
    return this.#all.size;
  }

  /** The kept inserts, oldest first. */
  all(): readonly Staged[] {
    return [...this.#all];
  }

  /** The insert that stores a commit. */
  of(commit: CommitKey): Staged | undefined {
    return this.#byCommit.get(keyOf(commit));
  }

  /** Whether the files under an id are those of a kept insert. */
  holds(id: string): boolean {
    return this.all().some((staged) => staged.id === id);
  }

  /** Keeps an insert; returns the one whose place it takes. */
  add(staged: Staged): Staged | undefined {
    const earlier = this.of(staged.commits[0]);
    if (earlier !== undefined) this.delete(earlier);
    this.#all.add(staged);
    for (const commit of staged.commits) this.#byCommit.set(keyOf(commit), staged);
    return earlier;
  }

  delete(staged: Staged): void {
    this.#all.delete(staged);
    for (const commit of staged.commits) {
      if (this.of(commit) === staged) this.#byCommit.delete(keyOf(commit));
    }
  }
}
