/** Answers that are given again: entity tags, what changes them, and notices that stay. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { reports } from '@storelens/contract';
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

test('the same words are answered from memory only as long as they mean the same', async () => {
  const shared = { kind: 'app', id: app, name: 'Contoso Demo' } as const;
  const one = await server.account({ products: [shared] });
  const two = await server.account({ products: [shared] });
  const { identity, products, query } = server.app.parts;
  const words = `applicationId=${app}&groupby=market`;
  const install = (market: string, day = '01') => ({
    ...{ timestamp: `2026-03-${day}T08:00:00Z`, applicationId: app, market },
  });
  await one.ingest('installs', [install('AT'), install('DE')]);
  await two.ingest('installs', [install('US')]);

  /** Whether the next answer comes without being planned. */
  const isReady = async ({ token, accountId }: TestAccount) => {
    const caller = await identity.verify(`Bearer ${token}`);
    const scope = { ...caller, products: await products.of(accountId), mayDownload: true };
    const entry = reports.installs;
    assert.ok(entry);
    return (await query.repeat(entry, words, scope)) !== undefined;
  };
  const totalOf = async (account: TestAccount) => {
    const answer = await account.get(`/v1.0/my/analytics/installs?${words}`);
    assert.equal(answer.status, 200, answer.text);
    return (answer.json as { TotalCount: number }).TotalCount;
  };
  /** Asks anew, then from memory. */
  const expect = async (account: TestAccount, total: number, why: string) => {
    assert.equal(await isReady(account), false, why);
    assert.equal(await totalOf(account), total, why);
    assert.equal(await isReady(account), true, why);
    assert.equal(await totalOf(account), total, why);
  };
  await expect(one, 2, 'the first time');
  await expect(two, 1, 'another account');
  await one.ingest('installs', [install('FR')]);
  await expect(one, 3, 'a batch');
  assert.equal(await isReady(two), true, 'the batch of another account');
  await products.create(one.accountId, { kind: 'app', name: 'Other' });
  await expect(one, 3, 'another product');
  await products.remove(one.accountId, app);
  assert.equal((await one.get(`/v1.0/my/analytics/installs?${words}`)).status, 403, 'its product is gone');
  await products.create(one.accountId, shared);
  await expect(one, 3, 'its product is back');

  const { tenantId, clientId } = one;
  const statusWith = async (change: object) => {
    await identity.applications.patch(tenantId, clientId, change);
    return (await one.get(`/v1.0/my/analytics/installs?${words}`)).status;
  };
  assert.equal(await statusWith({ role: 'Ingestor' }), 403, 'a role that may not read');
  assert.equal(await statusWith({ role: 'Reader', enabled: false }), 401, 'an application that is off');
  assert.equal(await statusWith({ enabled: true }), 200);

  // A token holds for an hour.
  server.setTime(Date.parse('2026-03-01T23:30:00Z'));
  const late = await server.account({ products: [shared] });
  server.setTime(Date.parse('2026-03-02T00:00:00Z'));
  await late.ingest('installs', [install('AT'), install('DE'), install('FR', '02')]);
  server.setTime(Date.parse('2026-03-01T23:59:59Z'));
  await expect(late, 2, 'today');
  server.setTime(Date.parse('2026-03-02T00:00:00Z'));
  await expect(late, 1, 'the day after');
});

test('a first page from memory begins a paging run as any other', async () => {
  const start = Date.parse('2026-03-01T12:00:00Z');
  server.setTime(start);
  const reader = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
  const pages = `/v1.0/my/analytics/installs?applicationId=${app}&groupby=market&top=1`;
  const install = (market: string) => ({ timestamp: '2026-03-01T08:00:00Z', applicationId: app, market });
  const totalOf = async (target: string) =>
    ((await reader.get(target)).json as { TotalCount: number }).TotalCount;
  await reader.ingest('installs', [install('AT'), install('DE')]);
  assert.equal(await totalOf(pages), 2);
  server.setTime(start + 9 * 60_000);
  assert.equal(await totalOf(pages), 2);
  await reader.ingest('installs', [install('FR')]);
  server.setTime(start + 15 * 60_000);
  assert.equal(await totalOf(`${pages}&skip=1`), 2, 'nine minutes and six, the run is remembered');
  server.setTime(start + 20 * 60_000);
  assert.equal(await totalOf(`${pages}&skip=1`), 3);
});

test('a kept answer comes in the same coding with the same bytes', async () => {
  const rows = Array.from({ length: 60 }, (_, index) => ({
    timestamp: '2026-02-03T08:00:00Z',
    applicationId: app,
    inAppProductId: '9NBLGGGZ5QDS',
    market: String.fromCharCode(65 + (index % 26), 65 + (index % 25)),
  }));
  await account.ingest('acquisitions', rows);
  const answers = [];
  for (let count = 0; count < 3; count += 1) {
    for (const coding of ['br', 'gzip']) {
      const answer = await server.request(`${report}&groupby=market`, {
        headers: { authorization: `Bearer ${account.token}`, 'accept-encoding': coding },
      });
      assert.equal(answer.headers.get('content-encoding'), coding);
      answers.push(answer.text);
    }
  }
  assert.equal(new Set(answers).size, 1);
  assert.match(answers[0] ?? '', /"TotalCount":\d\d}$/);
});
