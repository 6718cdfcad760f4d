/** Page views and conversions of add-ons by channel. */
import { addOnChannelSources, channelApplicationName, channelFields, since2016 } from '../channels.js';
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/inappchannelconversions`. */
export const inappchannelconversions = {
  name: 'inappchannelconversions',
  title: 'Add-on conversions by channel',
  kind: 'grouped',
  summary:
    'Page views that led to add-ons and the add-on acquisitions that followed, by channel and campaign.',
  identity: { parameters: [fields.byApplication, fields.byAddOn], needs: 'one', combine: 'all' },
  dates: since2016,
  levels: fields.levels,
  groupby: true,
  orderby: true,
  paging: fields.paging,
  linkDates: 'yyyy/MM/dd',
  fields: [
    fields.date,
    fields.inAppProductId,
    { ...fields.inAppProductName, orderby: true, alwaysReturned: true },
    fields.applicationId,
    channelApplicationName,
    {
      name: 'appType',
      ...fields.breakdown,
      origin: { from: 'constant', value: 'Add-On' },
      values: ['Add-On'],
      note: 'Kind of product; always Add-On.',
    },
    ...channelFields,
  ],
  sources: addOnChannelSources,
  remarks: [
    'Either applicationId or inAppProductId is needed; with both, both narrow the answer.',
    'Without startDate the range begins on 1 January 2016.',
    'Counts are not unique customers, and conversions may exist without page views.',
    'storeClient and appType are constants.',
  ],
} as const satisfies ReportEntry;
