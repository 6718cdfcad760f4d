/** Page views and conversions of one app by channel. */
import { appChannelSources, channelApplicationName, channelFields, since2016 } from '../channels.js';
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/appchannelconversions`. */
export const appchannelconversions = {
  name: 'appchannelconversions',
  title: 'App conversions by channel',
  kind: 'grouped',
  summary: "Page views of an app's listing and the acquisitions that followed, by channel and campaign.",
  identity: { parameters: [fields.byApplication], needs: 'one', combine: 'first' },
  dates: since2016,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    fields.date,
    fields.applicationId,
    channelApplicationName,
    {
      name: 'appType',
      ...fields.breakdown,
      origin: { from: 'constant', value: 'App' },
      values: ['App'],
      note: 'Kind of product; always App.',
    },
    ...channelFields,
  ],
  sources: appChannelSources,
  remarks: [
    'Without startDate the range begins on 1 January 2016.',
    'Counts are not unique customers, and conversions may exist without page views.',
    'storeClient and appType are constants.',
  ],
} as const satisfies ReportEntry;
