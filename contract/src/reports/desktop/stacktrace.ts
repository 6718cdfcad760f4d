/** The stack of one failure of a desktop program. */
import * as failure from '../../failure-fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/desktop/stacktrace`. */
export const desktopStacktrace = {
  name: 'desktop/stacktrace',
  title: 'Desktop failure stack',
  kind: 'frames',
  summary: 'The stack of one failure of a desktop program.',
  identity: { parameters: [failure.byDesktopProgram], needs: 'one', combine: 'first' },
  lookups: [failure.byCabIdHash('desktop/failuredetails')],
  limited: true,
  levels: [],
  groupby: false,
  orderby: false,
  fields: failure.frames,
  sources: failure.single('desktop'),
  remarks: failure.frameRemarks,
} as const satisfies ReportEntry;
