/** Daily figures of the ads shown in apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/adperformance`. */
export const adperformance: DatasetEntry = {
  name: 'adperformance',
  summary:
    'Daily figures of the ads shown in apps. A row takes the place of an earlier one of its day and kind.',
  time: 'date',
  columns: [
    columns.day,
    columns.applicationId,
    { name: 'adUnitId', type: 'text', required: true, note: 'Id of the ad unit.' },
    { name: 'adUnitName', type: 'text', note: 'Name of the ad unit.' },
    { name: 'adProvider', type: 'text', note: 'Name of the ad provider.' },
    { ...columns.deviceType, values: ['PC/Tablet', 'Phone'], note: 'Kind of device that showed the ads.' },
    columns.market,
    {
      name: 'accountCurrencyCode',
      type: 'text',
      note: 'Currency of the account as three letters of ISO 4217.',
    },
    {
      name: 'pubCenterAppName',
      type: 'text',
      note: 'The pubCenter application that belongs to the app.',
    },
    {
      name: 'adProviderRequests',
      type: 'integer',
      range: columns.dailyCount,
      note: 'Requests sent to the ad provider.',
    },
    { name: 'impressions', type: 'integer', range: columns.dailyCount, note: 'Ads shown.' },
    { name: 'clicks', type: 'integer', range: columns.dailyCount, note: 'Clicks on ads.' },
    {
      name: 'revenueInAccountCurrency',
      type: 'amount',
      note: 'Revenue in the currency of the account; may be negative.',
    },
    { name: 'requests', type: 'integer', range: columns.dailyCount, note: 'Ads asked for.' },
  ],
  replaces: [
    'date',
    'applicationId',
    'adUnitId',
    'adUnitName',
    'adProvider',
    'deviceType',
    'market',
    'accountCurrencyCode',
    'pubCenterAppName',
  ],
};
