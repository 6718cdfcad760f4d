/**
 * How much room the crash files of a product may take. The sum is asked from time to time and counted on in between,
 * so that the limit is passed by no more than what comes in at once. Expired files do not count.
 */
import type { Engine } from '../engine/index.js';
import { Failure } from '../failure.js';
import { type Clock, utcDay } from '../system.js';

const mib = 1024 * 1024;

/** How long a sum is counted on before it is asked again. */
const keptMilliseconds = 60_000;

/** Whose files are counted together. */
export interface QuotaOwner {
  readonly accountId: string;
  readonly source: string;
  /** Empty for crashes without product. */
  readonly applicationId: string;
}

/** Options of {@link Quota}. */
export interface QuotaOptions {
  readonly engine: Pick<Engine, 'query'>;
  readonly clock: Clock;
  /** Most MiB of a product; 0 for no limit. */
  readonly most: number;
  /** Days that files are kept; 0 for ever. */
  readonly days: number;
}

/** Sums of stored bytes. */
export class Quota {
  readonly #sums = new Map<string, { bytes: number; readonly asked: number }>();

  constructor(readonly options: QuotaOptions) {}

  /** Throws Failure `too-large` if a file does not fit any longer. */
  async check(owner: QuotaOwner, bytes: number): Promise<void> {
    const { most } = this.options;
    if (most === 0) return;
    const taken = (await this.#sum(owner)).bytes;
    if (taken + bytes <= most * mib) return;
    const whose =
      owner.applicationId === '' ? `without product (${owner.source})` : `of '${owner.applicationId}'`;
    throw new Failure('too-large', [
      `The crash files ${whose} take ${Math.ceil(taken / mib)} MiB; together they may take ${most} MiB (crash-quota-mib).`,
    ]);
  }

  /** Counts a stored file. */
  add(owner: QuotaOwner, bytes: number): void {
    const sum = this.#sums.get(keyOf(owner));
    if (sum !== undefined) sum.bytes += bytes;
  }

  async #sum(owner: QuotaOwner): Promise<{ bytes: number; readonly asked: number }> {
    const { engine, clock, days } = this.options;
    const key = keyOf(owner);
    const now = clock.now();
    const known = this.#sums.get(key);
    if (known !== undefined && now - known.asked < keptMilliseconds) return known;
    const answer = await engine.query({
      account: owner.accountId,
      sql: `SELECT sum(cabBytes) FROM failures WHERE accountId = {account:String} AND source = {source:String}
AND applicationId = {product:String} AND date >= {since:Date} AND supersededBy = 0`,
      params: {
        account: owner.accountId,
        source: owner.source,
        product: owner.applicationId,
        since: days === 0 ? '1970-01-01' : utcDay(now - days * 86_400_000),
      },
      format: 'TSV',
    });
    const sum = { bytes: Number(Buffer.from(answer).toString('utf8')), asked: now };
    this.#sums.set(key, sum);
    return sum;
  }
}

function keyOf({ accountId, source, applicationId }: QuotaOwner): string {
  return `${accountId}\n${source}\n${applicationId}`;
}
