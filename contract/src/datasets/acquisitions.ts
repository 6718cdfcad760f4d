/** Acquisitions of apps and add-ons. */
import type { Column, DatasetEntry } from '../dataset.js';
import { acquisitionTypes, addOnAcquisitionTypes, olderStoreClients, storeClients } from '../fields.js';
import * as columns from './columns.js';

const amounts: readonly Column[] = [
  { name: 'purchasePriceUSDAmount', type: 'amount', note: 'Price in US dollars; negative for a refund.' },
  { name: 'purchasePriceLocalAmount', type: 'amount', note: 'Price in the local currency.' },
  { name: 'purchaseTaxUSDAmount', type: 'amount', note: 'Tax in US dollars.' },
  { name: 'purchaseTaxLocalAmount', type: 'amount', note: 'Tax in the local currency.' },
];

/** `POST /ingest/v1/acquisitions`. */
export const acquisitions: DatasetEntry = {
  name: 'acquisitions',
  summary: 'Licences that customers obtained, of apps or, with inAppProductId, of add-ons.',
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    {
      name: 'inAppProductId',
      type: 'product',
      kind: 'addon',
      note: 'Id of the add-on; missing when the app itself was acquired.',
    },
    columns.userId,
    {
      name: 'acquisitionType',
      type: 'text',
      missing: 'Unknown',
      values: acquisitionTypes,
      valuesWhenPresent: { column: 'inAppProductId', values: addOnAcquisitionTypes },
      note: 'How the licence was obtained.',
    },
    {
      name: 'quantity',
      type: 'integer',
      missing: 1,
      range: [1, columns.billion],
      note: 'Number of licences.',
    },
    columns.deviceType,
    columns.osVersion,
    {
      name: 'storeClient',
      type: 'text',
      missing: 'Unknown',
      values: [...storeClients, ...olderStoreClients],
      note: 'Store front end that was used.',
    },
    { name: 'orderName', type: 'text', note: 'Label of the promotional code order.' },
    columns.market,
    columns.gender,
    columns.ageGroup,
    columns.customCampaignId,
    columns.referrerUriDomain,
    columns.channelType,
    ...amounts,
    { name: 'localCurrencyCode', type: 'text', note: 'Local currency as three letters of ISO 4217.' },
  ],
};
