/** Columns that several datasets share. */
import type { Column } from '../dataset.js';
import { ageGroups, channelTypes, deviceTypes, funnelAgeGroups, genders, osVersions } from '../fields.js';

/** When an event happened. */
export const timestamp: Column = {
  name: 'timestamp',
  type: 'timestamp',
  required: true,
  note: 'When it happened.',
};

/** The day of a daily figure. */
export const day: Column = { name: 'date', type: 'day', required: true, note: 'UTC day of the figures.' };

/** The app. */
export const applicationId: Column = {
  name: 'applicationId',
  type: 'product',
  kind: 'app',
  required: true,
  note: 'Id of the app.',
};

/** The user. */
export const userId: Column = {
  name: 'userId',
  type: 'text',
  note: 'Your own id of the user; the funnel counts distinct ones.',
};

/** The device. */
export const deviceId: Column = { name: 'deviceId', type: 'text', note: 'Your own id of the device.' };

/** Country. */
export const market: Column = {
  name: 'market',
  type: 'text',
  missing: 'Unknown',
  note: 'Country as two letters of ISO 3166.',
};

/** Kind of device. */
export const deviceType: Column = {
  name: 'deviceType',
  type: 'text',
  missing: 'Unknown',
  values: deviceTypes,
  note: 'Kind of device.',
};

/** Operating system. */
export const osVersion: Column = {
  name: 'osVersion',
  type: 'text',
  missing: 'Unknown',
  values: osVersions,
  note: 'Operating system, as a family or a build.',
};

/** Gender. */
export const gender: Column = {
  name: 'gender',
  type: 'text',
  missing: 'Unknown',
  values: genders,
  note: 'Gender of the customer.',
};

/** Age bracket. Acquisitions feed the reports of both lists, so both spellings are known. */
export const ageGroup: Column = {
  name: 'ageGroup',
  type: 'text',
  missing: 'Unknown',
  values: [...new Set<string>([...ageGroups, ...funnelAgeGroups])],
  note: 'Age bracket of the customer.',
};

/** Campaign. */
export const customCampaignId: Column = {
  name: 'customCampaignId',
  type: 'text',
  note: 'Id of the custom promotion campaign.',
};

/** Referrer. */
export const referrerUriDomain: Column = {
  name: 'referrerUriDomain',
  type: 'text',
  note: 'Domain from which the visit came, or `Universal Client Store`.',
};

/** Channel. */
export const channelType: Column = {
  name: 'channelType',
  type: 'text',
  missing: { derived: 'channel' },
  values: channelTypes,
  note: 'Channel of the visit; made from the campaign and the referrer when missing.',
};

/** Version of the app's package. */
export const packageVersion: Column = {
  name: 'packageVersion',
  type: 'text',
  note: 'Version of the package.',
};

/** Stars. */
export const rating: Column = {
  name: 'rating',
  type: 'integer',
  required: true,
  range: [1, 5],
  note: 'Stars, 1 to 5.',
};

/** Whether a customer changed an earlier opinion. */
export const isRevised: Column = {
  name: 'isRevised',
  type: 'boolean',
  note: 'Whether the customer changed an earlier one.',
};

/** Greatest number of events or seconds that one row may stand for. */
export const billion = 1_000_000_000;

/** Accepted range of the counts of daily figures. */
export const dailyCount: readonly [number, number] = [0, 1_000_000_000_000];
