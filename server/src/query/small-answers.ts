/**
 * First pages in one engine query. An index and a page are two, and of the 5 ms that a small query takes the engine
 * plans for four. The page alone can tell its exact total, because sorting reads every row anyway, but that is dear
 * where answers are large (575 ms against 80 on ten million events). So a first page is tried as one query under a
 * limit, which the engine checks: rows to read while it still plans (a refusal takes 4 ms) where rows are not grouped
 * further, groups while it counts them where they are. Measured: a small answer takes half the time, months by
 * market out of 900,000 rows 0.6.
 *
 * Refusals are remembered for a while, and what is known to be large is not tried (`product-sizes.ts`). What is known only
 * chooses the technique; whatever it says, answers are the same.
 */
import { createHash } from 'node:crypto';
import { EngineError, type EngineSettings } from '../engine/index.js';
import { LruMap } from '../lru-map.js';
import type { Clock } from '../system.js';
import { daysBetween } from './dates.js';
import { fewRowsStatement } from './few-rows.js';
import type { RowsPlan } from './plan.js';
import type { ProductSizes, Range } from './product-sizes.js';
import type { Reader } from './reader.js';
import { pageStatement } from './sql.js';

/** Rows to read, in whole granules of 8,192 of every part. */
const mostRows = 65_536;
const mostGroups = 20_000;

/** Parts get merged and need not be read any longer. */
const rememberedFor = 10 * 60 * 1000;
const mostRemembered = 10_000;

const tooManyRows = 158;

/** The first rows of an answer, rendered, and the number of all. */
export interface SmallAnswer {
  readonly rows: Uint8Array;
  readonly total: number;
}

/** Asks for first pages in one query and remembers where that is refused. */
export class SmallAnswers {
  private readonly refused = new LruMap<{ readonly days: number; readonly until: number }>(mostRemembered);

  constructor(
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly sizes: ProductSizes,
  ) {}

  /** The first `top` rows; undefined if the answer is too large for this way, as far as is known. */
  async of(plan: RowsPlan, top: number, signal?: AbortSignal): Promise<SmallAnswer | undefined> {
    const key = questionOf(plan);
    const days = daysBetween(plan.start, plan.end);
    const known = this.refused.get(key);
    if (known !== undefined && days >= known.days && known.until > this.clock.now()) return undefined;
    const range = rangeOf(plan);
    const rows = range && this.sizes.rowsOf(range);
    if (isLarge(plan, rows)) return undefined;
    const areFew = rows !== undefined && rows <= mostRows;
    const write = (written: RowsPlan) =>
      (areFew ? fewRowsStatement(written, top) : undefined) ?? pageStatement(written, top, 0);
    try {
      const bytes = await this.reader.rendered(plan, write, {
        signal,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholders, not ours
        template: '${data}\n${rows_before_limit:JSON}',
        // A process looks its symbols up for its first stack trace, for 18 ms.
        settings: { exact_rows_before_limit: 1, calculate_text_stack_trace: 0, ...limitOf(plan) },
        begun: () => range && this.sizes.refresh(range),
      });
      // Rendered rows hold no line feed of their own: JSON escapes it.
      const end = bytes.lastIndexOf(0x0a);
      return { rows: bytes.subarray(0, end), total: Number(Buffer.from(bytes.subarray(end + 1)).toString()) };
    } catch (error) {
      if (!(error instanceof EngineError) || error.engineCode !== tooManyRows) throw error;
      this.refused.set(key, { days, until: this.clock.now() + rememberedFor });
      return undefined;
    }
  }
}

/** What a plan reads of one product in one table; undefined for more than that. */
function rangeOf({ sources, products, accountId, start, end }: RowsPlan): Range | undefined {
  const [source, ...others] = sources;
  const applicationId = products.find(({ column }) => column === 'applicationId')?.id;
  if (source === undefined || others.length > 0 || applicationId === undefined) return undefined;
  return { accountId, table: source.table, applicationId, start, end };
}

/** Whether a plan whose rows are not grouped further surely reads too many. A filter may leave few of them to read. */
function isLarge({ fullGrain, lookups, filter }: RowsPlan, rows = 0): boolean {
  return fullGrain && filter === undefined && lookups.length === 0 && rows > 2 * mostRows;
}

function limitOf(plan: RowsPlan): EngineSettings {
  if (plan.fullGrain) return { max_rows_to_read: mostRows, read_overflow_mode: 'throw' };
  return { max_rows_to_group_by: mostGroups, group_by_overflow_mode: 'throw' };
}

/** A digest of what is asked, whatever the range and the snapshot. A filter may have a hundred kilobytes. */
function questionOf({ accountId, products, lookups, filter, keys, sources }: RowsPlan): string {
  const asked = [accountId, products, lookups, filter, keys, sources];
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64');
}
