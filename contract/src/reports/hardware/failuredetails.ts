/** Single failures of an account's OEM hardware. */
import * as failure from '../../failure-fields.js';
import { equality, paging } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/hardware/failuredetails`. */
export const hardwareFailuredetails = {
  name: 'hardware/failuredetails',
  title: 'OEM hardware failure details',
  kind: 'records',
  summary: 'When, where and on what one failure of OEM hardware happened.',
  identity: failure.wholeAccount,
  lookups: [failure.byFailure('hardware/failurehits')],
  dates: failure.thirtyDaysToToday,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.sortedHappened,
    { ...failure.sellerId, alwaysReturned: true },
    { ...failure.detail, ...failure.keys.mode },
    { ...failure.printed, filter: equality, ...failure.keys.failureName },
    { ...failure.printed, role: 'id', filter: equality, ...failure.keys.failureHash },
    { ...failure.detail, role: 'id', ...failure.keys.cabIdHash },
    { ...failure.detail, role: 'attribute', ...failure.keys.cabType },
    failure.cabExpirationTime,
    { ...failure.detail, ...failure.keys.systemBuild },
    { ...failure.detail, ...failure.keys.market },
    { ...failure.detail, ...failure.keys.deviceType },
    { ...failure.detail, ...failure.keys.moduleName },
    { ...failure.detail, ...failure.keys.moduleVersion },
    { ...failure.detail, ...failure.keys.architecture },
    { ...failure.detail, ...failure.keys.model },
    { ...failure.detail, ...failure.keys.baseboard },
    { ...failure.detail, ...failure.keys.modelFamily },
    { ...failure.printed, role: 'dimension', filter: equality, ...failure.keys.flightRing },
  ],
  queryOnly: [
    { type: 'text', role: 'dimension', filter: equality, ...failure.keys.symbol },
    { type: 'text', role: 'dimension', orderby: true, ...failure.keys.packageVersion },
    { type: 'text', role: 'dimension', orderby: true, ...failure.keys.osBuild },
  ],
  sources: failure.single('hardware'),
  remarks: [
    failure.accountRemark,
    ...failure.detailRemarks,
    'symbol can be filtered, packageVersion and osBuild can be sorted; rows print none of them.',
    'date can be sorted, but not filtered; failureName, failureHash and flightRing can be filtered, but not sorted.',
    'The key that tells whether the crash file can be fetched is missing here: cabdownload answers 404 if it cannot.',
  ],
} as const satisfies ReportEntry;
