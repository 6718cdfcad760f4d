/** The crash file of one failure of a driver on Windows 7 or 8.x. */
import * as failure from '../../failure-fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/ihvdriver/cabdownload`. */
export const ihvdriverCabdownload = {
  name: 'ihvdriver/cabdownload',
  title: 'Windows 7 and 8.x driver crash file',
  kind: 'file',
  summary: 'The crash file of one failure of a driver on Windows 7 or 8.x.',
  identity: failure.wholeAccount,
  lookups: [failure.byCabIdHash('ihvdriver/failuredetails')],
  levels: [],
  groupby: false,
  orderby: false,
  fields: [],
  sources: failure.single('ihvdriver'),
  remarks: [...failure.fileRemarks, failure.accountRemark],
} as const satisfies ReportEntry;
