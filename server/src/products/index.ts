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
