/** Single failures of one driver on Windows 10. */
import * as failure from '../../failure-fields.js';
import { equality, paging } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/driver/failuredetails`. */
export const driverFailuredetails = {
  name: 'driver/failuredetails',
  title: 'Windows 10 driver failure details',
  kind: 'records',
  summary: 'When, where and on what one failure of a driver happened on Windows 10.',
  identity: { parameters: [failure.byDriver], needs: 'one', combine: 'first' },
  lookups: [failure.byFailure('driver/failurehits')],
  dates: failure.thirtyDaysToToday,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    { ...failure.detail, ...failure.keys.submissionId },
    failure.driverProductId,
    { ...failure.detail, ...failure.keys.architecture },
    failure.cabExpirationTime,
    { ...failure.printed, role: 'id', filter: equality, ...failure.keys.cabIdHash },
    { ...failure.detail, role: 'attribute', ...failure.keys.cabType },
    { ...failure.clientDeviceId, filter: equality },
    failure.happened,
    { ...failure.detail, ...failure.keys.deviceType },
    { ...failure.detail, ...failure.keys.driverName },
    { ...failure.detail, ...failure.keys.driverVersion },
    { ...failure.detail, role: 'id', ...failure.keys.failureHash },
    { ...failure.detail, role: 'attribute', ...failure.keys.failureName },
    { ...failure.detail, ...failure.keys.market },
    { ...failure.detail, ...failure.keys.oemModel },
    { ...failure.detail, ...failure.keys.oemName },
    { ...failure.detail, ...failure.keys.osName },
    { ...failure.detail, ...failure.keys.systemBuild },
    { ...failure.detail, ...failure.keys.symbol },
    { ...failure.detail, ...failure.keys.systemEventType },
    { ...failure.printed, role: 'dimension', orderby: true, ...failure.keys.flightRing },
  ],
  sources: failure.single('driver'),
  remarks: [
    ...failure.detailRemarks,
    'cabIdHash and clientDeviceId can be filtered, but not sorted; flightRing can be sorted, but not filtered.',
    'The key that tells whether the crash file can be fetched is missing here: cabdownload answers 404 if it cannot.',
  ],
} as const satisfies ReportEntry;
