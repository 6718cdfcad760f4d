/** The crash file of one failure of OEM hardware. */
import * as failure from '../../failure-fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/hardware/cabdownload`. */
export const hardwareCabdownload = {
  name: 'hardware/cabdownload',
  title: 'OEM hardware crash file',
  kind: 'file',
  summary: 'The crash file of one failure of OEM hardware.',
  identity: failure.wholeAccount,
  lookups: [failure.byCabIdHash('hardware/failuredetails')],
  levels: [],
  groupby: false,
  orderby: false,
  fields: [],
  sources: failure.single('hardware'),
  remarks: [...failure.fileRemarks, failure.accountRemark],
} as const satisfies ReportEntry;
