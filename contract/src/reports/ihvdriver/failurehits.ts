/** Failures of an account's drivers on Windows 7 and 8.x, counted. */
import * as failure from '../../failure-fields.js';
import { breakdown, levels, paging, today } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/ihvdriver/failurehits`. */
export const ihvdriverFailurehits = {
  name: 'ihvdriver/failurehits',
  title: 'Windows 7 and 8.x driver failures',
  kind: 'grouped',
  summary:
    "How often the account's drivers failed on Windows 7 and 8.x, by failure, system, market and device.",
  identity: failure.wholeAccount,
  dates: today,
  levels,
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.bucket,
    failure.sellerId,
    { ...breakdown, ...failure.keys.driverName },
    { ...breakdown, ...failure.keys.systemBuild },
    { type: 'text', role: 'dimension', orderby: true, ...failure.keys.osName },
    { ...breakdown, ...failure.keys.flightRing },
    { ...breakdown, ...failure.keys.oemName },
    { ...breakdown, ...failure.keys.oemModel },
    { ...breakdown, ...failure.keys.market },
    { ...breakdown, ...failure.keys.symbol },
    { ...breakdown, ...failure.keys.failureName },
    { ...breakdown, ...failure.keys.failureHash },
    { ...breakdown, ...failure.keys.architecture },
    { ...breakdown, ...failure.keys.driverVersion },
    { ...breakdown, ...failure.keys.anyDeviceType },
    { ...breakdown, ...failure.keys.systemEventType },
    failure.ungroupedDeviceCount,
    failure.eventCount,
  ],
  sources: failure.counted('ihvdriver', 'devices and events'),
  remarks: [
    failure.accountRemark,
    'sellerId, osName and deviceCount are left out of grouped rows; osName cannot even be filtered, only sorted.',
    'osVersion is a build of four parts, not a family.',
    'Counts are whole, but print as decimals: `1.0`.',
  ],
} as const satisfies ReportEntry;
