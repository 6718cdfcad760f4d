/** Installs of apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/installs`. */
export const installs: DatasetEntry = {
  name: 'installs',
  summary: 'Attempts to install an app.',
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    columns.deviceId,
    columns.userId,
    { name: 'successful', type: 'boolean', missing: true, note: 'Whether the install succeeded.' },
    columns.packageVersion,
    columns.deviceType,
    columns.osVersion,
    columns.market,
    columns.gender,
    columns.ageGroup,
    columns.customCampaignId,
  ],
};
