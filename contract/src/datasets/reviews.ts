/** Written reviews of apps. */
import type { DatasetEntry } from '../dataset.js';
import * as columns from './columns.js';

const greatest = 2_147_483_647;
const longText = 65_536;

/** `POST /ingest/v1/reviews`. */
export const reviews: DatasetEntry = {
  name: 'reviews',
  summary: 'Written reviews. A review takes the place of an earlier one of the same app with the same id.',
  time: 'timestamp',
  columns: [
    columns.timestamp,
    columns.applicationId,
    columns.rating,
    {
      name: 'id',
      type: 'guid',
      missing: { derived: 'new guid' },
      note: 'GUID of the review; made when missing.',
    },
    columns.market,
    columns.osVersion,
    columns.deviceType,
    columns.isRevised,
    columns.packageVersion,
    { name: 'deviceModel', type: 'text', note: 'Maker and model of the device.' },
    {
      name: 'productFamily',
      type: 'text',
      values: ['PC', 'Tablet', 'Phone', 'Wearable', 'Server', 'Collaborative', 'Other'],
      note: 'Device family of the reviewer.',
    },
    {
      name: 'deviceRAM',
      type: 'integer',
      missing: -1,
      range: [-1, greatest],
      note: 'Physical memory in megabytes; -1 when unknown.',
    },
    { name: 'deviceScreenResolution', type: 'text', note: 'Screen size, such as `1024 x 768`.' },
    {
      name: 'deviceStorageCapacity',
      type: 'integer',
      missing: -1,
      range: [-1, greatest],
      note: 'Size of the main disk; -1 when unknown.',
    },
    { name: 'isTouchEnabled', type: 'boolean', note: 'Whether the device has touch input.' },
    { name: 'reviewerName', type: 'text', note: 'Name of the reviewer.' },
    { name: 'reviewTitle', type: 'text', note: 'Title of the review.' },
    { name: 'reviewText', type: 'text', maxBytes: longText, note: 'Text of the review.' },
    {
      name: 'helpfulCount',
      type: 'integer',
      range: [0, greatest],
      note: 'Votes that call the review helpful.',
    },
    {
      name: 'notHelpfulCount',
      type: 'integer',
      range: [0, greatest],
      note: 'Votes that call the review not helpful.',
    },
    { name: 'responseDate', type: 'instant', note: 'When the publisher answered.' },
    { name: 'responseText', type: 'text', maxBytes: longText, note: "Text of the publisher's answer." },
  ],
  replaces: ['applicationId', 'id'],
};
