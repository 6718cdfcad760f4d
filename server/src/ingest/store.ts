/**
 * Brings a batch that lies complete in the spool into the engine under its commit, and settles the commit: done when
 * its rows are stored, void when they surely are not, open while nobody knows.
 */
import { datasets } from '@storelens/contract';
import { type Engine, EngineError, Queue } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { Ledger, OpenCommit } from '../ledger/index.js';
import type { Spool, Staged } from './spool.js';

/** Thrown when the engine found bad rows: nothing is stored, the commit is void. */
export class RefusedRows extends Error {
  override readonly name = 'RefusedRows';

  constructor(cause: EngineError) {
    super('the engine refused the rows', { cause });
  }

  /** The row that the engine names, if it names one. */
  get row(): number | undefined {
    const match = /\(at row (\d+)\)/.exec(this.cause instanceof Error ? this.cause.message : '');
    return match === null ? undefined : Number(match[1]);
  }
}

/** What became of a commit. Only an open one needs its files any longer. */
export type Outcome =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'ended' | 'open'; readonly error: unknown };

/** Days of a commit whose rows could not be asked for theirs: all there are. */
const anyDay = { first: '1970-01-01', last: '2149-06-06' } as const;

/** Stores and removes the rows of commits. */
export class Store {
  readonly #writers: Queue<number>;

  /** Takes how many inserts may run at once; a number is drawn only when its insert can follow at once. */
  constructor(
    readonly engine: Engine,
    readonly ledger: Ledger,
    readonly spool: Spool,
    writers: number,
  ) {
    const slots = Array.from({ length: writers }, (_, index) => index);
    this.#writers = new Queue(slots, Number.MAX_SAFE_INTEGER);
  }

  /** Waits until an insert may run, then runs `work` with the place. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#writers.run(work);
  }

  /** Stores a batch and settles its commit. `repeated`: an earlier attempt may have stored its rows. */
  async settle({ id, commit, statement, reads }: Staged, repeated: boolean): Promise<Outcome> {
    try {
      const { accountId: account, token } = commit;
      await this.engine.insert({ ...statement, account, token, file: this.spool.rowsFile(id, reads) });
    } catch (error) {
      return await this.#failed(commit, repeated, error);
    }
    try {
      const { count, first, last } = await this.#stored(commit);
      if (count !== commit.rows) {
        const sum = `${commit.rows} rows were sent, ${count} are stored`;
        const error = new Error(`commit ${commit.seq} of ${commit.dataset}: ${sum}`);
        return await this.#end(error, () => this.remove(commit));
      }
      await this.ledger.finish(commit, first, last);
      return { outcome: 'done' };
    } catch (error) {
      return { outcome: 'open', error };
    }
  }

  /** Deletes whatever rows a commit has and makes it void. Meanwhile nobody can take it over. */
  async remove(commit: OpenCommit): Promise<void> {
    await this.ledger.giveUp(commit);
    const table = datasets[commit.dataset]?.name;
    if (table === undefined) throw new TypeError(`commit ${commit.seq} is of no dataset: ${commit.dataset}`);
    await this.engine.command({
      account: commit.accountId,
      sql: `ALTER TABLE ${table} DELETE WHERE accountId = {account:String} AND seq = {seq:UInt64}`,
      params: { account: commit.accountId, seq: commit.seq },
      settings: { mutations_sync: 2 },
    });
    await this.ledger.abandon(commit);
  }

  async #failed(commit: OpenCommit, repeated: boolean, error: unknown): Promise<Outcome> {
    if (!(error instanceof EngineError)) return { outcome: 'open', error };
    switch (error.kind) {
      case 'unavailable': {
        const advice =
          'The batch is received but not stored yet. Send it again under the same Idempotency-Key.';
        return {
          outcome: 'open',
          error: new Failure('unavailable', [advice], { retryAfter: 5, cause: error }),
        };
      }
      case 'refused':
        // The check also looks at the clock and the products, so the earlier attempt may have passed it.
        return await this.#end(new RefusedRows(error), () =>
          repeated ? this.remove(commit) : this.ledger.abandon(commit),
        );
      case 'too-large': {
        const limit = 'The batch needs more memory or time than the engine has; send smaller ones.';
        return await this.#end(new Failure('too-large', [limit], { cause: error }), () =>
          this.remove(commit),
        );
      }
      case 'fault':
        return await this.#end(error, () => this.remove(commit));
    }
  }

  /** Ends a commit; one that could not be ended keeps its state, which housekeeping sees. */
  async #end(error: unknown, work: () => Promise<void>): Promise<Outcome> {
    try {
      await work();
    } catch (cause) {
      return { outcome: 'ended', error: new AggregateError([error, cause], 'a commit could not be ended') };
    }
    return { outcome: 'ended', error };
  }

  /** Number, least and greatest day of a commit's rows. */
  async #stored(commit: OpenCommit): Promise<{ count: number; first: string; last: string }> {
    try {
      const bytes = await this.engine.query({
        account: commit.accountId,
        sql: `SELECT count(), toString(min(date)), toString(max(date)) FROM ${commit.dataset}
WHERE accountId = {account:String} AND seq = {seq:UInt64}`,
        params: { account: commit.accountId, seq: commit.seq },
        format: 'TSV',
      });
      const [count, first = '', last = ''] = Buffer.from(bytes).toString('utf8').trim().split('\t');
      return { count: Number(count), first, last };
    } catch (error) {
      // The rows are stored; not to know their days costs a little speed and no correctness.
      if (error instanceof EngineError && error.kind !== 'fault') return { count: commit.rows, ...anyDay };
      throw error;
    }
  }
}
