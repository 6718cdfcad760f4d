/** Failures of an account's OEM hardware, counted. */
import * as failure from '../../failure-fields.js';
import { breakdown, levels, paging, today } from '../../fields.js';
import type { ReportEntry } from '../../report.js';

/** `GET /v1.0/my/analytics/hardware/failurehits`. */
export const hardwareFailurehits = {
  name: 'hardware/failurehits',
  title: 'OEM hardware failures',
  kind: 'grouped',
  summary: "How often the account's hardware failed, by failure, module, model and market.",
  identity: failure.wholeAccount,
  dates: today,
  levels,
  groupby: true,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    failure.sortedBucket,
    failure.sellerId,
    { ...breakdown, ...failure.keys.mode },
    { ...breakdown, ...failure.keys.failureName },
    { ...breakdown, ...failure.keys.failureHash },
    { ...breakdown, ...failure.keys.symbol },
    { ...breakdown, ...failure.keys.systemBuild },
    { ...breakdown, ...failure.keys.systemEventType },
    { ...breakdown, ...failure.keys.market },
    { ...breakdown, ...failure.keys.deviceType },
    { ...breakdown, ...failure.keys.moduleName },
    { ...breakdown, ...failure.keys.moduleVersion },
    { ...breakdown, ...failure.keys.architecture },
    { ...breakdown, ...failure.keys.model },
    { ...breakdown, ...failure.keys.baseboard },
    { ...breakdown, ...failure.keys.modelFamily },
    { ...breakdown, ...failure.keys.flightRing },
    failure.eventCount,
  ],
  sources: failure.counted('hardware', 'events'),
  remarks: [
    failure.accountRemark,
    'date can be sorted, but not filtered; sellerId is left out of grouped rows.',
    'There is no count of devices, unlike the driver reports.',
    'The count is whole, but prints as a decimal: `1.0`.',
  ],
} as const satisfies ReportEntry;
