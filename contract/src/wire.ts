/** Shapes of bodies on the wire. */
import type { ErrorEntry } from './errors.js';

/** Body of every API error; key order as on the wire. */
export interface ErrorBody {
  readonly code: string;
  readonly data: readonly string[];
  readonly details: readonly string[];
  readonly innererror: {
    readonly code: string;
    readonly data: readonly string[];
    readonly details: readonly string[];
    readonly message: string;
    readonly source: 'AnalyticsAPI';
  };
  readonly message: string;
  readonly source: 'AnalyticsAPI';
}

/** The documented envelope around the facts of one error. */
export function errorBody(entry: ErrorEntry, data: readonly string[]): ErrorBody {
  return {
    code: entry.code,
    data: [],
    details: [],
    innererror: {
      code: entry.inner.code,
      data,
      details: [],
      message: entry.inner.message,
      source: 'AnalyticsAPI',
    },
    message: entry.message,
    source: 'AnalyticsAPI',
  };
}

/** An answer page. `@nextLink` is absent for reports without paging. */
export interface Page<Row = Readonly<Record<string, unknown>>> {
  readonly Value: readonly Row[];
  readonly '@nextLink'?: string | null;
  readonly TotalCount: number;
  /** `yyyy-MM-ddTHH:mm:ss`, in the form of 2022 for some reports. */
  readonly DataFreshnessTimestamp?: string | null;
}
