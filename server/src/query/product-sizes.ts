/**
 * About how many rows large products have, so that a first page of one is not tried as a small answer: being refused
 * costs a cold page of ten million events 9 ms, one after the other with all that follows. The engine tells it out of
 * its primary index, which it holds in memory (3 ms for ten million rows); each granule counts for the product that it
 * begins with. It is asked beside the first question of an account about a table, once that has its turn, and again now and then; no
 * question waits for it.
 *
 * Sizes only choose a technique and never change an answer. Where an engine does not tell them, nothing is known.
 */
import type { Engine } from '../engine/index.js';
import { LruMap } from '../lru-map.js';
import type { Clock } from '../system.js';
import { type Day, daysBetween } from './dates.js';

/** Rows that a product has at least to be kept in mind; smaller ones answer small questions. */
const leastRows = 65_536;

const validFor = 10 * 60 * 1000;
const mostTables = 1_000;
const mostProducts = 100;

interface Size {
  readonly rows: number;
  readonly first: Day;
  readonly last: Day;
}

interface Known {
  readonly until: number;
  sizes: ReadonlyMap<string, Size>;
}

/** Rows of a product's range in a table. */
export interface Range {
  readonly accountId: string;
  readonly table: string;
  readonly applicationId: string;
  readonly start: Day;
  readonly end: Day;
}

/** What is known of the sizes of products, by account and table. */
export class ProductSizes {
  private readonly tables = new LruMap<Known>(mostTables);

  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {}

  /** About how many rows there are, as if all days had as many; 0 if that is not known, or not yet. */
  rowsOf({ accountId, table, applicationId, start, end }: Range): number {
    const size = this.tables.get(`${accountId}\n${table}`)?.sizes.get(applicationId);
    if (size === undefined) return 0;
    const first = start > size.first ? start : size.first;
    const last = end < size.last ? end : size.last;
    if (first > last) return 0;
    return (size.rows * (daysBetween(first, last) + 1)) / (daysBetween(size.first, size.last) + 1);
  }

  /** Has the engine asked if nothing is known, or not any longer. Nobody waits for that. */
  refresh({ accountId, table }: Pick<Range, 'accountId' | 'table'>): void {
    const known = this.tables.get(`${accountId}\n${table}`);
    if (known === undefined || known.until <= this.clock.now()) void this.read(accountId, table);
  }

  /** Asks the engine. Never throws. */
  async read(accountId: string, table: string): Promise<void> {
    const key = `${accountId}\n${table}`;
    const known = { until: this.clock.now() + validFor, sizes: this.tables.get(key)?.sizes ?? new Map() };
    this.tables.set(key, known);
    try {
      const bytes = await this.engine.query({
        account: accountId,
        sql: `SELECT applicationId, toFloat64(sum(rows_in_granule)) AS n, min(date), max(date)
FROM mergeTreeIndex(currentDatabase(), ${table}) WHERE accountId = {account:String}
GROUP BY applicationId HAVING n >= {least:UInt64} ORDER BY n DESC LIMIT {most:UInt64}`,
        params: { account: accountId, least: leastRows, most: mostProducts },
        format: 'JSONCompactEachRow',
      });
      const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
      known.sizes = new Map(
        lines.map((line) => {
          const [id, rows, first, last] = JSON.parse(line) as [string, number, Day, Day];
          return [id, { rows, first, last }];
        }),
      );
    } catch {
      // A user of the engine that may not read this, or an engine that is busy: the refusal will tell.
    }
  }
}
