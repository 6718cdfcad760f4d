/**
 * Deletes superseded rows: of replacing datasets, whose keys tell, and of those whose rows say what superseded them. A
 * row goes when a commit that was done long enough ago has a newer one in its place: every snapshot that is still
 * promised sees that newer one. Works through the commits in order, some at a time where keys are to be compared, so
 * that its memory depends on batches and never on the size of a table.
 */
import type { Engine, EngineParams } from '../engine/index.js';
import { keptMilliseconds, type Ledger } from '../ledger/index.js';
import { type StoredTable, storedTables } from './stored-tables.js';

/** The machine's clock may be set back by this much without a commit being overlooked. */
const clockSlack = 60 * 60 * 1000;

/** Rows of commits that are looked at together. */
const rowsAtOnce = 500_000;

/** Purges one account and dataset after another; keeps in mind what it still has to look at. */
export class Purge {
  /** Accounts by dataset that may have something to purge. */
  readonly #due = new Map<string, Set<string>>();
  /** Commits that were done before this time are in `#due` or purged. */
  #seen = 0;

  constructor(
    readonly engine: Engine,
    readonly ledger: Ledger,
    /** Milliseconds that a running report may still need rows after its snapshot ceased to be promised. */
    readonly grace: number,
  ) {}

  /** Deletes what was superseded by commits done ten minutes before `now`. */
  async run(now: number): Promise<void> {
    const before = now - keptMilliseconds - this.grace;
    const purged = [...storedTables.values()].filter(
      ({ replaces, supersedable }) => replaces !== undefined || supersedable,
    );
    for (const { name } of purged) {
      const due = this.#due.get(name) ?? new Set();
      const accounts = await this.ledger.accountsWith(name, this.#seen - clockSlack, before);
      for (const account of accounts) due.add(account);
      this.#due.set(name, due);
    }
    this.#seen = Math.max(this.#seen, before);
    for (const entry of purged) {
      const due = this.#due.get(entry.name) ?? new Set();
      for (const account of due) if (await this.#purge(entry, account, before)) due.delete(account);
    }
  }

  /** Whether nothing is left to look at for now. */
  async #purge(entry: StoredTable, account: string, before: number): Promise<boolean> {
    const settled = await this.ledger.settled(account, before);
    let { checked } = await this.ledger.purgeMark(account, entry.name);
    if (entry.supersedable && settled > checked) {
      await this.#step(entry, account, checked, settled);
      checked = settled;
    }
    while (!entry.supersedable) {
      const commits = await this.ledger.stored(account, entry.name, checked, settled);
      if (commits.length === 0) break;
      let rows = 0;
      let upTo = checked;
      for (const commit of commits) {
        if (rows > 0 && rows + commit.rows > rowsAtOnce) break;
        rows += commit.rows;
        upTo = commit.seq;
      }
      await this.#step(entry, account, checked, upTo);
      checked = upTo;
    }
    // An older commit that is still open holds later ones back.
    const waiting = await this.ledger.stored(account, entry.name, checked, Number.MAX_SAFE_INTEGER);
    return waiting.length === 0;
  }

  async #step(entry: StoredTable, account: string, above: number, upTo: number): Promise<void> {
    const { newest, where } = supersededRows(entry);
    const params: EngineParams = { account, above, upTo };
    const bytes = await this.engine.query({ account, sql: newest, params, format: 'TSV' });
    const horizon = Number(Buffer.from(bytes).toString('utf8'));
    if (horizon > 0) {
      // Before the rows go: a reader that looks at the mark after its query knows whether it may have missed some.
      await this.ledger.markPurged(account, entry.name, { checked: above, horizon });
      await this.engine.command({
        account,
        sql: `DELETE FROM ${entry.name} WHERE accountId = {account:String} AND ${where}`,
        params,
        settings: { lightweight_deletes_sync: 2 },
      });
    }
    await this.ledger.markPurged(account, entry.name, { checked: upTo, horizon: 0 });
  }
}

/**
 * SQL about the rows that commits in `above < seq <= upTo` supersede: a statement for the least number that still sees
 * everything without them, 0 if there are none, and a condition.
 */
function supersededRows({ name, replaces, supersedable, whole }: StoredTable): {
  readonly newest: string;
  readonly where: string;
} {
  if (supersedable) {
    const where = 'supersededBy > {above:UInt64} AND supersededBy <= {upTo:UInt64}';
    return {
      newest: `SELECT max(supersededBy) FROM ${name} WHERE accountId = {account:String} AND ${where}`,
      where,
    };
  }
  const keys = (replaces ?? []).join(', ');
  const parts = whole ? 'seq' : 'seq, line';
  const order = whole ? 'seq' : '(seq, line)';
  const rows = `SELECT ${parts} FROM (
  SELECT ${parts}, max(${order}) OVER (PARTITION BY ${keys}) AS newest FROM ${name}
  WHERE accountId = {account:String} AND seq <= {upTo:UInt64} AND (${keys}) IN (
    SELECT ${keys} FROM ${name}
    WHERE accountId = {account:String} AND seq > {above:UInt64} AND seq <= {upTo:UInt64})
) WHERE ${order} < newest`;
  return {
    newest: `SELECT if(count() = 0, 0, {upTo:UInt64}) FROM (${rows})`,
    where: `${order} IN (${rows})`,
  };
}
