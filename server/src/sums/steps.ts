/**
 * Makes tables out of settled rows, in the background: sums and counts that answer for the rows up to a commit, beside
 * which readers look at what came later. What is made, and of which rows, the kinds say (`failure-days.ts`,
 * `day-counts.ts`); this file has the order of things, which is the same for all.
 *
 * The raw rows stay the truth, and every step is all or nothing: its rows carry the last commit of the step, and
 * readers ignore them until the mark in the registry has moved there (`ledger/rollups.ts`). A step begins by removing
 * what an earlier attempt left, and ends by counting. It takes commits that were done long enough ago that no snapshot
 * below them is promised any longer. Steps are spread over turns of some seconds each, so that a first one over many
 * rows holds up nothing else that is due.
 */
import type { Engine, EngineParams, EngineSettings } from '../engine/index.js';
import { keptMilliseconds, type Ledger, type Rollups } from '../ledger/index.js';

/** The machine's clock may be set back by this much without a commit being overlooked. */
const clockSlack = 60 * 60 * 1000;

/** Two million failures, some twelve seconds. */
const usualPiecesAtOnce = 20;

/**
 * A step is worth while from this part of what was summed before: so there are few steps, whose rows are not summed
 * with one another, and few raw rows above the mark.
 */
const usualPart = 1 / 16;

/** Longest that a statement of a stopped process may still be under way on a server. */
const leaseMilliseconds = 15 * 60 * 1000;

/** What {@link Steps} work with. */
export interface StepsParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly rollups: Pick<Rollups, 'of' | 'begin' | 'goOn' | 'finish'>;
  /** Least number of new rows that are worth a step; 0: none ever are. */
  readonly leastRows: number;
  /** The same as a part of those that earlier steps took. */
  readonly leastPart?: number;
  /** Whether statements end with this process. */
  readonly embedded: boolean;
  /** Milliseconds that a running report may still need a snapshot after it ceased to be promised. */
  readonly grace: number;
  /** About the most rows that one statement takes, whatever the kind; batches wait for it, some tenths of a second. */
  readonly rowsAtOnce?: number;
  /** Most statements of one turn. */
  readonly piecesAtOnce?: number;
}

/** The commits of an account that a step takes: those with `above < seq <= upTo`. */
export type Range = EngineParams & {
  readonly account: string;
  readonly above: number;
  readonly upTo: number;
};

/** Answers a query of a step, row by row. */
export type Ask = (sql: string, params: EngineParams) => Promise<readonly (readonly (string | number)[])[]>;

/** A statement. */
export interface Piece {
  readonly sql: string;
  readonly params: EngineParams;
}

/** What a step does. */
export interface Step {
  /** What `made` says once all pieces have run. */
  readonly made: number;
  /** Rows of the dataset that the step takes; undefined: what the ledger says of its commits. */
  readonly rows?: number;
  /** Inserts, each of other rows. */
  readonly pieces: readonly Piece[];
}

/** A table that is made out of a dataset's rows, or a part of one. */
export interface Kind {
  /** What it is marked as in the registry. */
  readonly mark: string;
  readonly dataset: string;
  readonly table: string;
  /** SQL that tells its rows from others of the table and account, with its values. */
  readonly own: { readonly sql: string; readonly params: EngineParams };
  /** SQL of a number that all rows of a step add to. */
  readonly made: string;
  /** What its statements want besides. */
  readonly settings?: EngineSettings;
  /** What a step over a range has to do. */
  plan(range: Range, ask: Ask, rowsAtOnce?: number): Promise<Step>;
}

/** A step that was begun. */
interface Attempt {
  readonly number: number;
  readonly range: Range;
  readonly made: number;
  readonly rows: number;
  readonly pieces: readonly Piece[];
  /** Pieces that have run. */
  done: number;
}

/** One thread: reports go before. */
const pieceSettings: EngineSettings = { max_threads: 1, async_insert: 0, max_execution_time: 300 };

/** Makes one kind and account after another; keeps in mind where it still has to look. */
export class Steps {
  /** Accounts by mark that have commits which nobody looked at. */
  readonly #due = new Map<string, Set<string>>();
  /** Commits that were done before this time are in `#due` or were looked at. */
  #seen = 0;
  /** Until when accounts are left alone whose last attempt failed, by mark and account. */
  readonly #resting = new Map<string, number>();
  /** Steps that go on with the next turn, by mark and account. */
  readonly #attempts = new Map<string, Attempt>();
  /** Statements that are left of this turn. */
  #left = 0;
  #stopped = false;

  constructor(
    readonly parts: StepsParts,
    readonly kinds: readonly Kind[],
  ) {}

  /**
   * Goes on with what commits done ten minutes before `now` have stored, where it is enough to be worth while; to be
   * called again and again.
   */
  async run(now: number): Promise<void> {
    const { ledger, grace, leastRows } = this.parts;
    if (leastRows === 0) return;
    const before = now - keptMilliseconds - grace;
    for (const { mark, dataset } of this.kinds) {
      const due = this.#due.get(mark) ?? new Set();
      for (const account of await ledger.accountsWith(dataset, this.#seen - clockSlack, before))
        due.add(account);
      this.#due.set(mark, due);
    }
    this.#seen = Math.max(this.#seen, before);
    const failed: unknown[] = [];
    this.#left = this.parts.piecesAtOnce ?? usualPiecesAtOnce;
    for (const kind of this.kinds) {
      const due = this.#due.get(kind.mark) ?? new Set();
      for (const account of [...due]) {
        const key = `${kind.mark} ${account}`;
        if (this.#stopped || this.#left === 0) break;
        if (now < (this.#resting.get(key) ?? 0)) continue;
        // Whoever has to go on comes after all others that are due.
        due.delete(account);
        try {
          if ((await this.#turn(key, kind, account, now, before)) === 'due') due.add(account);
          this.#resting.delete(key);
        } catch (error) {
          // One account must not keep the others from theirs, nor the machine busy.
          this.#attempts.delete(key);
          due.add(account);
          this.#resting.set(key, now + leaseMilliseconds);
          failed.push(error);
        }
      }
    }
    if (failed.length === 1) throw failed[0];
    if (failed.length > 1) throw new AggregateError(failed, `${failed.length} accounts could not be summed`);
  }

  /** Begins nothing more; what was begun is begun anew another time. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins a step or goes on with it; tells whether there is something left to look at. */
  async #turn(
    key: string,
    kind: Kind,
    account: string,
    now: number,
    before: number,
  ): Promise<'due' | 'settled'> {
    const { engine, rollups } = this.parts;
    const { mark } = kind;
    const known = this.#attempts.get(key);
    if (known !== undefined) await rollups.goOn(account, mark, known.number, now);
    const attempt = known ?? (await this.#begin(kind, account, now, before));
    if (attempt === 'due' || attempt === 'settled') return attempt;
    this.#attempts.set(key, attempt);
    const { number, range, pieces } = attempt;
    while (attempt.done < pieces.length) {
      if (this.#stopped || this.#left === 0) return 'due';
      const { sql, params } = pieces[attempt.done] ?? { sql: '', params: {} };
      // Without a token an equal block counts as a repetition and is dropped.
      const token = `rollup:${account}:${mark}:${range.upTo}:${number}:${attempt.done}`;
      const settings = { ...pieceSettings, ...kind.settings, insert_deduplication_token: token };
      await engine.command({ account, sql, params, settings });
      attempt.done += 1;
      this.#left -= 1;
    }
    const made = await this.#madeBeyond(kind, account, range.above);
    if (made !== attempt.made) {
      throw new Error(
        `${mark} up to ${range.upTo}: ${attempt.made} rows were to be summed, the sums are of ${made}`,
      );
    }
    await rollups.finish(account, mark, number, { seq: range.upTo, rows: attempt.rows });
    this.#attempts.delete(key);
    return await this.#rest(kind, account, range.upTo);
  }

  /** Begins a step where one is worth while, and nobody else may be at it. */
  async #begin(
    kind: Kind,
    account: string,
    now: number,
    before: number,
  ): Promise<Attempt | 'due' | 'settled'> {
    const { ledger, rollups, leastRows, leastPart = usualPart, rowsAtOnce, embedded } = this.parts;
    const { mark, dataset } = kind;
    const known = await rollups.of(account, mark);
    const upTo = await ledger.settled(account, before);
    if (upTo <= known.seq) return await this.#rest(kind, account, known.seq);
    const fresh = await ledger.storedRows(account, dataset, known.seq, upTo);
    if (fresh < Math.max(leastRows, known.rows * leastPart)) return await this.#rest(kind, account, upTo);
    // What was begun elsewhere might still arrive, after it was removed here.
    if (!embedded && known.begunAt !== undefined && known.begunAt + leaseMilliseconds > now) return 'due';
    const number = await rollups.begin(account, mark, now);
    await this.#removeBeyond(kind, account, known.seq);
    const range = { account, above: known.seq, upTo };
    const ask: Ask = (sql, params) => this.#rows(account, sql, params, kind.settings);
    const { made, rows = fresh, pieces } = await kind.plan(range, ask, rowsAtOnce);
    return { number, range, made, rows, pieces, done: 0 };
  }

  /** Whether commits wait above one that was looked at: an older one that is still open holds them back. */
  async #rest({ dataset }: Kind, account: string, above: number): Promise<'due' | 'settled'> {
    const waiting = await this.parts.ledger.stored(account, dataset, above, Number.MAX_SAFE_INTEGER);
    return waiting.length === 0 ? 'settled' : 'due';
  }

  /** Removes what an attempt left that did not end. */
  async #removeBeyond(kind: Kind, account: string, seq: number): Promise<void> {
    if ((await this.#madeBeyond(kind, account, seq)) === 0) return;
    await this.parts.engine.command({
      account,
      sql: `DELETE FROM ${kind.table} WHERE ${beyond(kind)}`,
      params: { ...kind.own.params, account, seq },
      settings: { lightweight_deletes_sync: 2 },
    });
  }

  async #madeBeyond(kind: Kind, account: string, seq: number): Promise<number> {
    const [row] = await this.#rows(account, `SELECT ${kind.made} FROM ${kind.table} WHERE ${beyond(kind)}`, {
      ...kind.own.params,
      account,
      seq,
    });
    return Number(row?.[0]);
  }

  async #rows(
    account: string,
    sql: string,
    params: EngineParams,
    settings: EngineSettings = {},
  ): Promise<readonly (readonly (string | number)[])[]> {
    const bytes = await this.parts.engine.query({
      ...{ account, sql, params, settings },
      format: 'JSONCompactEachRow',
    });
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as (string | number)[]);
  }
}

/** Rows of a kind that no finished step made. */
function beyond({ own }: Kind): string {
  return `accountId = {account:String} AND seq > {seq:UInt64} AND ${own.sql}`;
}
