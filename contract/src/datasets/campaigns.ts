/** Daily figures of ad campaigns for apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/campaigns`. */
export const campaigns: DatasetEntry = {
  name: 'campaigns',
  summary:
    'Daily figures of ad campaigns. A row takes the place of an earlier one of its day and campaign line.',
  time: 'date',
  columns: [
    columns.day,
    columns.applicationId,
    { name: 'campaignId', type: 'text', required: true, note: 'Id of the campaign: digits as text.' },
    { name: 'lineId', type: 'text', note: 'Delivery line of the campaign.' },
    { name: 'currencyCode', type: 'text', note: 'Currency of the budget as three letters of ISO 4217.' },
    { name: 'spend', type: 'amount', note: 'Money spent; negative for a correction.' },
    { name: 'impressions', type: 'integer', range: columns.dailyCount, note: 'Ads shown.' },
    { name: 'installs', type: 'integer', range: columns.dailyCount, note: 'Installs of the app.' },
    { name: 'clicks', type: 'integer', range: columns.dailyCount, note: 'Clicks on ads.' },
    { name: 'iapInstalls', type: 'integer', range: columns.dailyCount, note: 'Installs of add-ons.' },
    {
      name: 'activeUsers',
      type: 'integer',
      range: columns.dailyCount,
      note: 'Users who clicked an ad and came back to the app.',
    },
  ],
  replaces: ['date', 'applicationId', 'campaignId', 'lineId', 'currencyCode'],
};
