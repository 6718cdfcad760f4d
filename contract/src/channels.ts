/**
 * What the two reports on conversions by channel share: their fields between the names and the counts, and
 * the two tables that feed them.
 */
import { applicationName, breakdown, channelTypes, deviceType, equality, market } from './fields.js';
import type { Condition, Field, Source } from './report.js';

/** Range of the conversion reports: from 2016 on. */
export const since2016 = { start: { day: '2016-01-01' }, end: { daysAgo: 0 } } as const;

/** Name of the app; these reports also filter and sort by it. */
export const channelApplicationName = {
  ...applicationName,
  filter: equality,
  orderby: true,
} as const satisfies Field;

/** Fields from the campaign to the counts, in printed order. */
export const channelFields = [
  {
    name: 'customCampaignId',
    ...breakdown,
    origin: { from: 'column', column: 'customCampaignId' },
    note: 'Id of the custom promotion campaign; empty when no campaign applies.',
  },
  {
    name: 'referrerUriDomain',
    ...breakdown,
    origin: { from: 'column', column: 'referrerUriDomain' },
    note: 'Where the visit came from; not always a real domain name.',
  },
  {
    name: 'channelType',
    ...breakdown,
    origin: { from: 'column', column: 'channelType' },
    values: channelTypes,
    note: 'Channel through which the customer reached the listing.',
  },
  {
    name: 'storeClient',
    ...breakdown,
    origin: { from: 'constant', value: 'SFC' },
    values: ['SFC'],
    note: 'Store front end; always SFC.',
  },
  deviceType,
  market,
  {
    name: 'clickCount',
    type: 'integer',
    role: 'measure',
    alwaysReturned: true,
    note: 'Page views of the listing.',
  },
  {
    name: 'conversionCount',
    type: 'integer',
    role: 'measure',
    alwaysReturned: true,
    note: 'Licences that customers obtained.',
  },
] as const satisfies readonly Field[];

const forApps: readonly Condition[] = [{ column: 'inAppProductId', is: 'empty' }];
const forAddOns: readonly Condition[] = [{ column: 'inAppProductId', is: 'present' }];

/** Acquisitions and page views of apps. */
export const appChannelSources: readonly Source[] = [
  {
    table: 'acquisitions',
    where: forApps,
    measures: { conversionCount: { aggregate: 'sum', column: 'quantity' } },
  },
  { table: 'pageviews', where: forApps, measures: { clickCount: { aggregate: 'count' } } },
];

/** Acquisitions and page views of add-ons. */
export const addOnChannelSources: readonly Source[] = [
  {
    table: 'acquisitions',
    where: forAddOns,
    measures: { conversionCount: { aggregate: 'sum', column: 'quantity' } },
  },
  { table: 'pageviews', where: forAddOns, measures: { clickCount: { aggregate: 'count' } } },
];
