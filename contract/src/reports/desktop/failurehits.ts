/** Failures of one desktop program, counted. */
import * as failure from '../../failure-fields.js';
import { breakdown, levels, paging, today } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/desktop/failurehits`. */
export const desktopFailurehits = {
  name: 'desktop/failurehits',
  title: 'Desktop failures',
  kind: 'grouped',
  summary: 'How often a desktop program failed, by failure, system, market and version.',
  identity: { parameters: [failure.byDesktopProgram], needs: 'one', combine: 'first' },
  dates: today,
  limited: true,
  levels,
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.bucket,
    failure.desktopProductId,
    {
      ...failure.ungroupable,
      name: 'productName',
      role: 'attribute',
      origin: { from: 'productName', column: 'applicationId' },
      note: 'Present name of the program.',
    },
    {
      name: 'appName',
      type: 'text',
      role: 'attribute',
      origin: { from: 'productName', column: 'applicationId' },
      note: 'The same name once more.',
    },
    { ...failure.ungroupable, ...failure.keys.fileName },
    { ...breakdown, ...failure.keys.failureName },
    { ...breakdown, ...failure.keys.failureHash },
    { ...breakdown, ...failure.keys.symbol },
    { ...failure.ungroupable, ...failure.keys.osBuild },
    { ...breakdown, ...failure.keys.osVersion, values: failure.desktopOsVersions },
    { ...failure.ungroupable, ...failure.keys.osRelease },
    { ...breakdown, ...failure.keys.eventType },
    { ...breakdown, ...failure.keys.market },
    { ...breakdown, ...failure.keys.deviceType, values: failure.desktopDeviceTypes },
    { ...failure.ungroupable, ...failure.keys.applicationVersion },
    failure.eventCount,
  ],
  sources: failure.counted('desktop', 'events'),
  remarks: [
    'There is no hour level and no count of devices, unlike failurehits.',
    'productName, appName, fileName, applicationVersion, osBuild and osRelease cannot be grouped by; grouped rows leave them out.',
    'There is no applicationName here, though the vendor lists it among the keys that every row has.',
    'The count is whole, but prints as a decimal: `1.0`.',
  ],
} as const satisfies ReportEntry;
