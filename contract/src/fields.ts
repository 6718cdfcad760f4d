/**
 * Declarations that many reports and datasets share: field flags, listed values, and the fields themselves.
 * A report that differs in a flag or a list spreads the shared field and says what differs.
 */
import type { Field, IdentityParameter } from './report.js';

/** Operators of a field that can only be compared for equality. */
export const equality = ['eq', 'ne'] as const;

/** Operators of a number that can also be compared by size. */
export const comparison = ['eq', 'ne', 'gt', 'lt', 'ge', 'le'] as const;

/** Flags of an ordinary text dimension: it can be filtered, sorted and grouped by. */
export const breakdown = {
  type: 'text',
  role: 'dimension',
  filter: equality,
  orderby: true,
  groupby: true,
} as const;

/** The app, as a parameter. */
export const byApplication = { name: 'applicationId', kind: 'app' } as const satisfies IdentityParameter;

/** The add-on, as a parameter. */
export const byAddOn = { name: 'inAppProductId', kind: 'addon' } as const satisfies IdentityParameter;

/** Page sizes of all reports that page. */
export const paging = { defaultTop: 10000, maxTop: 10000 } as const;

/** Levels of all reports of this tier that have buckets. */
export const levels = ['day', 'week', 'month'] as const;

/** Range of the reports that cover the current day alone unless asked otherwise. */
export const today = { start: { daysAgo: 0 }, end: { daysAgo: 0 } } as const;

/** Range of the ads reports: the thirty days that end yesterday. */
export const lastThirtyDays = { start: { daysAgo: 30 }, end: { daysAgo: 1 } } as const;

/** Kinds of devices. */
export const deviceTypes = ['PC', 'Phone', 'Console', 'IoT', 'Holographic', 'Unknown'] as const;

/** Families of operating systems. */
export const osVersions = [
  'Windows Phone 7.5',
  'Windows Phone 8',
  'Windows Phone 8.1',
  'Windows Phone 10',
  'Windows 8',
  'Windows 8.1',
  'Windows 10',
  'Unknown',
] as const;

/** Store front ends. */
export const storeClients = [
  'Windows Phone Store (client)',
  'Microsoft Store (client)',
  'Microsoft Store (web)',
  'Volume purchase by organizations',
  'Other',
] as const;

/** Front end names that data from before 23 March 2018 carries. */
export const olderStoreClients = ['Windows Store (client)', 'Windows Store (web)'] as const;

/** Genders as the acquisition reports list them. */
export const genders = ['m', 'f', 'Unknown'] as const;

/** Age brackets of the acquisition reports. */
export const ageGroups = [
  'less than 13',
  '13-17',
  '18-24',
  '25-34',
  '35-44',
  '44-55',
  'greater than 55',
  'Unknown',
] as const;

/** Age brackets of the funnel, written with an en dash between blanks. */
export const funnelAgeGroups = [
  '0 \u2013 17',
  '18 \u2013 24',
  '25 \u2013 34',
  '35 \u2013 49',
  '50 or over',
  'Unknown',
] as const;

/** Kinds of acquisitions as appacquisitions spells them. */
export const acquisitionTypes = ['Free', 'Trial', 'Paid', 'Promotional code', 'Iap'] as const;

/** The same as inappacquisitions spells them. */
export const addOnAcquisitionTypes = ['free', 'trial', 'paid', 'promotional code', 'iap'] as const;

/** Channels through which customers reach a listing. */
export const channelTypes = ['CustomCampaignId', 'Store Traffic', 'Other'] as const;

/** First day of the bucket that a row covers. */
export const date = {
  name: 'date',
  type: 'date',
  role: 'date',
  origin: { from: 'bucket' },
  orderby: true,
  groupby: true,
  alwaysReturned: true,
  note: 'First day that the row covers.',
} as const satisfies Field;

/** Id of the app, in every row. */
export const applicationId = {
  name: 'applicationId',
  type: 'text',
  role: 'id',
  origin: { from: 'column', column: 'applicationId' },
  alwaysReturned: true,
  note: 'Id of the app.',
} as const satisfies Field;

/** Present name of the app. */
export const applicationName = {
  name: 'applicationName',
  type: 'text',
  role: 'attribute',
  origin: { from: 'productName', column: 'applicationId' },
  groupby: true,
  note: 'Present name of the app.',
} as const satisfies Field;

/** Id of the add-on, in every row. */
export const inAppProductId = {
  name: 'inAppProductId',
  type: 'text',
  role: 'id',
  origin: { from: 'column', column: 'inAppProductId' },
  alwaysReturned: true,
  note: 'Id of the add-on.',
} as const satisfies Field;

/** Present name of the add-on. */
export const inAppProductName = {
  name: 'inAppProductName',
  type: 'text',
  role: 'attribute',
  origin: { from: 'productName', column: 'inAppProductId' },
  groupby: true,
  note: 'Present name of the add-on.',
} as const satisfies Field;

/** Country. */
export const market = {
  name: 'market',
  ...breakdown,
  origin: { from: 'column', column: 'market' },
  note: 'Country as two letters of ISO 3166.',
} as const satisfies Field;

/** Kind of device. */
export const deviceType = {
  name: 'deviceType',
  ...breakdown,
  origin: { from: 'column', column: 'deviceType' },
  values: deviceTypes,
  note: 'Kind of device.',
} as const satisfies Field;

/** Operating system. */
export const osVersion = {
  name: 'osVersion',
  ...breakdown,
  origin: { from: 'column', column: 'osVersion' },
  values: osVersions,
  note: 'Operating system.',
} as const satisfies Field;

/** Label of a promotional order. */
export const orderName = {
  name: 'orderName',
  ...breakdown,
  origin: { from: 'column', column: 'orderName' },
  note: 'Label of the promotional code order; empty when there is none.',
} as const satisfies Field;

/** Store front end of an acquisition. */
export const storeClient = {
  name: 'storeClient',
  ...breakdown,
  origin: { from: 'column', column: 'storeClient' },
  values: storeClients,
  note: 'Store front end that was used.',
} as const satisfies Field;

/** Gender of the customer. */
export const gender = {
  name: 'gender',
  ...breakdown,
  origin: { from: 'column', column: 'gender' },
  values: genders,
  note: 'Gender of the customer.',
} as const satisfies Field;

/** Age bracket of the customer. */
export const ageGroup = {
  name: 'ageGroup',
  ...breakdown,
  origin: { from: 'column', column: 'ageGroup' },
  values: ageGroups,
  note: 'Age bracket of the customer; samples print brackets that are not listed.',
} as const satisfies Field;

/** How a licence was obtained. */
export const acquisitionType = {
  name: 'acquisitionType',
  ...breakdown,
  origin: { from: 'column', column: 'acquisitionType' },
  values: acquisitionTypes,
  note: 'How the licence was obtained.',
} as const satisfies Field;

/** Number of acquisitions. */
export const acquisitionQuantity = {
  name: 'acquisitionQuantity',
  type: 'integer',
  role: 'measure',
  alwaysReturned: true,
  note: 'Number of acquisitions.',
} as const satisfies Field;
