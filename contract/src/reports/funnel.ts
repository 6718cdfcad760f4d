/** The steps from seeing an app's listing to using the app. */
import { byApplication, deviceTypes, equality, funnelAgeGroups, today } from '../fields.js';
import type { Aggregate, Condition, ReportEntry } from '../report.js';

const appsOnly: readonly Condition[] = [{ column: 'inAppProductId', is: 'empty' }];

/** Rows without a user count nobody. */
const users: Aggregate = {
  aggregate: 'distinct',
  column: 'userId',
  where: [{ column: 'userId', is: 'present' }],
};

/** `GET /v1.0/my/analytics/funnel`. */
export const funnel = {
  name: 'funnel',
  title: 'App acquisition funnel',
  kind: 'steps',
  summary: 'How many users saw the listing of an app, acquired it, installed it and used it.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  dates: today,
  levels: [],
  groupby: false,
  orderby: false,
  linkDates: 'yyyy/MM/dd',
  fields: [
    {
      name: 'MetricType',
      type: 'text',
      role: 'dimension',
      alwaysReturned: true,
      values: ['PageView', 'Acquisition', 'Install', 'Usage'],
      note: 'Step of the funnel.',
    },
    {
      name: 'UserCount',
      type: 'integer',
      role: 'measure',
      alwaysReturned: true,
      note: 'Users who took the step.',
    },
  ],
  queryOnly: [
    {
      name: 'campaignId',
      type: 'text',
      role: 'dimension',
      origin: { from: 'column', column: 'customCampaignId' },
      filter: equality,
      note: 'Id of the custom promotion campaign, called customCampaignId elsewhere.',
    },
    {
      name: 'market',
      type: 'text',
      role: 'dimension',
      origin: { from: 'column', column: 'market' },
      filter: equality,
      note: 'Country as two letters of ISO 3166.',
    },
    {
      name: 'deviceType',
      type: 'text',
      role: 'dimension',
      origin: { from: 'column', column: 'deviceType' },
      filter: equality,
      values: deviceTypes,
      note: 'Kind of device.',
    },
    {
      name: 'ageGroup',
      type: 'text',
      role: 'dimension',
      origin: { from: 'column', column: 'ageGroup' },
      filter: equality,
      values: funnelAgeGroups,
      comparison: 'loose',
      note: 'Age bracket; blanks are ignored and a hyphen stands for the en dash.',
    },
    {
      name: 'gender',
      type: 'text',
      role: 'dimension',
      origin: { from: 'column', column: 'gender' },
      filter: equality,
      values: ['M', 'F', 'Unknown'],
      note: 'Gender of the customer.',
    },
  ],
  sources: [],
  steps: [
    { name: 'PageView', source: { table: 'pageviews', where: appsOnly }, aggregate: users },
    { name: 'Acquisition', source: { table: 'acquisitions', where: appsOnly }, aggregate: users },
    {
      name: 'Install',
      source: { table: 'installs', where: [{ column: 'successful', equals: true }] },
      aggregate: users,
    },
    { name: 'Usage', source: { table: 'usage', where: [] }, aggregate: users },
  ],
  remarks: [
    'The answer always has four rows, one per step, zeros included, for the whole range.',
    'Each step counts on its own: a user need not have taken the steps before it.',
    'Rows print none of the fields that filter takes.',
    'There is no paging: the answer has no next link.',
  ],
} as const satisfies ReportEntry;
