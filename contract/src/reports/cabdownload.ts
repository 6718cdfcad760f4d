/** The crash file of one failure of an app. */
import * as failure from '../failure-fields.js';
import { byApplication } from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/cabdownload`. */
export const cabdownload = {
  name: 'cabdownload',
  title: 'App crash file',
  kind: 'file',
  summary: 'The crash file of one failure of an app.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  lookups: [failure.byCabId('failuredetails')],
  limited: true,
  levels: [],
  groupby: false,
  orderby: false,
  fields: [],
  sources: failure.single('app'),
  remarks: failure.fileRemarks,
} as const satisfies ReportEntry;
