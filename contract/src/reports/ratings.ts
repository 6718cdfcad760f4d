/** Star ratings of one app. */
import * as fields from '../fields.js';
import type { ReportEntry } from '../report.js';

/** `GET /v1.0/my/analytics/ratings`. */
export const ratings = {
  name: 'ratings',
  title: 'App ratings',
  kind: 'grouped',
  summary: 'How many ratings of each number of stars an app received.',
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
    fields.applicationName,
    fields.market,
    fields.osVersion,
    fields.deviceType,
    {
      name: 'isRevised',
      type: 'boolean',
      role: 'dimension',
      origin: { from: 'column', column: 'isRevised' },
      filter: fields.equality,
      orderby: true,
      groupby: true,
      note: 'Whether the customer changed an earlier rating.',
    },
    { name: 'oneStar', type: 'integer', role: 'measure', alwaysReturned: true, note: 'One-star ratings.' },
    { name: 'twoStars', type: 'integer', role: 'measure', alwaysReturned: true, note: 'Two-star ratings.' },
    {
      name: 'threeStars',
      type: 'integer',
      role: 'measure',
      alwaysReturned: true,
      note: 'Three-star ratings.',
    },
    { name: 'fourStars', type: 'integer', role: 'measure', alwaysReturned: true, note: 'Four-star ratings.' },
    { name: 'fiveStars', type: 'integer', role: 'measure', alwaysReturned: true, note: 'Five-star ratings.' },
  ],
  sources: [
    {
      table: 'ratings',
      where: [],
      measures: {
        oneStar: { aggregate: 'count', where: [{ column: 'rating', equals: 1 }] },
        twoStars: { aggregate: 'count', where: [{ column: 'rating', equals: 2 }] },
        threeStars: { aggregate: 'count', where: [{ column: 'rating', equals: 3 }] },
        fourStars: { aggregate: 'count', where: [{ column: 'rating', equals: 4 }] },
        fiveStars: { aggregate: 'count', where: [{ column: 'rating', equals: 5 }] },
      },
    },
  ],
  remarks: [
    'A revised rating is a rating of its own and takes nothing back.',
    'isRevised compares with the bare words true and false.',
    'The key is oneStar in the singular; the other four are plural.',
    'Operating systems may be printed as builds.',
  ],
} as const satisfies ReportEntry;
