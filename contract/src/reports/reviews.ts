/** Single reviews of one app. */
import {
  applicationId,
  applicationName,
  byApplication,
  comparison,
  deviceTypes,
  equality,
  osVersions,
  paging,
  today,
} from '../fields.js';
import type { Field, FilterOperator, ReportEntry } from '../report.js';

const searchable = ['eq', 'ne', 'contains'] as const satisfies readonly FilterOperator[];

/** Flags of a text key: always printed, filtered by equality, sorted. */
const text = {
  type: 'text',
  role: 'dimension',
  filter: equality,
  orderby: true,
  alwaysReturned: true,
} as const;

/** Flags of a number that can be compared by size. */
const sized = {
  type: 'integer',
  role: 'attribute',
  filter: comparison,
  orderby: true,
  alwaysReturned: true,
} as const;

/** Flags of a number that compares by equality alone. */
const counted = { ...sized, filter: equality } as const;

/** Flags of a boolean key. */
const flag = { ...text, type: 'boolean' } as const;

const fields = [
  {
    name: 'date',
    type: 'date',
    role: 'date',
    origin: { from: 'bucket' },
    orderby: true,
    alwaysReturned: true,
    note: 'Day of the review.',
  },
  applicationId,
  {
    name: 'applicationName',
    type: 'text',
    role: 'attribute',
    origin: { from: 'productName', column: 'applicationId' },
    alwaysReturned: true,
    note: applicationName.note,
  },
  {
    name: 'market',
    ...text,
    origin: { from: 'column', column: 'market' },
    note: 'Country as two letters of ISO 3166.',
  },
  {
    name: 'osVersion',
    ...text,
    origin: { from: 'column', column: 'osVersion' },
    values: osVersions,
    note: 'Operating system; may be printed as a build.',
  },
  {
    name: 'deviceType',
    ...text,
    origin: { from: 'column', column: 'deviceType' },
    values: deviceTypes,
    note: 'Kind of device.',
  },
  {
    name: 'isRevised',
    ...flag,
    origin: { from: 'column', column: 'isRevised' },
    note: 'Whether the customer changed the review later.',
  },
  {
    name: 'packageVersion',
    ...text,
    origin: { from: 'column', column: 'packageVersion' },
    note: 'Version of the reviewed package; may be empty.',
  },
  {
    name: 'deviceModel',
    ...text,
    origin: { from: 'column', column: 'deviceModel' },
    note: 'Maker and model of the device.',
  },
  {
    name: 'productFamily',
    ...text,
    origin: { from: 'column', column: 'productFamily' },
    values: ['PC', 'Tablet', 'Phone', 'Wearable', 'Server', 'Collaborative', 'Other'],
    note: 'Device family of the reviewer.',
  },
  {
    name: 'deviceRAM',
    ...sized,
    origin: { from: 'column', column: 'deviceRAM' },
    note: 'Physical memory in megabytes; -1 when unknown.',
  },
  {
    name: 'deviceScreenResolution',
    ...text,
    origin: { from: 'column', column: 'deviceScreenResolution' },
    note: 'Screen size, such as "1024 x 768".',
  },
  {
    name: 'deviceStorageCapacity',
    ...sized,
    origin: { from: 'column', column: 'deviceStorageCapacity' },
    note: 'Size of the main disk as the device reported it; -1 when unknown.',
  },
  {
    name: 'isTouchEnabled',
    ...flag,
    origin: { from: 'column', column: 'isTouchEnabled' },
    note: 'Whether the device has touch input.',
  },
  {
    name: 'reviewerName',
    ...text,
    role: 'attribute',
    origin: { from: 'column', column: 'reviewerName' },
    note: 'Name of the reviewer.',
  },
  { name: 'rating', ...sized, origin: { from: 'column', column: 'rating' }, note: 'Stars, 1 to 5.' },
  {
    name: 'reviewTitle',
    ...text,
    role: 'attribute',
    filter: searchable,
    origin: { from: 'column', column: 'reviewTitle' },
    note: 'Title of the review.',
  },
  {
    name: 'reviewText',
    ...text,
    role: 'attribute',
    filter: searchable,
    origin: { from: 'column', column: 'reviewText' },
    note: 'Text of the review.',
  },
  {
    name: 'helpfulCount',
    ...counted,
    origin: { from: 'column', column: 'helpfulCount' },
    note: 'Votes that call the review helpful.',
  },
  {
    name: 'notHelpfulCount',
    ...counted,
    origin: { from: 'column', column: 'notHelpfulCount' },
    note: 'Votes that call the review not helpful.',
  },
  {
    name: 'responseDate',
    ...text,
    type: 'instant',
    role: 'attribute',
    origin: { from: 'column', column: 'responseDate' },
    note: 'When the publisher answered; empty when nobody did.',
  },
  {
    name: 'responseText',
    ...text,
    role: 'attribute',
    filter: searchable,
    origin: { from: 'column', column: 'responseText' },
    note: "Text of the publisher's answer.",
  },
  {
    name: 'id',
    type: 'text',
    role: 'id',
    filter: equality,
    alwaysReturned: true,
    origin: { from: 'column', column: 'id' },
    note: 'GUID of the review.',
  },
] as const satisfies readonly Field[];

/** `GET /v1.0/my/analytics/reviews`. */
export const reviews = {
  name: 'reviews',
  title: 'App reviews',
  kind: 'records',
  summary: 'The reviews that customers wrote about an app, one row each.',
  identity: { parameters: [byApplication], needs: 'one', combine: 'first' },
  dates: today,
  levels: [],
  groupby: false,
  orderby: true,
  paging,
  linkDates: 'yyyy/MM/dd',
  fields,
  sources: [{ table: 'reviews', where: [], measures: {} }],
  remarks: [
    "contains is written as a call, such as contains(reviewText,'great'), for the title, the text and the answer.",
    'gt, lt, ge and le exist for deviceRAM, deviceStorageCapacity and rating.',
    'Unknown memory is -1, so deviceRAM lt 2048 also finds reviews from unknown devices.',
    'A review can be filtered by id but not sorted by it, and sorted by date but not filtered by it.',
  ],
} as const satisfies ReportEntry;
