/**
 * What a dataset entry is: the columns that `POST /ingest/v1/{dataset}` accepts, what they mean and what stands
 * for a missing value. Plain data; the server makes its parsing, its checks and its explanations from it.
 */

/**
 * Type of an ingested value:
 * - `timestamp`: ISO 8601 with zone or `Z`, stored in UTC with milliseconds; `day`: `YYYY-MM-DD`;
 * - `instant`: as timestamp, kept as text with seven fraction digits and `Z`;
 * - `text`; `guid`: 8-4-4-4-12 hex digits, stored in lower case; `product`: id of a product of the account;
 * - `integer` and `amount` (decimal, at most six places): JSON numbers; `boolean`;
 * - `code`: text or a whole number (`"0xc0000005"`, `3221225477`); `object` and `list` (of objects): as `columns` say,
 *   in JSON alone.
 */
export type ColumnType =
  | 'timestamp'
  | 'day'
  | 'instant'
  | 'text'
  | 'guid'
  | 'product'
  | 'integer'
  | 'amount'
  | 'boolean'
  | 'code'
  | 'object'
  | 'list';

/** What the values of another column ask of this one. */
export interface Depends {
  readonly column: string;
  /** Values of the other column that make this one required. */
  readonly requiredFor: readonly string[];
  /** For `product`: the kind that is needed, by value of the other column. */
  readonly kinds: Readonly<Record<string, ProductColumnKind>>;
}

/** Kind of product that a column names. */
export type ProductColumnKind = 'app' | 'addon' | 'desktop' | 'driver';

/** One accepted key of a row. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly required?: true;
  /**
   * What a missing, null or empty value is stored as; by type otherwise: '', 0, false. Derived values are a random
   * GUID, or the channel that campaign and referrer tell.
   */
  readonly missing?: string | number | boolean | { readonly derived: 'new guid' | 'channel' };
  /** Least and greatest accepted value, for `integer`. */
  readonly range?: readonly [number, number];
  /** Most UTF-8 bytes of a text; 4,096 otherwise. */
  readonly maxBytes?: number;
  /** For `product`: the kind that is needed. */
  readonly kind?: ProductColumnKind;
  /** Where kind or need are another column's matter. */
  readonly depends?: Depends;
  /** The only accepted values, in any ASCII case; stored in the listed spelling. */
  readonly only?: readonly string[];
  /** Members of an `object` or of each entry of a `list`, all optional; `text` or `code`. */
  readonly columns?: readonly Column[];
  /** Most entries of a `list`. */
  readonly most?: number;
  /**
   * Listed spellings. A value that equals one but for ASCII case is stored in the listed spelling; any other
   * value is kept as it is. Where the other column of `valuesWhenPresent` is filled, its list is used instead.
   */
  readonly values?: readonly string[];
  readonly valuesWhenPresent?: { readonly column: string; readonly values: readonly string[] };
  /** One sentence for the reference page. */
  readonly note: string;
}

/** A dataset; its table has the same name and, besides `accountId`, `date`, `seq` and `line`, its columns. */
export interface DatasetEntry {
  readonly name: string;
  readonly summary: string;
  /** Column that gives the event's UTC day: of type `timestamp` or `day`. */
  readonly time: string;
  readonly columns: readonly Column[];
  /**
   * Absent: rows add. Else a row takes the place of earlier ones (lower `seq`, then lower `line`) that have the
   * same account and the same values in these columns.
   */
  readonly replaces?: readonly string[];
  /**
   * Rows are completed before they are stored: `failure` names them. The table has the columns of the completed row
   * instead of those of type `object` and `list`.
   */
  readonly completed?: 'failure';
  /**
   * A later commit may take the place of single rows: the table's column `supersededBy` has its number, 0 without.
   * A reader at snapshot S sees rows with `supersededBy = 0 OR supersededBy > S`.
   */
  readonly supersedable?: true;
  /**
   * Rows without a stored file, which nothing can take the place of, are summed in the background: another table has
   * a row per `columns` with their number in `hits`.
   */
  readonly summed?: Summed;
}

/** Sums of a dataset's rows, by day. */
export interface Summed {
  readonly table: string;
  /** What rows are alike in; columns of the dataset's own table. */
  readonly columns: readonly string[];
}
