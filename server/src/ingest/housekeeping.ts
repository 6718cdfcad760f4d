/**
 * Settles what is left behind: by a stopped process, at a start; by an engine, disk or registry that was away, now and
 * then. Nothing that is running is touched: whoever holds the lock of a batch or group is alone with it.
 */
import type { Ledger } from '../ledger/index.js';
import type { KeyLocks } from '../locks.js';
import type { Log } from '../log.js';
import type { Steps } from '../sums/index.js';
import type { Clock } from '../system.js';
import { batchKey, groupKey, type Kept } from './kept.js';
import type { Purge } from './purge.js';
import type { Spool, Staged } from './spool.js';
import type { Store } from './store.js';

/** How long an Idempotency-Key is remembered. */
const rememberedMilliseconds = 30 * 86_400_000;

/** Longest that an insert may still be under way on a server after the process that sent it has gone. */
const leaseMilliseconds = 15 * 60 * 1000;

/** What housekeeping works with. */
export interface HousekeepingParts {
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly store: Store;
  readonly kept: Kept;
  readonly locks: KeyLocks;
  readonly purge: Purge;
  readonly sums: Steps;
  readonly clock: Clock;
  /** Whether inserts end with this process. */
  readonly embedded: boolean;
  /** Hears of batches that were given up while nobody waited for an answer. */
  readonly log: Pick<Log, 'warn'>;
}

/** Keeps commits, spool and tables in order. */
export class Housekeeping {
  /** Inserts whose commits were given up and still have rows or files. */
  readonly #closing = new Map<string, Staged>();

  constructor(readonly parts: HousekeepingParts) {}

  /** Everything that is due now. One step that fails must not keep the others from being done. */
  async run(): Promise<void> {
    const { kept, purge, sums, ledger, clock } = this.parts;
    const now = clock.now();
    const steps: readonly (() => Promise<unknown>)[] = [
      ...kept.all().map((staged) => () => this.#repeat(staged)),
      () => this.#giveUpOrphans(),
      () => this.#removeClosing(now),
      () => purge.run(now),
      () => ledger.forgetBatches(now - rememberedMilliseconds),
      // May take long, so it comes last.
      () => sums.run(now),
    ];
    const failed: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failed.push(error));
    if (failed.length > 0)
      throw new AggregateError(failed, `${failed.length} steps of the housekeeping failed`);
  }

  /** Repeats or removes whatever a stopped process left; nothing else may be running. */
  async replay(): Promise<void> {
    const { spool, kept, ledger, clock } = this.parts;
    const states = new Map<string, 'open' | 'closing'>();
    const unfinished = await ledger.unfinished();
    for (const { commit, state } of unfinished) states.set(`${commit.accountId}\n${commit.seq}`, state);
    for (const staged of await spool.recover()) {
      const found = staged.commits.map(({ accountId, seq }) => states.get(`${accountId}\n${seq}`));
      if (found.every((state) => state === 'open')) kept.add(staged);
      // Some of a group were given up, so all are.
      else if (found.some((state) => state !== undefined)) this.#closing.set(staged.id, staged);
      // Its commits were settled before its files could be removed.
      else await this.#forget(staged);
    }
    for (const staged of kept.all()) await this.#repeat(staged);
    for (const { commit } of unfinished) {
      if (kept.of(commit) === undefined) await ledger.giveUp(commit);
    }
    await this.#removeClosing(clock.now());
  }

  /** Repeats a kept insert, unless a retry of its sender did so meanwhile. */
  async #repeat(staged: Staged): Promise<void> {
    const { kept, locks, store, spool, log } = this.parts;
    const [first] = staged.commits;
    await locks.run(staged.group ? groupKey(first) : batchKey(first), async () => {
      if (kept.of(first) !== staged) return;
      const result = await store.inTurn(() => store.settle(staged, true));
      if (result.outcome === 'open') return;
      kept.delete(staged);
      await spool.remove(staged.id);
      if (result.outcome === 'ended') {
        const { accountId, dataset, seq } = first;
        log.warn({ err: result.error, accountId, dataset, seq }, 'a kept batch was given up');
      }
    });
  }

  /**
   * Gives up open commits whose batch is neither kept nor running: the registry failed when they were to be ended.
   * Left alone, they would hold their account's snapshot down.
   */
  async #giveUpOrphans(): Promise<void> {
    const { ledger, kept, locks } = this.parts;
    for (const { commit, state } of await ledger.unfinished()) {
      if (state !== 'open' || kept.of(commit) !== undefined) continue;
      await locks.run(batchKey(commit), async () => {
        if (kept.of(commit) === undefined) await ledger.giveUp(commit);
      });
    }
  }

  /** Removes commits that were given up, once no insert of theirs can be under way any longer. */
  async #removeClosing(now: number): Promise<void> {
    const { ledger, store, embedded } = this.parts;
    const isOver = (begunAt: number) => embedded || begunAt + leaseMilliseconds <= now;
    const closing = (await ledger.unfinished()).filter(({ state }) => state === 'closing');
    for (const staged of this.#closing.values()) {
      const own = closing.filter(({ commit }) => isOf(staged, commit));
      if (!own.every(({ begunAt }) => isOver(begunAt))) continue;
      // Those that are void lost rows and files before; their batches may have come again since, with the same files.
      if (own.length === staged.commits.length) await store.remove(staged.commits, staged.files);
      else for (const { commit } of own) await store.remove([commit], []);
      await this.#forget(staged);
    }
    for (const { commit, begunAt } of closing) {
      const grouped = [...this.#closing.values()].some((staged) => isOf(staged, commit));
      if (!grouped && isOver(begunAt)) await store.remove([commit], []);
    }
  }

  async #forget(staged: Staged): Promise<void> {
    const { spool } = this.parts;
    await spool.drop(staged.files.map(({ name }) => name));
    await spool.remove(staged.id);
    this.#closing.delete(staged.id);
  }
}

function isOf(staged: Staged, commit: { readonly accountId: string; readonly seq: number }): boolean {
  return staged.commits.some(({ accountId, seq }) => accountId === commit.accountId && seq === commit.seq);
}
