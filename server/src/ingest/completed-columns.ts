/** The columns of tables whose rows are completed, besides the accepted keys: as a completed row has them. */
import type { DatasetEntry } from '@storelens/contract';

/** Name and type of a column as the engine reads it. */
export type CompletedColumn = readonly [name: string, type: string];

/** By the dataset's kind of completion. */
export const completedColumns: Readonly<
  Record<NonNullable<DatasetEntry['completed']>, readonly CompletedColumn[]>
> = {
  failure: [
    ['exceptionCode', 'String'],
    ['exceptionClass', 'String'],
    ['nameGiven', 'Bool'],
    ['hashGiven', 'Bool'],
    ['namingVersion', 'UInt8'],
    ['formerHashes', 'Array(String)'],
    ['cabId', 'String'],
    ['cabIdHash', 'String'],
    ['cabBytes', 'UInt64'],
    ['processed', 'String'],
    [
      'frames',
      'Array(Tuple(image String, function String, offset String, found String, file String, line UInt32))',
    ],
  ],
};
