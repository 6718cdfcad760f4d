/** What ad campaigns for apps cost and brought. */
import { applicationId, breakdown, byApplication, lastThirtyDays, levels, paging } from '../fields.js';
import type { Field, ReportEntry } from '../report.js';

const count = { type: 'integer', role: 'measure', alwaysReturned: true } as const;

const fields = [
  {
    name: 'date',
    type: 'date',
    role: 'date',
    origin: { from: 'bucket' },
    orderby: true,
    groupby: true,
    note: 'First day that the row covers.',
  },
  {
    name: 'applicationId',
    type: 'text',
    role: 'id',
    origin: { from: 'column', column: 'applicationId' },
    groupby: true,
    note: applicationId.note,
  },
  {
    name: 'campaignId',
    ...breakdown,
    origin: { from: 'column', column: 'campaignId' },
    note: 'Id of the ad campaign: digits, compared and sorted as text.',
  },
  {
    name: 'lineId',
    type: 'text',
    role: 'dimension',
    origin: { from: 'column', column: 'lineId' },
    note: 'Delivery line of the campaign; only rows without groupby carry it.',
  },
  {
    name: 'currencyCode',
    type: 'text',
    role: 'dimension',
    origin: { from: 'column', column: 'currencyCode' },
    groupby: true,
    note: "Currency of the campaign's budget.",
  },
  { name: 'spend', type: 'decimal', role: 'measure', alwaysReturned: true, note: 'Money spent.' },
  { name: 'impressions', ...count, note: 'Ads shown.' },
  { name: 'installs', ...count, note: 'Installs of the app credited to the campaign.' },
  { name: 'clicks', ...count, note: 'Clicks on ads.' },
  { name: 'iapInstalls', ...count, note: 'Installs of add-ons credited to the campaign.' },
  { name: 'activeUsers', ...count, note: 'Users who clicked an ad and came back to the app.' },
] as const satisfies readonly Field[];

/** `GET /v1.0/my/analytics/promotion`. */
export const promotion = {
  name: 'promotion',
  title: 'Ad campaign performance',
  kind: 'grouped',
  summary: 'Cost and effect of the ad campaigns for one app or all apps.',
  identity: { parameters: [byApplication], needs: 'none', combine: 'first' },
  dates: lastThirtyDays,
  levels,
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/M/d',
  fields,
  sources: [
    {
      table: 'campaigns',
      where: [],
      measures: {
        spend: { aggregate: 'sum', column: 'spend' },
        impressions: { aggregate: 'sum', column: 'impressions' },
        installs: { aggregate: 'sum', column: 'installs' },
        clicks: { aggregate: 'sum', column: 'clicks' },
        iapInstalls: { aggregate: 'sum', column: 'iapInstalls' },
        activeUsers: { aggregate: 'sum', column: 'activeUsers' },
      },
    },
  ],
  remarks: [
    'Without applicationId the answer covers every app of the account.',
    'Without dates the answer covers the thirty days that end yesterday.',
    'Grouped rows carry date only when groupby names it; without it a row covers the whole range.',
    'The next link prints dates without leading zeros.',
    'The figures of a day may be restated later; the latest one counts.',
  ],
} as const satisfies ReportEntry;
