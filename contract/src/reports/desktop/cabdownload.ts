/** The crash file of one failure of a desktop program. */
import * as failure from '../../failure-fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/desktop/cabdownload`. */
export const desktopCabdownload = {
  name: 'desktop/cabdownload',
  title: 'Desktop crash file',
  kind: 'file',
  summary: 'The crash file of one failure of a desktop program.',
  identity: { parameters: [failure.byDesktopProgram], needs: 'one', combine: 'first' },
  lookups: [failure.byCabIdHash('desktop/failuredetails')],
  limited: true,
  levels: [],
  groupby: false,
  orderby: false,
  fields: [],
  sources: failure.single('desktop'),
  remarks: failure.fileRemarks,
} as const satisfies ReportEntry;
