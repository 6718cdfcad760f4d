/** Single failures of an account's drivers on Windows 7 and 8.x. */
import * as failure from '../../failure-fields.js';
import { paging } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/ihvdriver/failuredetails`. */
export const ihvdriverFailuredetails = {
  name: 'ihvdriver/failuredetails',
  title: 'Windows 7 and 8.x driver failure details',
  kind: 'records',
  summary: 'When, where and on what one failure of a driver happened on Windows 7 or 8.x.',
  identity: failure.wholeAccount,
  lookups: [failure.byFailure('ihvdriver/failurehits')],
  dates: failure.thirtyDaysToToday,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    { ...failure.sellerId, alwaysReturned: true },
    { ...failure.detail, ...failure.keys.architecture },
    failure.cabExpirationTime,
    { ...failure.printed, role: 'id', ...failure.keys.cabIdHash },
    { ...failure.detail, role: 'attribute', ...failure.keys.cabType },
    failure.clientDeviceId,
    failure.filteredHappened,
    { ...failure.detail, ...failure.keys.anyDeviceType },
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
    { ...failure.detail, ...failure.keys.flightRing },
  ],
  sources: failure.single('ihvdriver'),
  remarks: [
    failure.accountRemark,
    ...failure.detailRemarks,
    'date can be filtered, but not sorted; cabIdHash and clientDeviceId can be neither.',
    'The key that tells whether the crash file can be fetched is missing here: cabdownload answers 404 if it cannot.',
  ],
} as const satisfies ReportEntry;
