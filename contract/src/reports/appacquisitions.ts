/** Acquisitions of one app. */
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/appacquisitions`. */
export const appacquisitions = {
  name: 'appacquisitions',
  title: 'App acquisitions',
  kind: 'grouped',
  summary: 'How many licences of an app customers obtained, by day, kind of customer and kind of device.',
  identity: { parameters: [fields.byApplication], needs: 'one', combine: 'first' },
  dates: fields.today,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  freshness: true,
  linkDates: 'yyyy/MM/dd',
  fields: [
    fields.date,
    fields.applicationId,
    fields.applicationName,
    fields.deviceType,
    fields.orderName,
    { ...fields.storeClient, olderValues: fields.olderStoreClients },
    fields.osVersion,
    fields.market,
    fields.gender,
    fields.ageGroup,
    fields.acquisitionType,
    fields.acquisitionQuantity,
  ],
  sources: [
    {
      table: 'acquisitions',
      where: [{ column: 'inAppProductId', is: 'empty' }],
      measures: { acquisitionQuantity: { aggregate: 'sum', column: 'quantity' } },
    },
  ],
  remarks: [
    'Without dates the answer covers the current day only.',
    'Acquisition types are capitalised here and in lower case in inappacquisitions; filters ignore case.',
    'The listed age brackets overlap at 44, and real data holds brackets that are not listed.',
    'Data from before 23 March 2018 carries the older names of the Store clients.',
  ],
} as const satisfies ReportEntry;
