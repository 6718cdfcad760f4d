/** Installs of one app. */
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/installs`. */
export const installs = {
  name: 'installs',
  title: 'App installs',
  kind: 'grouped',
  summary: 'How often an app was installed, by day, package version and kind of device.',
  identity: { parameters: [fields.byApplication], needs: 'one', combine: 'first' },
  dates: fields.today,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    fields.date,
    fields.applicationId,
    { ...fields.applicationName, orderby: true },
    {
      name: 'packageVersion',
      ...fields.breakdown,
      origin: { from: 'column', column: 'packageVersion' },
      note: 'Version of the installed package.',
    },
    fields.deviceType,
    fields.market,
    fields.osVersion,
    {
      name: 'successfulInstallCount',
      type: 'integer',
      role: 'measure',
      orderby: true,
      alwaysReturned: true,
      note: 'Number of successful installs.',
    },
  ],
  sources: [
    {
      table: 'installs',
      where: [{ column: 'successful', equals: true }],
      measures: { successfulInstallCount: { aggregate: 'count' } },
    },
  ],
  remarks: [
    'The count can be used in orderby, unlike the counts of the acquisition reports.',
    'Every device and every reinstall counts; failed installs do not.',
  ],
} as const satisfies ReportEntry;
