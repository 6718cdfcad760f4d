/** Failures of one app, counted. */

import * as failure from '../failure-fields.js';
import { applicationName, breakdown, byApplication, equality, paging, today } from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/failurehits`. */
export const failurehits = {
  name: 'failurehits',
  title: 'App failures',
  kind: 'grouped',
  summary: 'How often an app failed and on how many devices, by failure, system, market and package.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  dates: today,
  limited: true,
  levels: ['day', 'hour', 'week', 'month'],
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    { ...failure.bucket, note: 'First day, or at hour level hour, that the row covers.' },
    failure.productId,
    {
      name: 'applicationName',
      type: 'text',
      role: 'attribute',
      origin: { from: 'productName', column: 'applicationId' },
      filter: equality,
      orderby: true,
      alwaysReturned: true,
      note: applicationName.note,
    },
    { ...breakdown, ...failure.keys.failureName },
    { ...breakdown, ...failure.keys.failureHash },
    { ...breakdown, ...failure.keys.symbol },
    { ...breakdown, ...failure.keys.osVersion },
    { ...failure.ungroupable, ...failure.keys.osRelease },
    { ...breakdown, ...failure.keys.eventType },
    { ...breakdown, ...failure.keys.market },
    { ...breakdown, ...failure.keys.deviceType },
    { ...breakdown, ...failure.keys.packageName },
    { ...breakdown, ...failure.keys.packageVersion },
    failure.deviceCount,
    failure.eventCount,
  ],
  sources: failure.counted('app', 'devices and events'),
  remarks: [
    'The only report with hours: dates then print a time of day, and startDate and endDate take one.',
    'Counts are whole, but print as decimals: `1.0`.',
    'osRelease can be filtered and sorted, but not grouped by; grouped rows leave it out.',
    'A failure whose device is unknown counts as an event on no device.',
    'failureName holds exclamation marks and dots; in a filter it needs its quotes and nothing more.',
    'The hash of a failure that symbols renamed works in a filter as before.',
  ],
} as const satisfies ReportEntry;
