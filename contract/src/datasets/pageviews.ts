/** Views of Store listings. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

/** `POST /ingest/v1/pageviews`. */
export const pageviews: DatasetEntry = {
  name: 'pageviews',
  summary: "Views of an app's listing.",
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    {
      name: 'inAppProductId',
      type: 'product',
      kind: 'addon',
      note: 'Id of the add-on that the view names, if any.',
    },
    columns.userId,
    columns.customCampaignId,
    columns.referrerUriDomain,
    columns.channelType,
    columns.deviceType,
    columns.market,
    columns.gender,
    columns.ageGroup,
  ],
};
