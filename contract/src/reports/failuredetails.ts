/** Single failures of one app. */
import * as failure from '../failure-fields.js';
import { byApplication, paging } from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/failuredetails`. */
export const failuredetails = {
  name: 'failuredetails',
  title: 'App failure details',
  kind: 'records',
  summary: 'When, where and on what one failure of an app happened.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  lookups: [failure.byFailure('failurehits')],
  dates: failure.thirtyDaysToToday,
  limited: true,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.productId,
    { ...failure.printed, role: 'id', ...failure.keys.failureHash },
    { ...failure.printed, ...failure.keys.failureName },
    failure.happened,
    { ...failure.detail, role: 'id', ...failure.keys.cabId },
    failure.cabExpirationTime,
    { ...failure.detail, ...failure.keys.market },
    { ...failure.detail, ...failure.keys.osBuild },
    { ...failure.detail, ...failure.keys.packageVersion },
    { ...failure.detail, ...failure.keys.deviceModel },
    { ...failure.detail, ...failure.keys.osVersion },
    { ...failure.detail, ...failure.keys.osRelease },
    { ...failure.detail, ...failure.keys.deviceType },
    failure.cabDownloadable,
  ],
  sources: failure.single('app'),
  remarks: [
    ...failure.detailRemarks,
    'failureHash is matched as text: a hash that was sent need not be a GUID.',
    'cabId exceeds what a JSON number holds exactly; it is text.',
  ],
} as const satisfies ReportEntry;
