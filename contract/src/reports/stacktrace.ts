/** The stack of one failure of an app. */
import * as failure from '../failure-fields.js';
import { byApplication } from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/stacktrace`. */
export const stacktrace = {
  name: 'stacktrace',
  title: 'App failure stack',
  kind: 'frames',
  summary: 'The stack of one failure of an app.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  lookups: [failure.byCabId('failuredetails')],
  limited: true,
  levels: [],
  groupby: false,
  orderby: false,
  fields: failure.frames,
  sources: failure.single('app'),
  remarks: failure.frameRemarks,
} as const satisfies ReportEntry;
