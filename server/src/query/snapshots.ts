/**
 * Which commits a page may see. The first page of a paging run takes the account's low-water mark; later pages
 * repeat it, from the link or, for clients that count `skip` themselves, from memory of the last ten minutes.
 */
import { createHash } from 'node:crypto';
import { datasets, type ReportEntry } from '@storelens/contract';
import type { Ledger } from '../ledger/index.js';
import { LruMap } from '../lru-map.js';
import type { Clock } from '../system.js';
import { questionKey } from './link.js';
import { mirrorTableOf } from './mirrored.js';
import type { Question } from './validate.js';

/** A chosen snapshot, and what to tell the caller if it is not the one that was asked for. */
export interface Chosen {
  readonly snapshot: number;
  readonly notice: string | undefined;
  /** The account's newest snapshot. */
  readonly present: number;
  /** Whether a paging run begins here: {@link Snapshots.begin} is to be called. */
  readonly begins: boolean;
  /** Whether the same question gets the same snapshot for as long as `present` stays. */
  readonly steady: boolean;
}

/** Whose paging runs they are. */
interface Asker {
  readonly accountId: string;
  readonly applicationId: string;
}

const rememberedFor = 10 * 60 * 1000;
const mostRemembered = 10_000;

/** Chooses and remembers snapshots. */
export class Snapshots {
  private readonly runs = new LruMap<{ readonly snapshot: number; readonly until: number }>(mostRemembered);

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** The snapshot for one request of one application. */
  async choose(question: Question, scope: Asker): Promise<Chosen> {
    const present = await this.ledger.snapshot(scope.accountId);
    if (question.entry.paging === undefined) {
      return { snapshot: present, notice: undefined, present, begins: false, steady: true };
    }
    const asked = question.snapshot ?? (question.skip > 0 ? this.recall(runOf(question, scope)) : undefined);
    if (asked === undefined) {
      return { snapshot: present, notice: undefined, present, begins: true, steady: question.skip === 0 };
    }
    if (asked > present || (await this.isPurged(question.entry, scope.accountId, asked))) {
      return { snapshot: present, notice: lostNotice(asked), present, begins: true, steady: false };
    }
    const steady = question.snapshot === present;
    return { snapshot: asked, notice: undefined, present, begins: false, steady };
  }

  /** The present state in place of a snapshot that was purged while it was read. */
  async replace(accountId: string, lost: number): Promise<Chosen> {
    const present = await this.ledger.snapshot(accountId);
    return { snapshot: present, notice: lostNotice(lost), present, begins: false, steady: false };
  }

  /** Whether rows that a snapshot sees may be gone from the report's tables. */
  async isPurged(entry: ReportEntry, accountId: string, snapshot: number): Promise<boolean> {
    const sources = [...entry.sources, ...(entry.steps ?? []).map(({ source }) => source)];
    for (const { table } of sources) {
      const dataset = datasets[table];
      const replacing = dataset?.replaces !== undefined || dataset?.supersedable === true;
      if (replacing && snapshot < (await this.ledger.purgedBelow(accountId, table))) return true;
    }
    const mirror = mirrorTableOf(entry);
    return mirror !== undefined && snapshot < (await this.ledger.purgedBelow(accountId, mirror));
  }

  private recall(run: string): number | undefined {
    const known = this.runs.get(run);
    return known !== undefined && known.until >= this.clock.now() ? known.snapshot : undefined;
  }

  /** Remembers what the first page of a paging run saw, for later pages without a snapshot of their own. */
  begin(run: string, snapshot: number): void {
    this.runs.set(run, { snapshot, until: this.clock.now() + rememberedFor });
  }
}

/** The name of a question's paging run: a digest, because a filter may have a hundred kilobytes. */
export function runOf(question: Question, { accountId, applicationId }: Asker): string {
  const text = `${accountId}\n${applicationId}\n${questionKey(question)}`;
  return createHash('sha256').update(text).digest('base64');
}

function lostNotice(snapshot: number): string {
  return `snapshot ${snapshot} can no longer be had; this page shows the present state`;
}
