/** Single failures of one desktop program. */
import * as failure from '../../failure-fields.js';
import { paging } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/desktop/failuredetails`. */
export const desktopFailuredetails = {
  name: 'desktop/failuredetails',
  title: 'Desktop failure details',
  kind: 'records',
  summary: 'When, where and on what one failure of a desktop program happened.',
  identity: { parameters: [failure.byDesktopProgram], needs: 'one', combine: 'first' },
  lookups: [failure.byFailure('desktop/failurehits')],
  dates: failure.thirtyDaysToToday,
  limited: true,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.desktopProductId,
    { ...failure.printed, role: 'id', ...failure.keys.failureHash },
    { ...failure.printed, ...failure.keys.failureName },
    failure.happened,
    { ...failure.detail, role: 'id', ...failure.keys.cabIdHash },
    failure.cabExpirationTime,
    { ...failure.detail, ...failure.keys.market },
    { ...failure.detail, ...failure.keys.osBuild },
    { ...failure.detail, ...failure.keys.applicationVersion },
    { ...failure.detail, ...failure.keys.deviceModel },
    { ...failure.detail, ...failure.keys.osVersion, values: failure.desktopOsVersions },
    { ...failure.detail, ...failure.keys.osRelease },
    { ...failure.detail, ...failure.keys.deviceType, values: ['PC', 'Server', 'Unknown'] },
    failure.cabDownloadable,
    { ...failure.detail, ...failure.keys.fileName },
  ],
  sources: failure.single('desktop'),
  remarks: [
    ...failure.detailRemarks,
    'The crash file goes by cabIdHash, a GUID, not by the number that the app report prints.',
  ],
} as const satisfies ReportEntry;
