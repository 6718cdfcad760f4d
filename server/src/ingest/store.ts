/**
 * Brings what lies complete in the spool into the engine and the store of files, and settles the commits: done when
 * rows and files are stored, void when the rows surely are not, open while nobody knows.
 */
import { type Engine, EngineError, Queue } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { Files } from '../files/index.js';
import type { Begun, CommitRequest, Ledger, OpenCommit, Written } from '../ledger/index.js';
import type { Days, Spool, Staged, StagedFile, Supersedes } from './spool.js';
import { storedTables } from './stored-tables.js';

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

/** What became of a commit. Only an open one needs its files any longer. `begun`: commits that began with its end. */
export type Outcome =
  | { readonly outcome: 'done'; readonly begun: readonly Begun[] }
  | { readonly outcome: 'ended' | 'open'; readonly error: unknown };

/** Days of a commit whose rows could not be asked for theirs: all there are. */
const anyDay = { firstDay: '1970-01-01', lastDay: '2149-06-06' } as const;

/** A commit whose rows are stored. */
type Counted = Written & { readonly count: number };

function daysOf(commits: Staged['commits'], days: readonly Days[]): readonly Counted[] {
  return commits.map((commit, index) => {
    const [firstDay, lastDay] = days[index] ?? [anyDay.firstDay, anyDay.lastDay];
    return { commit, count: commit.rows, firstDay, lastDay };
  });
}

/** Of a batch that is kept here and repeated. */
function laterFailure(cause: unknown): Failure {
  const advice = 'The batch is received but not stored yet. Send it again under the same Idempotency-Key.';
  return new Failure('unavailable', [advice], { retryAfter: 5, cause });
}

/** Stores and removes the rows of commits. */
export class Store {
  readonly #writers: Queue<number>;

  /**
   * Takes how many inserts may run at once. A number is drawn when its insert can follow at once, or with the end of the
   * group before: then inserts of others that wait come first, and later batches of the account are seen that much later.
   */
  constructor(
    readonly engine: Engine,
    readonly ledger: Ledger,
    readonly spool: Spool,
    readonly files: Files,
    writers: number,
  ) {
    const slots = Array.from({ length: writers }, (_, index) => index);
    this.#writers = new Queue(slots, Number.MAX_SAFE_INTEGER);
  }

  /** Waits until an insert may run, then runs `work` with the place. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#writers.run(work);
  }

  /**
   * Stores rows and files and settles the commits. `repeated`: an earlier attempt may have stored any of them. When all is
   * stored, `next` is asked for batches of the account whose commits are to begin with the end of these.
   */
  async settle(
    staged: Staged,
    repeated: boolean,
    next: () => readonly CommitRequest[] = () => [],
  ): Promise<Outcome> {
    const { id, commits, statement, reads, token } = staged;
    const [{ accountId: account }] = commits;
    try {
      await this.engine.insert({ ...statement, account, token, file: this.spool.rowsFile(id, reads) });
    } catch (error) {
      return await this.#failed(staged, repeated, error);
    }
    try {
      // Rows whose days are known were counted before: when their file was made, or by the file, if it came as Parquet and
      // the check held its rows to the days. An insert stores all of a file or nothing.
      // To ask the engine once more takes it 6 ms, a fifth of a group of small batches.
      const known = repeated ? undefined : staged.days;
      const [written] = await Promise.all([
        known === undefined ? this.#written(commits) : daysOf(commits, known),
        this.#takeFiles(staged.files, repeated),
      ]);
      const wrong = written.find(({ commit, count }) => count !== commit.rows);
      if (wrong !== undefined) {
        const { commit, count } = wrong;
        const sum = `${commit.rows} rows were sent, ${count} are stored`;
        const error = new Error(`commit ${commit.seq} of ${commit.dataset}: ${sum}`);
        return await this.#end(error, () => this.remove(commits, repeated ? staged.files : []));
      }
      await this.#supersede(commits[0], staged.supersedes);
      return { outcome: 'done', begun: await this.ledger.finishAll(written, next()) };
    } catch (error) {
      const away = error instanceof EngineError && error.kind === 'unavailable';
      return { outcome: 'open', error: away ? laterFailure(error) : error };
    }
  }

  /**
   * Deletes whatever rows some commits have, makes visible again what these took the place of, drops their files and
   * makes them void. Meanwhile nobody can take them over. The commits are of one account and dataset, their numbers
   * stand in a row.
   */
  async remove(commits: Staged['commits'], files: readonly StagedFile[]): Promise<void> {
    for (const commit of commits) await this.ledger.giveUp(commit);
    // Not before: an open commit without its files could never be finished.
    await this.dropFiles(files);
    const [first] = commits;
    const { accountId: account, seq, dataset } = first;
    const entry = storedTables.get(dataset);
    if (entry === undefined) throw new TypeError(`commit ${seq} is of no dataset: ${dataset}`);
    const change = async (action: string, column: string) =>
      await this.engine.command({
        account,
        sql: `ALTER TABLE ${entry.name} ${action}
WHERE accountId = {account:String} AND ${column} >= {first:UInt64} AND ${column} <= {last:UInt64}`,
        params: { account, first: seq, last: commits.at(-1)?.seq ?? seq },
        settings: { mutations_sync: 2 },
      });
    await change('DELETE', 'seq');
    if (entry.supersedable) await change('UPDATE supersededBy = 0', 'supersededBy');
    for (const commit of commits) await this.ledger.abandon(commit);
  }

  /** Removes files that join nothing, from wherever they are. */
  async dropFiles(files: readonly StagedFile[]): Promise<void> {
    await this.spool.drop(files.map(({ name }) => name));
    for (const { key } of files) await this.files.remove(key);
  }

  /**
   * A row can be seen once its commit is done, and then its file is there. A file that an earlier attempt took may
   * have gone since, when its time to be kept was over.
   */
  async #takeFiles(files: readonly StagedFile[], repeated: boolean): Promise<void> {
    const take = async ({ name, key }: StagedFile) => {
      const path = this.spool.pathOf(name);
      if (!repeated || (await this.spool.has(name)) || (await this.files.size(key)) !== undefined) {
        await this.files.take(path, key, true);
      }
    };
    try {
      await Promise.all(files.map(take));
    } catch (cause) {
      throw laterFailure(cause);
    }
  }

  /** In the order of the numbers: of two that supersede the same row, the later one stays. */
  async #supersede({ accountId, dataset }: OpenCommit, supersedes: readonly Supersedes[]): Promise<void> {
    for (const { seq, cabIdHashes } of supersedes) {
      await this.engine.command({
        account: accountId,
        sql: `ALTER TABLE ${dataset} UPDATE supersededBy = {seq:UInt64}
WHERE accountId = {account:String} AND cabIdHash IN {ids:Array(String)} AND supersededBy = 0 AND seq < {seq:UInt64}
  AND cabBytes > 0`,
        params: { account: accountId, seq, ids: cabIdHashes },
        settings: { mutations_sync: 2 },
      });
    }
  }

  async #failed(staged: Staged, repeated: boolean, error: unknown): Promise<Outcome> {
    const { commits } = staged;
    const remove = () => this.remove(commits, repeated ? staged.files : []);
    if (!(error instanceof EngineError)) return { outcome: 'open', error };
    switch (error.kind) {
      case 'unavailable':
        return { outcome: 'open', error: laterFailure(error) };
      case 'refused':
        // The check also looks at the clock and the products, so the earlier attempt may have passed it.
        return await this.#end(new RefusedRows(error), async () => {
          if (repeated) await remove();
          else for (const commit of commits) await this.ledger.abandon(commit);
        });
      case 'too-large': {
        const limit = 'The batch needs more memory or time than the engine has; send smaller ones.';
        return await this.#end(new Failure('too-large', [limit], { cause: error }), remove);
      }
      case 'fault':
        return await this.#end(error, remove);
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

  /** Number, least and greatest day of the rows of each commit. */
  async #written(commits: Staged['commits']): Promise<readonly Counted[]> {
    const [{ accountId: account, dataset, seq }] = commits;
    try {
      const bytes = await this.engine.query({
        account,
        sql: `SELECT seq, count(), toString(min(date)), toString(max(date)) FROM ${dataset}
WHERE accountId = {account:String} AND seq >= {first:UInt64} AND seq <= {last:UInt64} GROUP BY seq`,
        params: { account, first: seq, last: commits.at(-1)?.seq ?? seq },
        format: 'TSV',
      });
      const lines = Buffer.from(bytes).toString('utf8').trim().split('\n');
      const found = new Map(
        lines.map((line) => line.split('\t')).map(([key, ...rest]) => [Number(key), rest]),
      );
      return commits.map((commit) => {
        const [count = '0', firstDay = '', lastDay = ''] = found.get(commit.seq) ?? [];
        return { commit, count: Number(count), firstDay, lastDay };
      });
    } catch (error) {
      // The rows are stored; not to know their days costs a little speed and no correctness.
      if (!(error instanceof EngineError) || error.kind === 'fault') throw error;
      return commits.map((commit) => ({ commit, count: commit.rows, ...anyDay }));
    }
  }
}
