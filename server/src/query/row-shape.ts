/**
 * Which keys rows have. The service has been seen in two forms (docs/decisions, row shape): in that of 2018 a row
 * without groupby carries every dimension; in that of 2022 it carries identifiers and measures alone, and whatever
 * does not name `date` in groupby has one bucket for the whole range, whose date is null. Grouped rows print the same
 * keys in both.
 */
import type { Field, Level, ReportEntry } from '@storelens/contract';

/** A form of rows, by the year in which the service showed it. */
export type RowShape = '2018' | '2022';

/** The keys of a row, in printed order, and how it covers the range. */
export interface RowKeys {
  readonly row: readonly Field[];
  /** The whole range is one bucket without a date. */
  readonly oneBucket: boolean;
}

/** Keys of the rows that a level and a groupby give; `groupby` undefined: none was given. */
export function rowKeys(
  entry: ReportEntry,
  level: Level | undefined,
  groupby: readonly Field[] | undefined,
  shape: RowShape,
): RowKeys {
  const reduced = shape === '2022' && entry.kind === 'grouped';
  const oneBucket = reduced && groupby?.some(({ origin }) => origin?.from === 'bucket') !== true;
  if (groupby !== undefined) {
    const row = entry.fields.filter(
      (field) =>
        field.alwaysReturned ||
        (field.role === 'measure' && field.ungroupedOnly !== true) ||
        groupby.includes(field),
    );
    return { row, oneBucket };
  }
  const row = entry.fields.filter(
    ({ role, ungroupedLevels }) =>
      (ungroupedLevels === undefined || level === undefined || ungroupedLevels.includes(level)) &&
      (!reduced || role === 'id' || role === 'date' || role === 'measure'),
  );
  return { row, oneBucket };
}
