/**
 * What a report entry is. One entry holds everything the server, the documentation and the tests need
 * to know about a report; it is plain data, without SQL and without functions. Code that receives an entry
 * reads its fields and never branches on its name: what does not fit declares another kind.
 */

/** Width of a date bucket. */
export type Level = 'hour' | 'day' | 'week' | 'month';

/**
 * How stored rows become answer rows:
 * - `grouped`: rows are summed per combination of row keys (most reports);
 * - `records`: every stored record is one row (reviews);
 * - `steps`: one row per entry of `steps`, each a count of distinct users (the funnel);
 * - `frames`: the stack of the one record that `lookups` name, a row per frame;
 * - `file`: no rows; the answer redirects to the file of the one record that `lookups` name.
 */
export type ReportKind = 'grouped' | 'records' | 'steps' | 'frames' | 'file';

/**
 * Type of a value on the wire. `decimal` prints with at least one fraction digit, `instant` as ISO 8601, `time` as
 * `yyyy-MM-dd HH:mm:ss` in UTC; `date` as `yyyy-MM-dd`, at hour level as `time`.
 */
export type ValueType = 'text' | 'integer' | 'decimal' | 'boolean' | 'date' | 'time' | 'instant';

/** Comparison words of the filter grammar. */
export type FilterOperator = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'contains';

/** Where the value of a field that is no measure comes from. */
export type Origin =
  /** The event's UTC day, cut to the start of the bucket. */
  | { readonly from: 'bucket' }
  /** A column of the source tables. Column names equal field names unless a report renames one. */
  | { readonly from: 'column'; readonly column: string }
  /** The same text in every row. */
  | { readonly from: 'constant'; readonly value: string }
  /** The registry's present name of the product whose id stands in `column`. */
  | { readonly from: 'productName'; readonly column: 'applicationId' | 'inAppProductId' }
  /** Seller id of the account that asks. */
  | { readonly from: 'sellerId' }
  /** When the record's crash file goes: the event's time plus the retention, or the end of time without one. */
  | { readonly from: 'fileExpiry' }
  /** Whether there is a crash file and the caller may have it now. */
  | { readonly from: 'fileAvailable' }
  /** A member of the frame that the row is about; `level` is its number. */
  | { readonly from: 'frame'; readonly member: 'level' | 'image' | 'function' | 'offset' };

/** How a measure is made from stored rows. `where` narrows the rows that count. */
export type Aggregate =
  | { readonly aggregate: 'sum'; readonly column: string; readonly where?: readonly Condition[] }
  | { readonly aggregate: 'count'; readonly where?: readonly Condition[] }
  | { readonly aggregate: 'distinct'; readonly column: string; readonly where?: readonly Condition[] };

/** A fixed condition on a stored column. */
export type Condition =
  | { readonly column: string; readonly is: 'empty' | 'present' }
  | { readonly column: string; readonly equals: string | number | boolean };

/** One key of an answer row, or a name that only the query may use (`queryOnly`). */
export interface Field {
  /** Spelt as on the wire. */
  readonly name: string;
  readonly type: ValueType;
  readonly role: 'date' | 'id' | 'dimension' | 'attribute' | 'measure';
  /** Absent for measures of grouped reports, which are described per source, and for the keys of `steps`. */
  readonly origin?: Origin;
  /** Operators allowed in `filter`; absent: the field cannot be filtered. */
  readonly filter?: readonly FilterOperator[];
  readonly orderby?: true;
  readonly groupby?: true;
  /** Stays in grouped rows without being named. */
  readonly alwaysReturned?: true;
  /** A measure that grouped rows leave out. */
  readonly ungroupedOnly?: true;
  /** Column with the values that the field had before; `eq` and `ne` look at them too. */
  readonly formerValues?: string;
  /** Printed as null when nothing is stored. */
  readonly nullWhenEmpty?: true;
  /** Levels at which ungrouped rows carry the field; absent: all. */
  readonly ungroupedLevels?: readonly Level[];
  /** Listed values. An open set: others may be stored and filtered. */
  readonly values?: readonly string[];
  /** Values of older data, listed for readers. */
  readonly olderValues?: readonly string[];
  /** `loose` compares after dropping blanks and turning U+2013 into a hyphen. */
  readonly comparison?: 'loose';
  /** One sentence for the reference page. */
  readonly note: string;
}

/** Rows of one table that feed a report, and the measures they feed. Several sources are added up. */
export interface Source {
  /** A dataset name; tables are named after their dataset. */
  readonly table: string;
  readonly where: readonly Condition[];
  /** Measure field name to its aggregate over this source. */
  readonly measures: Readonly<Record<string, Aggregate>>;
}

/** A row of a `steps` report. */
export interface Step {
  readonly name: string;
  readonly source: Omit<Source, 'measures'>;
  readonly aggregate: Aggregate;
}

/** Which product parameters a report takes. */
export interface Identity {
  /** Accepted parameters, the one that wins first. */
  readonly parameters: readonly IdentityParameter[];
  /** `one`: at least one is needed; `none`: without one the whole account is meant. */
  readonly needs: 'one' | 'none';
  /** With several given: `first` uses the first listed alone, `all` narrows by each. */
  readonly combine: 'first' | 'all';
  /**
   * `@nextLink` prints the given product parameters in the order of `parameterNames`; with this flag also the
   * others, with an empty value.
   */
  readonly linkShowsAbsent?: true;
}

/** A product parameter, its column, and the kind of product it must name to find rows. */
export interface IdentityParameter {
  readonly name: 'applicationId' | 'inAppProductId';
  readonly kind: 'app' | 'addon' | 'desktop' | 'driver';
}

/** A required parameter that singles out records by the text of a column, without regard to ASCII case. */
export interface Lookup {
  readonly parameter: 'failureHash' | 'cabId' | 'cabIdHash';
  readonly column: string;
  /** Column with values that the record had before and still answers to. */
  readonly formerValues?: string;
  /** One sentence for the reference page: where the value is from. */
  readonly note: string;
}

/** A day given relative to the current UTC day, or a fixed one as `yyyy-MM-dd`. */
export type DefaultDay = { readonly daysAgo: number } | { readonly day: string };

/** A report: everything the contract says of one URL. */
export interface ReportEntry {
  /** URL tail below `/v1.0/my/analytics/`, also the entry's file path and its example's. */
  readonly name: string;
  readonly title: string;
  readonly kind: ReportKind;
  /** One sentence for the reference page and the OpenAPI summary. */
  readonly summary: string;
  readonly identity: Identity;
  /** Required parameters besides the product. */
  readonly lookups?: readonly Lookup[];
  /** Default range; absent: the report takes no dates and all records count. */
  readonly dates?: { readonly start: DefaultDay; readonly end: DefaultDay };
  /** Whose limits on old data can be imposed by settings: errors of some days, hours of some hours. */
  readonly limited?: true;
  /** Levels accepted by `aggregationLevel`, the default first; empty: the report has no such parameter. */
  readonly levels: readonly Level[];
  readonly groupby: boolean;
  readonly orderby: boolean;
  /** Page size; absent: the report takes neither `top` nor `skip` and prints no `@nextLink`. */
  readonly paging?: { readonly defaultTop: number; readonly maxTop: number };
  /** How `@nextLink` prints dates; absent: there is never a next page. At hour level `yyyy-MM-dd HH:mm:ss`. */
  readonly linkDates?: 'yyyy/MM/dd' | 'yyyy/M/d' | 'yyyy-MM-dd';
  /** Says in the form of 2022 when its rows were last added to, as `DataFreshnessTimestamp`. */
  readonly freshness?: true;
  /** Row keys in printed order. */
  readonly fields: readonly Field[];
  /** Names that only the query may use, in `filter` or `orderby` as their flags say. */
  readonly queryOnly?: readonly Field[];
  /** For all kinds but `steps`. */
  readonly sources: readonly Source[];
  /** For `steps`, in printed order. */
  readonly steps?: readonly Step[];
  /** Peculiarities worth knowing, for the reference page. */
  readonly remarks: readonly string[];
}

/** Every parameter name that some report of the service has; others are misspellings. */
export const parameterNames = [
  'applicationId',
  'inAppProductId',
  'addonProductId',
  'subscriptionProductId',
  'failureHash',
  'cabId',
  'cabIdHash',
  'metricType',
  'fileName',
  'startDate',
  'endDate',
  'top',
  'skip',
  'filter',
  'aggregationLevel',
  'orderby',
  'groupby',
  'snapshot',
] as const;

/** A parameter name in its canonical spelling. */
export type ParameterName = (typeof parameterNames)[number];
