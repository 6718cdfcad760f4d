/**
 * How far the rows of an account's dataset are summed, or counted for a grain, whose name stands in the dataset's place
 * then. Only a complete sum moves the mark, and every row of a sum carries the last commit of it: whoever reads sums up to
 * a mark and rows above it misses nothing and counts nothing twice, also at an older mark. So readers keep marks in memory,
 * and one that is out of date costs speed alone.
 */
import { LruMap } from '../lru-map.js';
import type { Registry, RegistryValue } from '../registry/index.js';

/** State of the sums of one account and dataset. */
export interface Rollup {
  /** Commits up to this one are summed; 0: none. */
  readonly seq: number;
  /** Rows that were summed. */
  readonly rows: number;
  /** When an attempt to go on began that has not ended, in milliseconds; undefined: there is none. */
  readonly begunAt: number | undefined;
}

/** What readers need to know of it. */
export interface Mark {
  readonly seq: number;
  /** Whether every row of these commits is in the sums. */
  readonly whole: boolean;
}

/** Accounts and datasets whose marks are kept in memory. */
const mostKept = 10_000;

/** Marks of all accounts. Registry errors pass through. */
export class Rollups {
  readonly #marks = new LruMap<Mark>(mostKept);

  constructor(readonly registry: Registry) {}

  /** Commits up to this one are summed; maybe more, if another process sums them. 0: none. */
  async mark(accountId: string, dataset: string): Promise<Mark> {
    const key = `${accountId}\n${dataset}`;
    return this.#marks.get(key) ?? this.#keep(key, await this.#read(accountId, dataset));
  }

  async #read(accountId: string, dataset: string): Promise<Mark> {
    const row = await this.registry.get(
      `SELECT r.seq AS seq, r.row_count AS summed,
         (SELECT coalesce(sum(c.row_count), 0) FROM commits c
          WHERE c.account_id = $1 AND c.dataset = $2 AND c.seq <= r.seq AND c.state = 'done') AS stored
       FROM rollups r WHERE r.account_id = $1 AND r.dataset = $2`,
      [accountId, dataset],
    );
    if (row === undefined) return { seq: 0, whole: false };
    return { seq: numberOf(row.seq), whole: numberOf(row.summed) === numberOf(row.stored) };
  }

  /** The state in the registry. */
  async of(accountId: string, dataset: string): Promise<Rollup> {
    const row = await this.registry.get(
      'SELECT seq, row_count, begun_at FROM rollups WHERE account_id = $1 AND dataset = $2',
      [accountId, dataset],
    );
    if (row === undefined) return { seq: 0, rows: 0, begunAt: undefined };
    const begunAt = row.begun_at === null ? undefined : numberOf(row.begun_at);
    return { seq: numberOf(row.seq), rows: numberOf(row.row_count), begunAt };
  }

  /** Begins an attempt to sum further; returns its number, which no other attempt of the account and dataset has. */
  async begin(accountId: string, dataset: string, now: number): Promise<number> {
    const row = await this.registry.get(
      `INSERT INTO rollups (account_id, dataset, seq, row_count, attempt, begun_at) VALUES ($1, $2, 0, 0, 1, $3)
       ON CONFLICT (account_id, dataset) DO UPDATE SET attempt = rollups.attempt + 1, begun_at = $3
       RETURNING attempt`,
      [accountId, dataset, now],
    );
    return numberOf(row?.attempt);
  }

  /** Goes on with an attempt, as if it had begun `now`. Throws if another one has begun. */
  async goOn(accountId: string, dataset: string, attempt: number, now: number): Promise<void> {
    const touched = await this.registry.all(
      `UPDATE rollups SET begun_at = $4
       WHERE account_id = $1 AND dataset = $2 AND attempt = $3 AND begun_at IS NOT NULL RETURNING seq`,
      [accountId, dataset, attempt, now],
    );
    if (touched.length !== 1) throw new Error(`sums of ${dataset}: another attempt has begun`);
  }

  /** Ends an attempt: the commits up to `seq` are summed, `rows` rows more than before. Throws for an older attempt. */
  async finish(
    accountId: string,
    dataset: string,
    attempt: number,
    { seq, rows }: { readonly seq: number; readonly rows: number },
  ): Promise<void> {
    const touched = await this.registry.all(
      `UPDATE rollups SET seq = $4, row_count = row_count + $5, begun_at = NULL
       WHERE account_id = $1 AND dataset = $2 AND attempt = $3 AND seq < $4 RETURNING seq`,
      [accountId, dataset, attempt, seq, rows],
    );
    if (touched.length !== 1) throw new Error(`sums of ${dataset} up to ${seq}: another attempt has begun`);
    this.#keep(`${accountId}\n${dataset}`, await this.#read(accountId, dataset));
  }

  /** Forgets the marks of an account that has neither rows nor sums. */
  async forget(accountId: string): Promise<void> {
    await this.registry.all('DELETE FROM rollups WHERE account_id = $1', [accountId]);
    for (const key of this.#marks.keys()) if (key.startsWith(`${accountId}\n`)) this.#marks.delete(key);
  }

  #keep(key: string, read: Mark): Mark {
    // What was read may be older than what was finished meanwhile.
    const known = this.#marks.get(key);
    const mark = known !== undefined && known.seq > read.seq ? known : read;
    this.#marks.set(key, mark);
    return mark;
  }
}

function numberOf(value: RegistryValue | undefined): number {
  const result = Number(value);
  if (value === null || value === undefined || !Number.isSafeInteger(result)) {
    throw new TypeError(`the marks of sums hold '${value}' where a whole number belongs`);
  }
  return result;
}
