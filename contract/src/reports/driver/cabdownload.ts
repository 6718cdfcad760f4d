/** The crash file of one failure of a driver. */
import * as failure from '../../failure-fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/driver/cabdownload`. */
export const driverCabdownload = {
  name: 'driver/cabdownload',
  title: 'Windows 10 driver crash file',
  kind: 'file',
  summary: 'The crash file of one failure of a driver.',
  identity: { parameters: [failure.byDriver], needs: 'one', combine: 'first' },
  lookups: [failure.byCabIdHash('driver/failuredetails')],
  levels: [],
  groupby: false,
  orderby: false,
  fields: [],
  sources: failure.single('driver'),
  remarks: failure.fileRemarks,
} as const satisfies ReportEntry;
