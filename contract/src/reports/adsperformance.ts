/** What the ads in apps earned. */
import * as fields from '../fields.js';
import type { Field, ReportEntry } from '../report.js';

/** Flags of a dimension that can only be grouped by. */
const groupOnly = { type: 'text', role: 'dimension', groupby: true } as const;

const count = { type: 'integer', role: 'measure', alwaysReturned: true } as const;

const row = [
  {
    name: 'date',
    type: 'date',
    role: 'date',
    origin: { from: 'bucket' },
    filter: fields.equality,
    orderby: true,
    groupby: true,
    note: 'First day that the row covers; in filter the day itself.',
  },
  {
    ...groupOnly,
    name: 'applicationId',
    role: 'id',
    origin: { from: 'column', column: 'applicationId' },
    note: fields.applicationId.note,
  },
  fields.applicationName,
  fields.market,
  { ...fields.deviceType, values: ['PC/Tablet', 'Phone'], note: 'Kind of device that showed the ads.' },
  {
    name: 'adUnitId',
    ...fields.breakdown,
    origin: { from: 'column', column: 'adUnitId' },
    note: 'Id of the ad unit.',
  },
  {
    name: 'adUnitName',
    ...groupOnly,
    origin: { from: 'column', column: 'adUnitName' },
    note: 'Name that the developer gave the ad unit.',
  },
  {
    name: 'revenueInAccountCurrency',
    type: 'decimal',
    role: 'measure',
    alwaysReturned: true,
    note: 'Revenue in the currency of the account.',
  },
  { name: 'impressions', ...count, note: 'Ads shown.' },
  { name: 'requests', ...count, note: 'Ads asked for.' },
  { name: 'clicks', ...count, note: 'Clicks on ads.' },
  {
    name: 'accountCurrencyCode',
    ...groupOnly,
    origin: { from: 'column', column: 'accountCurrencyCode' },
    note: 'Currency of the account.',
  },
  {
    name: 'adProvider',
    ...groupOnly,
    filter: fields.equality,
    origin: { from: 'column', column: 'adProvider' },
    note: 'Name of the ad provider.',
  },
  {
    name: 'pubCenterAppName',
    ...groupOnly,
    filter: fields.equality,
    origin: { from: 'column', column: 'pubCenterAppName' },
    note: 'The pubCenter application that belongs to the app.',
  },
  { name: 'adProviderRequests', ...count, note: 'Requests sent to the ad provider.' },
] as const satisfies readonly Field[];

/** `GET /v1.0/my/analytics/adsperformance`. */
export const adsperformance = {
  name: 'adsperformance',
  title: 'Ad performance',
  kind: 'grouped',
  summary: 'Revenue, impressions, requests and clicks of the ads shown in one app or all apps.',
  identity: { parameters: [fields.byApplication], needs: 'none', combine: 'first' },
  dates: fields.lastThirtyDays,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  linkDates: 'yyyy/MM/dd',
  fields: row,
  sources: [
    {
      table: 'adperformance',
      where: [],
      measures: {
        revenueInAccountCurrency: { aggregate: 'sum', column: 'revenueInAccountCurrency' },
        impressions: { aggregate: 'sum', column: 'impressions' },
        requests: { aggregate: 'sum', column: 'requests' },
        clicks: { aggregate: 'sum', column: 'clicks' },
        adProviderRequests: { aggregate: 'sum', column: 'adProviderRequests' },
      },
    },
  ],
  remarks: [
    'Without applicationId the answer covers every app of the account.',
    'Without dates the answer covers the thirty days that end yesterday.',
    'Grouped rows carry date only when groupby names it; without it a row covers the whole range.',
    'deviceType has values of its own: PC/Tablet and Phone.',
    'The figures of a day may be restated later; the latest one counts.',
  ],
} as const satisfies ReportEntry;
