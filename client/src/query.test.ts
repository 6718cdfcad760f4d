import assert from 'node:assert/strict';
import { test } from 'node:test';
import { field } from './filter.js';
import { queryString } from './query.js';

test('values print as the service reads them, percent-encoded', () => {
  assert.equal(
    queryString({
      applicationId: '9NBLGGGZ5QDR',
      startDate: new Date(Date.UTC(2018, 4, 1, 9)),
      endDate: '5/31/2018',
      top: 100,
      groupby: ['market', 'date'],
      orderby: ['date desc', 'market'],
      filter: field('orderName').eq('a & b+c #\u65e5'),
      skip: undefined,
    }),
    'applicationId=9NBLGGGZ5QDR&startDate=2018-05-01&endDate=5%2F31%2F2018&top=100&groupby=market%2Cdate' +
      "&orderby=date%20desc%2Cmarket&filter=orderName%20eq%20'a%20%26%20b%2Bc%20%23%E6%97%A5'",
  );
});

test('a filter may be a function, and dates have hours at hour level', () => {
  const startDate = new Date(Date.UTC(2018, 4, 1, 9, 30));
  const filter = (name: typeof field) => name('market').ne('US');
  assert.equal(
    queryString({ aggregationLevel: 'hour', startDate, filter }),
    "aggregationLevel=hour&startDate=2018-05-01%2009%3A30%3A00&filter=market%20ne%20'US'",
  );
});

test('nothing gives nothing, an invalid date is named', () => {
  assert.equal(queryString({}), '');
  assert.throws(() => queryString({ endDate: new Date('x') }), /TypeError: endDate is an invalid date/);
});
