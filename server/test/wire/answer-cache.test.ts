/** Answers that are given again: entity tags, what changes them, and notices that stay. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const report = `/v1.0/my/analytics/inappacquisitions?inAppProductId=9NBLGGGZ5QDS&startDate=2026-02-01&endDate=2026-02-28`;
let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now: Date.parse('2026-03-01T12:00:00Z') });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'addon', id: '9NBLGGGZ5QDS', parentId: app, name: 'More' },
    ],
  });
});
after(() => server.close());

const ingest = (day: string) =>
  account.ingest('acquisitions', [
    { timestamp: `2026-02-${day}T08:00:00Z`, applicationId: app, inAppProductId: '9NBLGGGZ5QDS' },
  ]);
const ask = (tag?: string, query = '') =>
  server.request(`${report}${query}`, {
    headers: { authorization: `Bearer ${account.token}`, ...(tag && { 'if-none-match': tag }) },
  });

test('an answer that is given again says the same, its notice included', async () => {
  const first = await ask();
  assert.equal(first.headers.get('storelens-notice'), 'there is no data yet for this query');
  const again = await ask();
  assert.equal(again.text, first.text);
  assert.equal(again.headers.get('storelens-notice'), first.headers.get('storelens-notice'));
  assert.match(again.headers.get('server-timing') ?? '', /engine;dur=0\.0/);
});

test('who has the answer gets 304; commits, names, pages and notices have tags of their own', async () => {
  await ingest('01');
  const first = await ask();
  const tag = first.headers.get('etag') ?? '';
  assert.match(tag, /^W\/"[\w-]{43}"$/);
  for (const named of [tag, `"other", ${tag}`, tag.slice(2), '*']) {
    const known = await ask(named);
    assert.equal(known.status, 304);
    assert.equal(known.text, '');
    assert.equal(known.headers.get('etag'), tag);
    assert.equal(known.headers.get('cache-control'), 'private, no-cache');
  }
  for (const query of ['&top=1', '&skip=1', '&groupby=market', '&failureHash=x']) {
    assert.equal((await ask(tag, query)).status, 200, query);
  }
  await account.get(report);
  await server.app.parts.products.patch(account.accountId, '9NBLGGGZ5QDS', { name: 'Even more' });
  const renamed = await ask(tag);
  assert.equal(renamed.status, 200);
  assert.match(renamed.text, /"inAppProductName":"Even more"/);
  await ingest('02');
  const later = await ask(renamed.headers.get('etag') ?? '');
  assert.equal(later.status, 200);
  assert.equal((later.json as { TotalCount: number }).TotalCount, 2);
});
