/** Star ratings of apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/ratings`. */
export const ratings: DatasetEntry = {
  name: 'ratings',
  summary: 'Star ratings. A revision is a rating of its own and takes nothing back.',
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    columns.rating,
    columns.userId,
    columns.market,
    columns.osVersion,
    columns.deviceType,
    columns.isRevised,
  ],
};
