/**
 * Pages without sorting the whole answer. An index counts the answer's rows per value of the order's first key
 * (usually the day); it gives TotalCount and says which values a page lies in, so that the page's query reads only
 * those. Measured on 10M events: a first page costs 0.08 to 0.17 of the plain query, and later pages cost the same.
 * Rows are counted by their digests (`row-digest.ts`).
 * An index belongs to one snapshot and never changes; the cache is bounded in bytes.
 */
import type { Engine, EngineSettings } from '../engine/index.js';
import { bucketDays, type Key, type OrderPlan, type RowsPlan } from './plan.js';
import { indexStatement, totalStatement } from './sql.js';
import type { Statement, Window } from './sql-writer.js';

/** Where a page lies: the rows to skip inside the window. Without a window the whole answer is sorted. */
export interface Place {
  readonly window: Window | undefined;
  readonly offset: number;
}

/** What is known of an answer's size and order. */
export interface PageIndex {
  readonly total: number;
  /** Place of the rows `skip` to `skip + top`; skip is below the total. */
  locate(skip: number, top: number): Place;
}

// Beyond this many values of the first key an index would cost more memory than it saves time.
const mostEntries = 50_000;

interface Entry {
  readonly index: Promise<PageIndex>;
  /** Of the request that it is built for. */
  readonly signal: AbortSignal | undefined;
  bytes: number;
}

/** Builds page indexes and keeps the recent ones. */
export class PageIndexes {
  private readonly cached = new Map<string, Entry>();
  private bytes = 0;

  constructor(
    private readonly engine: Engine,
    private readonly settings: EngineSettings,
    private readonly mostBytes = 64 * 1024 * 1024,
  ) {}

  /**
   * The index of a plan. The cache key holds the account and the snapshot, because both are in the parameters.
   * Requests share an index that is being built; the others begin anew when the one that built it has gone.
   */
  async of(plan: RowsPlan, signal?: AbortSignal): Promise<PageIndex> {
    const lead = plan.order[0];
    const statement =
      lead?.key === undefined
        ? totalStatement(plan)
        : indexStatement(plan, { ...lead, key: lead.key }, mostEntries + 1);
    const cacheKey = `${statement.sql}\n${JSON.stringify(statement.params)}`;
    for (let known = this.cached.get(cacheKey); known !== undefined; known = this.cached.get(cacheKey)) {
      this.cached.delete(cacheKey);
      this.cached.set(cacheKey, known);
      try {
        return await known.index;
      } catch (error) {
        if (this.cached.get(cacheKey) === known) this.cached.delete(cacheKey);
        if (known.signal?.aborted !== true) throw error;
      }
    }
    const entry = { index: this.build(plan, lead, statement, signal), signal, bytes: 0 };
    this.cached.set(cacheKey, entry);
    try {
      const index = await entry.index;
      this.account(cacheKey, entry, 2 * cacheKey.length + (index instanceof WindowIndex ? index.bytes : 64));
      return index;
    } catch (error) {
      if (this.cached.get(cacheKey) === entry) this.cached.delete(cacheKey);
      throw error;
    }
  }

  private account(key: string, entry: { bytes: number }, bytes: number): void {
    if (this.cached.get(key) !== entry || entry.bytes > 0) return;
    entry.bytes = bytes;
    this.bytes += bytes;
    for (const [oldKey, old] of this.cached) {
      if (this.bytes <= this.mostBytes) break;
      this.cached.delete(oldKey);
      this.bytes -= old.bytes;
    }
  }

  private async build(
    plan: RowsPlan,
    lead: OrderPlan | undefined,
    statement: Statement,
    signal: AbortSignal | undefined,
  ): Promise<PageIndex> {
    const rows = await this.rows(plan, statement, signal);
    if (lead?.key === undefined) return plainIndex(Number(rows[0]?.[0] ?? 0));
    if (rows.length > mostEntries) {
      const [total] = await this.rows(plan, totalStatement(plan), signal);
      return plainIndex(Number(total?.[0] ?? 0));
    }
    return new WindowIndex(plan, { ...lead, key: lead.key }, rows);
  }

  private async rows(
    plan: RowsPlan,
    statement: Statement,
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly unknown[])[]> {
    const bytes = await this.engine.query({
      account: plan.accountId,
      ...statement,
      format: 'JSONCompactEachRow',
      signal,
      settings: {
        ...this.settings,
        output_format_json_quote_64bit_integers: 1,
        // A tenth of the memory for the largest products (commits and snapshots record), for 1.1 of the time.
        optimize_aggregation_in_order: 1,
      },
    });
    const lines = Buffer.from(bytes).toString('utf8').trimEnd().replaceAll('\n', ',');
    return JSON.parse(`[${lines}]`) as unknown[][];
  }
}

/** Where no window is possible (the order starts with a measure, or with a key of too many values). */
function plainIndex(total: number): PageIndex {
  return { total, locate: (skip) => ({ window: undefined, offset: skip }) };
}

class WindowIndex implements PageIndex {
  private readonly values: readonly string[];
  /** Rows up to and including each value. */
  private readonly through: Float64Array;

  constructor(
    private readonly plan: RowsPlan,
    private readonly lead: OrderPlan & { readonly key: Key },
    rows: readonly (readonly unknown[])[],
  ) {
    this.values = rows.map(([value]) => String(value));
    this.through = new Float64Array(rows.length);
    let sum = 0;
    rows.forEach(([, count], index) => {
      sum += Number(count);
      this.through[index] = sum;
    });
  }

  get total(): number {
    return this.through.at(-1) ?? 0;
  }

  get bytes(): number {
    return this.values.reduce((sum, value) => sum + 32 + 2 * value.length, 0) + 8 * this.through.length;
  }

  locate(skip: number, top: number): Place {
    const first = this.holding(skip);
    const last = this.holding(Math.min(skip + top, this.total) - 1);
    const offset = skip - (first === 0 ? 0 : (this.through[first - 1] ?? 0));
    const [low, high] = this.lead.descending ? [last, first] : [first, last];
    return { window: this.window(this.values[low] ?? '', this.values[high] ?? ''), offset };
  }

  /** Position of the value that holds the row with this number, counted from 0. */
  private holding(row: number): number {
    let low = 0;
    let high = this.through.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.through[middle] ?? 0) > row) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private window(low: string, high: string): Window {
    const { expression } = this.lead.key;
    // Hours and days stand for themselves; wider buckets for all their days.
    if (expression.kind !== 'bucket' || expression.level === 'hour') return { low, high };
    const { start, end } = this.plan;
    return {
      low: bucketDays(expression.level, low, start, end).first,
      high: bucketDays(expression.level, high, start, end).last,
    };
  }
}
