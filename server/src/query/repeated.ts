/**
 * Questions that come again word for word: the same text of the same application finds its kept answer without being
 * parsed, planned or made a digest of. Of the 0.45 ms by which a repeated answer of 180 KB came later than a static
 * body, that were 0.3.
 *
 * The text alone does not say what it means. So a text is remembered together with everything else that gave it its
 * meaning, and counts only while all of that is as it was:
 *
 * - account, application, right to crash files and report are part of the key;
 * - the account's products, by the one object that holds them until one is written;
 * - the snapshot, by number: the text is remembered only if the account's present one answered it;
 * - the hour of the clock, in UTC: default ranges move with the day, limits of hours with the hour. Answers that hold
 *   for a moment only are not remembered;
 * - the origin that absolute links begin with.
 *
 * Rights are not looked at: whoever comes here has been let in with those of this request. Bodies are not held here;
 * `answer-cache.ts` has them, as long as it has.
 */
import { LruMap } from '../lru-map.js';
import type { AccountProducts } from '../products/index.js';

/** What gives a question its meaning, besides its text and who asks. */
export interface Circumstances {
  readonly sellerId: string;
  readonly products: AccountProducts;
  /** The account's present snapshot. */
  readonly present: number;
  /** Milliseconds. */
  readonly now: number;
  readonly origin: string;
}

/** How a question was answered. */
export interface Understood {
  readonly tag: string;
  /** Besides those of the kept answer. */
  readonly notices: readonly string[];
  /** The paging run that the question begins. */
  readonly run: string | undefined;
}

interface Remembered extends Omit<Circumstances, 'products' | 'now'> {
  readonly understood: Understood;
  readonly catalog: number;
  readonly hour: number;
}

/** Longer questions are parsed each time. */
const longestText = 4096;
/** Bytes that an entry takes besides its texts. */
const overhead = 400;

/** Remembers what questions came to, bounded in bytes. */
export class RepeatedQuestions {
  private readonly known: LruMap<Remembered>;
  /** Numbers for lists of products: holding the lists themselves would keep those of all times. */
  private readonly catalogs = new WeakMap<AccountProducts, number>();
  private lastCatalog = 0;

  constructor(mostBytes = 8 * 1024 * 1024) {
    this.known = new LruMap(mostBytes, bytesOf);
  }

  /** What the question came to under the same circumstances; undefined if they were others, or it is not known. */
  find(key: string, circumstances: Circumstances): Understood | undefined {
    const known = this.known.get(key);
    if (
      known === undefined ||
      known.present !== circumstances.present ||
      known.catalog !== this.catalogs.get(circumstances.products) ||
      known.hour !== hourOf(circumstances.now) ||
      known.sellerId !== circumstances.sellerId ||
      known.origin !== circumstances.origin
    ) {
      return undefined;
    }
    return known.understood;
  }

  /** Remembers what a question came to. */
  remember(key: string, circumstances: Circumstances, understood: Understood): void {
    if (key.length > longestText) return;
    const { sellerId, products, present, now, origin } = circumstances;
    const hour = hourOf(now);
    const catalog = this.numberOf(products);
    this.known.set(key, { sellerId, present, origin, understood, catalog, hour });
  }

  private numberOf(products: AccountProducts): number {
    const known = this.catalogs.get(products);
    if (known !== undefined) return known;
    this.lastCatalog += 1;
    this.catalogs.set(products, this.lastCatalog);
    return this.lastCatalog;
  }
}

function bytesOf({ origin, understood }: Remembered, key: string): number {
  const texts = [key, origin, understood.run ?? '', ...understood.notices];
  return texts.reduce((sum, text) => sum + 2 * text.length, overhead);
}

function hourOf(milliseconds: number): number {
  return Math.floor(milliseconds / 3_600_000);
}
