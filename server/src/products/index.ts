/**
 * Products of an account: the names that reports print, the ids that requests and events may use.
 * Request ids match without regard to case; the registry's spelling is the one that is stored and compared.
 */

/** Kind of a product. */
export type ProductKind = 'app' | 'addon' | 'desktop' | 'driver';

/** A registered product. */
export interface Product {
  readonly id: string;
  readonly kind: ProductKind;
  /** The app an add-on belongs to. */
  readonly parentId: string | null;
  readonly name: string;
}

/** The products of one account at one moment. */
export interface AccountProducts {
  /** The product with this id, in any letter case. */
  find(id: string): Product | undefined;
  /** Products of a kind, sorted by id. */
  ofKind(kind: ProductKind): readonly Product[];
}

/**
 * The products of all accounts. `input` is a JSON value of the caller, checked here: `{kind, name, id?, parentId?}`.
 * Without an id one is made: app and add-on `9` and eleven of `A-Z0-9`, driver 17 digits, desktop 20 digits. All
 * throw Failure: `invalid-body` naming field and value, `conflict` for an id that is taken, `not-found`.
 */
export interface Products {
  /** The account's products, from memory; empty for an unknown account. */
  of(accountId: string): Promise<AccountProducts>;
  /** All products of the account, sorted by id. */
  list(accountId: string): Promise<readonly Product[]>;
  get(accountId: string, id: string): Promise<Product>;
  create(accountId: string, input: unknown): Promise<Product>;
  /** Creates all or none; messages name the line, counted from 1. Add-ons may name parents of the same list. */
  createMany(accountId: string, inputs: readonly unknown[]): Promise<readonly Product[]>;
  /** `input`: `{name}`. */
  patch(accountId: string, id: string, input: unknown): Promise<Product>;
  /** Removes a product; an app with add-ons is a conflict. Its ingested rows stay. */
  remove(accountId: string, id: string): Promise<void>;
}
