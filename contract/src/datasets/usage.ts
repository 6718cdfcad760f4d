/** Use of apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/usage`. */
export const usage: DatasetEntry = {
  name: 'usage',
  summary: 'Sessions in which users used an app.',
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    columns.userId,
    columns.deviceId,
    {
      name: 'sessions',
      type: 'integer',
      missing: 1,
      range: [0, columns.billion],
      note: 'Number of sessions.',
    },
    {
      name: 'durationSeconds',
      type: 'integer',
      range: [0, columns.billion],
      note: 'Length of the sessions together, in seconds.',
    },
    columns.packageVersion,
    columns.deviceType,
    columns.osVersion,
    columns.market,
    columns.gender,
    columns.ageGroup,
    columns.customCampaignId,
  ],
};
