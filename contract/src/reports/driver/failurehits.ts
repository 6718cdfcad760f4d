/** Failures of one driver on Windows 10, counted. */
import * as failure from '../../failure-fields.js';
import { breakdown, levels, paging, today } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/driver/failurehits`. */
export const driverFailurehits = {
  name: 'driver/failurehits',
  title: 'Windows 10 driver failures',
  kind: 'grouped',
  summary: 'How often a driver failed on Windows 10, by failure, system, market and device.',
  identity: { parameters: [failure.byDriver], needs: 'one', combine: 'first' },
  dates: today,
  levels,
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.bucket,
    { ...breakdown, ...failure.keys.submissionId },
    failure.driverProductId,
    { ...breakdown, ...failure.keys.driverName },
    { ...breakdown, ...failure.keys.systemBuild },
    { ...failure.ungroupable, ...failure.keys.osName },
    { ...breakdown, ...failure.keys.flightRing },
    { ...breakdown, ...failure.keys.oemName },
    { ...breakdown, ...failure.keys.oemModel },
    { ...breakdown, ...failure.keys.market },
    { ...breakdown, ...failure.keys.symbol },
    { ...breakdown, ...failure.keys.failureName },
    { ...breakdown, ...failure.keys.failureHash },
    { ...breakdown, ...failure.keys.architecture },
    { ...breakdown, ...failure.keys.driverVersion },
    { ...breakdown, ...failure.keys.deviceType },
    { ...breakdown, ...failure.keys.systemEventType },
    failure.ungroupedDeviceCount,
    failure.eventCount,
  ],
  sources: failure.counted('driver', 'devices and events'),
  remarks: [
    'There is no hour level, unlike failurehits.',
    'deviceCount is left out of grouped rows.',
    'osName can be filtered and sorted, but not grouped by.',
    'osVersion is a build of four parts, not a family.',
    'Counts are whole, but print as decimals: `1.0`.',
  ],
} as const satisfies ReportEntry;
