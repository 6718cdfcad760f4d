/**
 * Sums rows by day, device and dimensions into a table beside them, so that counting distinct devices over months reads
 * one row for what a device met again and again: weeks by failure over a million hits of two thousand devices take 0.33
 * of the processor time that the raw rows take, 0.53 with keys and digests alone (2 cores, quiet; `query/summed-rows.ts`
 * reads them). Making them takes 6 microseconds a row, in the background and once; a batch pays nothing.
 *
 * The raw rows stay the truth, and every step is all or nothing: its rows carry the last commit of the step, and
 * readers ignore them until the mark in the registry has moved there (`ledger/rollups.ts`). A step begins by removing
 * what an earlier attempt left, and ends by counting. It takes commits that were done long enough ago that no snapshot
 * below them is promised any longer, and leaves out rows with a stored file: only those can be superseded. Steps are
 * spread over turns of some seconds each, so that a first one over many rows holds up nothing else that is due.
 */
import { type DatasetEntry, datasets } from '@storelens/contract';
import type { Engine, EngineParams, EngineSettings } from '../engine/index.js';
import type { Ledger, Rollups } from '../ledger/index.js';
import { keptMilliseconds } from './purge.js';

/** The machine's clock may be set back by this much without a commit being overlooked. */
const clockSlack = 60 * 60 * 1000;

const usualRowsAtOnce = 100_000;

/** Two million rows, some twelve seconds. */
const usualPiecesAtOnce = 20;

/**
 * A step is worth while from this part of what was summed before: so there are few steps, whose rows are not summed
 * with one another, and few raw rows above the mark.
 */
const usualPart = 1 / 16;

/** Longest that a statement of a stopped process may still be under way on a server. */
const leaseMilliseconds = 15 * 60 * 1000;

/** What {@link Rollup} works with. */
export interface RollupParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly rollups: Pick<Rollups, 'of' | 'begin' | 'goOn' | 'finish'>;
  /** Least number of new rows that are summed; 0: none ever are. */
  readonly leastRows: number;
  /** The same as a part of those that were summed before. */
  readonly leastPart?: number;
  /** Whether statements end with this process. */
  readonly embedded: boolean;
  /** Milliseconds that a running report may still need a snapshot after it ceased to be promised. */
  readonly grace: number;
  /** Most rows that one statement sums; batches wait for it, some tenths of a second. */
  readonly rowsAtOnce?: number;
  /** Most statements of one turn. */
  readonly piecesAtOnce?: number;
}

/** A summed dataset. */
type Entry = DatasetEntry & { readonly summed: NonNullable<DatasetEntry['summed']> };

/**
 * Rows that one statement sums: of products in a row, as the table is sorted, or of some days of one; and of the devices
 * whose key leaves the remainder `part`.
 */
interface Piece {
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly part: number;
  readonly parts: number;
}

const everyDay = { firstDay: '1970-01-01', lastDay: '2149-06-06' } as const;

/** What a step sums. */
type Range = EngineParams & { readonly account: string; readonly above: number; readonly upTo: number };

/** A step that was begun. */
interface Attempt {
  readonly number: number;
  readonly range: Range;
  /** Rows that it sums. */
  readonly rows: number;
  readonly pieces: readonly Piece[];
  /** Pieces that are summed. */
  done: number;
}

const isSummed = (entry: DatasetEntry): entry is Entry => entry.summed !== undefined;

/** Sums one account and dataset after another; keeps in mind where it still has to look. */
export class Rollup {
  /** Accounts by dataset that have commits which nobody looked at. */
  readonly #due = new Map<string, Set<string>>();
  /** Commits that were done before this time are in `#due` or were looked at. */
  #seen = 0;
  /** Until when accounts are left alone whose last attempt failed, by dataset and account. */
  readonly #resting = new Map<string, number>();
  /** Steps that go on with the next turn, by dataset and account. */
  readonly #attempts = new Map<string, Attempt>();
  /** Statements that are left of this turn. */
  #left = 0;
  #stopped = false;

  constructor(readonly parts: RollupParts) {}

  /**
   * Goes on summing what commits done ten minutes before `now` have stored, where it is enough to be worth while; to be
   * called again and again.
   */
  async run(now: number): Promise<void> {
    const { ledger, grace, leastRows } = this.parts;
    if (leastRows === 0) return;
    const before = now - keptMilliseconds - grace;
    const summed = Object.values(datasets).filter(isSummed);
    for (const { name } of summed) {
      const due = this.#due.get(name) ?? new Set();
      for (const account of await ledger.accountsWith(name, this.#seen - clockSlack, before))
        due.add(account);
      this.#due.set(name, due);
    }
    this.#seen = Math.max(this.#seen, before);
    const failed: unknown[] = [];
    this.#left = this.parts.piecesAtOnce ?? usualPiecesAtOnce;
    for (const entry of summed) {
      const due = this.#due.get(entry.name) ?? new Set();
      for (const account of [...due]) {
        const key = `${entry.name} ${account}`;
        if (this.#stopped || this.#left === 0) break;
        if (now < (this.#resting.get(key) ?? 0)) continue;
        // Whoever has to go on comes after all others that are due.
        due.delete(account);
        try {
          if ((await this.#turn(key, entry, account, now, before)) === 'due') due.add(account);
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
    entry: Entry,
    account: string,
    now: number,
    before: number,
  ): Promise<'due' | 'settled'> {
    const { rollups } = this.parts;
    const { name } = entry;
    const known = this.#attempts.get(key);
    if (known !== undefined) await rollups.goOn(account, name, known.number, now);
    const attempt = known ?? (await this.#begin(entry, account, now, before));
    if (attempt === 'due' || attempt === 'settled') return attempt;
    this.#attempts.set(key, attempt);
    const { number, range, rows, pieces } = attempt;
    for (const piece of pieces.slice(attempt.done)) {
      if (this.#stopped || this.#left === 0) return 'due';
      await this.#sum(entry, range, piece, `rollup:${account}:${name}:${range.upTo}:${number}`);
      attempt.done += 1;
      this.#left -= 1;
    }
    const summed = await this.#summedBeyond(entry, account, range.above);
    if (summed !== rows) {
      throw new Error(
        `${name} up to ${range.upTo}: ${rows} rows were to be summed, the sums are of ${summed}`,
      );
    }
    await rollups.finish(account, name, number, { seq: range.upTo, rows });
    this.#attempts.delete(key);
    return await this.#rest(entry, account, range.upTo);
  }

  /** Begins a step where one is worth while, and nobody else may be at it. */
  async #begin(
    entry: Entry,
    account: string,
    now: number,
    before: number,
  ): Promise<Attempt | 'due' | 'settled'> {
    const { ledger, rollups, leastRows, leastPart = usualPart, embedded } = this.parts;
    const { name } = entry;
    const known = await rollups.of(account, name);
    const upTo = await ledger.settled(account, before);
    if (upTo <= known.seq) return await this.#rest(entry, account, known.seq);
    const fresh = await ledger.storedRows(account, name, known.seq, upTo);
    if (fresh < Math.max(leastRows, known.rows * leastPart)) return await this.#rest(entry, account, upTo);
    // What was begun elsewhere might still arrive, after it was removed here.
    if (!embedded && known.begunAt !== undefined && known.begunAt + leaseMilliseconds > now) return 'due';
    const number = await rollups.begin(account, name, now);
    await this.#removeBeyond(entry, account, known.seq);
    const range = { account, above: known.seq, upTo };
    return { number, range, ...(await this.#pieces(entry, range)), done: 0 };
  }

  /** Whether commits wait above one that was looked at: an older one that is still open holds them back. */
  async #rest({ name }: Entry, account: string, above: number): Promise<'due' | 'settled'> {
    const waiting = await this.parts.ledger.stored(account, name, above, Number.MAX_SAFE_INTEGER);
    return waiting.length === 0 ? 'settled' : 'due';
  }

  /** Removes what an attempt left that did not end. */
  async #removeBeyond(entry: Entry, account: string, seq: number): Promise<void> {
    if ((await this.#summedBeyond(entry, account, seq)) === 0) return;
    await this.parts.engine.command({
      account,
      sql: `DELETE FROM ${entry.summed.table} WHERE accountId = {account:String} AND seq > {seq:UInt64}`,
      params: { account, seq },
      settings: { lightweight_deletes_sync: 2 },
    });
  }

  async #summedBeyond(entry: Entry, account: string, seq: number): Promise<number> {
    const [row] = await this.#rows(
      account,
      `SELECT sum(hits) FROM ${entry.summed.table} WHERE accountId = {account:String} AND seq > {seq:UInt64}`,
      { account, seq },
    );
    return Number(row?.[0]);
  }

  /** What the statements of a step sum, and how many rows that are. */
  async #pieces({ name }: Entry, range: Range): Promise<{ rows: number; pieces: readonly Piece[] }> {
    const most = this.parts.rowsAtOnce ?? usualRowsAtOnce;
    const products = await this.#rows(
      range.account,
      `SELECT source, applicationId, count() FROM ${name} WHERE ${summedRows}
GROUP BY source, applicationId ORDER BY source, applicationId`,
      range,
    );
    const pieces: Piece[] = [];
    let rows = 0;
    // Rows of the last piece that may still grow; undefined: it may not.
    let taken: number | undefined;
    for (const [ofSource, product, number] of products) {
      const [source, id, count] = [String(ofSource), String(product), Number(number)];
      rows += count;
      const last = pieces.at(-1);
      if (taken !== undefined && last?.source === source && taken + count <= most) {
        pieces[pieces.length - 1] = { ...last, to: id };
        taken += count;
      } else if (count <= most) {
        pieces.push({ source, from: id, to: id, ...everyDay, part: 0, parts: 1 });
        taken = count;
      } else {
        const days = await this.#rows(
          range.account,
          `SELECT toString(date), count() FROM ${name}
WHERE ${summedRows} AND source = {source:String} AND applicationId = {id:String} GROUP BY date ORDER BY date`,
          { ...range, source, id },
        );
        pieces.push(...piecesOfDays(days, most).map((piece) => ({ source, from: id, to: id, ...piece })));
        taken = undefined;
      }
    }
    return { rows, pieces };
  }

  async #sum(
    { name, summed: { table, columns } }: Entry,
    range: Range,
    piece: Piece,
    token: string,
  ): Promise<void> {
    const list = columns.join(', ');
    await this.parts.engine.command({
      account: range.account,
      sql: `INSERT INTO ${table} (accountId, ${list}, hits, seq)
SELECT accountId, ${list}, count(), {upTo:UInt64} FROM ${name}
WHERE ${summedRows} AND source = {source:String} AND applicationId BETWEEN {from:String} AND {to:String}
  AND date BETWEEN {firstDay:Date} AND {lastDay:Date} AND deviceKey % {parts:UInt32} = {part:UInt32}
GROUP BY accountId, ${list}`,
      params: { ...range, ...piece },
      settings: {
        ...sumSettings,
        // Without a token an equal block counts as a repetition and is dropped.
        insert_deduplication_token: `${token}:${Object.values(piece).join(':')}`,
      },
    });
  }

  async #rows(
    account: string,
    sql: string,
    params: EngineParams,
  ): Promise<readonly (readonly (string | number)[])[]> {
    const bytes = await this.parts.engine.query({ account, sql, params, format: 'JSONCompactEachRow' });
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as (string | number)[]);
  }
}

/** Rows of the commits of a step that nothing can take the place of. */
const summedRows =
  'accountId = {account:String} AND seq > {above:UInt64} AND seq <= {upTo:UInt64} AND cabBytes = 0';

/** One thread: reports go before. */
const sumSettings: EngineSettings = { max_threads: 1, async_insert: 0, max_execution_time: 300 };

/** Days in a row of so many rows; a day with more in several parts. */
function piecesOfDays(
  days: readonly (readonly (string | number)[])[],
  most: number,
): readonly Pick<Piece, 'firstDay' | 'lastDay' | 'part' | 'parts'>[] {
  const pieces: Pick<Piece, 'firstDay' | 'lastDay' | 'part' | 'parts'>[] = [];
  let taken = 0;
  for (const [ofDay, number] of days) {
    const [day, rows] = [String(ofDay), Number(number)];
    const last = pieces.at(-1);
    if (last?.parts === 1 && taken + rows <= most) {
      pieces[pieces.length - 1] = { ...last, lastDay: day };
      taken += rows;
      continue;
    }
    const parts = Math.ceil(rows / most);
    for (let part = 0; part < parts; part += 1) pieces.push({ firstDay: day, lastDay: day, part, parts });
    taken = rows;
  }
  return pieces;
}
