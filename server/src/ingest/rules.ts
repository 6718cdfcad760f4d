/**
 * What the values of rows must be, for the engine's checks (`statement.ts`) and the explanations (`values.ts`):
 * patterns that RE2 and JavaScript read alike, limits, and the facts of one request that values are held against.
 */
import { asciiLower } from '../body.js';
import type { AccountProducts, ProductKind } from '../products/index.js';

/** ISO 8601 with zone; days per month are checked apart. */
export const timePattern =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])$';

/** `YYYY-MM-DD`; days per month are checked apart. */
export const dayPattern = '^[0-9]{4}-[0-9]{2}-[0-9]{2}$';

/** A GUID without braces. */
export const guidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

/** A whole number in a CSV cell. */
export const integerPattern = '^-?(0|[1-9][0-9]{0,17})$';

/** Digits of an amount before the point and after it. */
export const amountDigits = { whole: 12, fraction: 6 } as const;

/**
 * What follows the whole part of an amount that is written with a negative exponent, as programs print small numbers
 * (`5e-05`): decimals and exponent together stay within the digits after the point.
 */
const scaledPatterns = Array.from({ length: amountDigits.fraction }, (_, decimals) => {
  const fraction = decimals === 0 ? '' : `[.][0-9]{${decimals}}`;
  return `${fraction}[eE]-0?[1-${amountDigits.fraction - decimals}]`;
});

/** An amount in a CSV cell. */
export const amountPattern = `^-?(0|[1-9][0-9]{0,${amountDigits.whole - 1}})([.][0-9]{1,${amountDigits.fraction}}|${scaledPatterns.join('|')})?$`;

/** Most UTF-8 bytes of a text whose column does not say otherwise. */
export const defaultMaxBytes = 4096;

/** First day that can be stored. */
export const firstDay = '1970-01-01';

const day = 86_400_000;
/** The engine's dates end here: 2149-06-06. */
const endOfDates = Date.UTC(2149, 5, 6) + day - 1;

/** What the values of one request are held against. */
export interface Facts {
  /** Latest accepted time: a day from now, in milliseconds. */
  readonly latest: number;
  /** Ids of the account's products of a kind: by lower case, the registry's spelling. */
  readonly products: ReadonlyMap<ProductKind, ReadonlyMap<string, string>>;
}

const productKinds: readonly ProductKind[] = ['app', 'addon', 'desktop', 'driver'];

/**
 * Ids by the catalog they are from, which never changes: with a thousand products making them anew cost every crash
 * half a millisecond, a tenth of its processor time.
 */
const idsOfCatalogs = new WeakMap<AccountProducts, Facts['products']>();

function idsOf(catalog: AccountProducts): Facts['products'] {
  let ids = idsOfCatalogs.get(catalog);
  if (ids === undefined) {
    ids = new Map(
      productKinds.map((kind) => [kind, new Map(catalog.ofKind(kind).map(({ id }) => [asciiLower(id), id]))]),
    );
    idsOfCatalogs.set(catalog, ids);
  }
  return ids;
}

/** The facts at a time for an account's products. */
export function factsOf(now: number, products: AccountProducts): Facts {
  return { latest: Math.min(now + day, endOfDates), products: idsOf(products) };
}
