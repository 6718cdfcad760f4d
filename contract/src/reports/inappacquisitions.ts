/** Acquisitions of add-ons. */
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/inappacquisitions`. */
export const inappacquisitions = {
  name: 'inappacquisitions',
  title: 'Add-on acquisitions',
  kind: 'grouped',
  summary: 'How many licences of add-ons customers obtained, for one add-on or all add-ons of an app.',
  identity: {
    parameters: [fields.byAddOn, fields.byApplication],
    needs: 'one',
    combine: 'first',
    linkShowsAbsent: true,
  },
  dates: fields.today,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  freshness: true,
  linkDates: 'yyyy/MM/dd',
  fields: [
    fields.date,
    fields.inAppProductId,
    { ...fields.inAppProductName, ungroupedLevels: ['day'] },
    fields.applicationId,
    fields.applicationName,
    fields.deviceType,
    fields.orderName,
    fields.storeClient,
    fields.osVersion,
    fields.market,
    fields.gender,
    fields.ageGroup,
    { ...fields.acquisitionType, values: fields.addOnAcquisitionTypes },
    fields.acquisitionQuantity,
  ],
  sources: [
    {
      table: 'acquisitions',
      where: [{ column: 'inAppProductId', is: 'present' }],
      measures: { acquisitionQuantity: { aggregate: 'sum', column: 'quantity' } },
    },
  ],
  remarks: [
    'Either applicationId or inAppProductId is needed; with both, applicationId is ignored.',
    'At week and month level the name of the add-on is left out unless groupby names it.',
    'The next link repeats both product parameters, an absent one with an empty value.',
  ],
} as const satisfies ReportEntry;
