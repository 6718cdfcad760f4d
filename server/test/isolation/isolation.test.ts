/**
 * No path reads or writes another account's data: every report and every dataset is tried with a foreign product,
 * with roles that do not allow it, and with tokens that are no longer or were never good.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { datasets, type ReportEntry, reports } from '@storelens/contract';
import { decodeJwt, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import {
  startServer,
  type TestAccount,
  type TestAnswer,
  type TestProduct,
  type TestServer,
} from '../harness.js';

const now = Date.parse('2026-03-01T12:00:00Z');
let server: TestServer;
let mine: TestAccount;
let theirs: TestAccount;

/** Ids of products by kind, one set an account. */
const own = { app: 'MINE00000001', addon: 'MINE0000ADD1', desktop: 'MINE0000DESK', driver: 'MINE0000DRIV' };
const foreign = {
  app: 'THEIRS000001',
  addon: 'THEIRS00ADD1',
  desktop: 'THEIRS00DESK',
  driver: 'THEIRS00DRIV',
};

/** Sources of failures; those that are kinds of products need one. */
const sources = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

function productsOf(ids: typeof own, name: string): readonly TestProduct[] {
  return [
    { kind: 'app', id: ids.app, name },
    { kind: 'addon', id: ids.addon, parentId: ids.app, name: `Add-on of ${name}` },
    { kind: 'desktop', id: ids.desktop, name },
    { kind: 'driver', id: ids.driver, name },
  ];
}

before(async () => {
  server = await startServer({ now });
  mine = await server.account({ products: productsOf(own, 'Mine') });
  theirs = await server.account({ products: productsOf(foreign, 'Theirs') });
  for (const [account, ids, mark] of [
    [mine, own, 'MINE'],
    [theirs, foreign, 'THEIRS'],
  ] as const) {
    for (const [name, entry] of Object.entries(datasets)) {
      const rows = rowsOf(name, ids, mark);
      const addOns = 'inAppProductId' in columnsOf(entry) ? rows : [];
      await account.ingest(name, [...rows, ...addOns.map((row) => ({ ...row, inAppProductId: ids.addon }))]);
    }
  }
});

after(() => server.close());

function columnsOf(entry: (typeof datasets)[string]): Record<string, true> {
  return Object.fromEntries((entry?.columns ?? []).map(({ name }) => [name, true]));
}

/** Name and device that the failures of both accounts share. */
const shared = { failureName: 'AV_shared!function', deviceId: 'device' };

/** Least rows of a dataset: one, or one failure of every source; failures carry a mark. */
function rowsOf(dataset: string, ids: typeof own, mark: string): readonly Record<string, unknown>[] {
  const time =
    datasets[dataset]?.time === 'date' ? { date: '2026-02-20' } : { timestamp: '2026-02-20T10:00:00Z' };
  const needed: Record<string, Record<string, unknown>> = {
    ratings: { rating: 5 },
    reviews: { rating: 5 },
    adperformance: { adUnitId: '1' },
    campaigns: { campaignId: '1' },
  };
  if (dataset !== 'failures') return [{ ...time, applicationId: ids.app, ...needed[dataset] }];
  return sources.map((source) => ({
    ...{ ...time, ...shared, source, market: mark, frames: [{ image: `${mark}.exe` }] },
    ...(source in ids ? { applicationId: ids[source as keyof typeof ids] } : {}),
  }));
}

/** The first of them. */
function rowOf(dataset: string, applicationId: string): Record<string, unknown> {
  const [row] = rowsOf(dataset, { ...own, app: applicationId }, 'MARK');
  assert.ok(row);
  return row;
}

const range = 'startDate=2026-02-01&endDate=2026-02-28';

function ask(name: string, query: string, token: string): Promise<TestAnswer> {
  return server.request(`/v1.0/my/analytics/${name}?${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

function post(dataset: string, row: object, token: string): Promise<TestAnswer> {
  return server.request(`/ingest/v1/${dataset}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify([row]),
  });
}

function innerCode(answer: TestAnswer): unknown {
  return (answer.json as { innererror?: { code?: string } } | undefined)?.innererror?.code;
}

/** What a report's lookups are asked with: ids that failures of `account` have. */
async function lookupsOf(entry: ReportEntry, account: TestAccount, ids: typeof own): Promise<string> {
  const parts = await Promise.all(
    (entry.lookups ?? []).map(async ({ parameter }) => {
      const report = Object.values(reports).find(
        ({ kind, fields, sources: [source] }) =>
          kind === (parameter === 'failureHash' ? 'grouped' : 'records') &&
          fields.some(({ name }) => name === parameter) &&
          JSON.stringify(source?.where) === JSON.stringify(entry.sources[0]?.where),
      );
      assert.ok(report, parameter);
      const answer = await ask(report.name, await queryOf(report, account, ids), account.token);
      const [row] = (answer.json as { Value: readonly Record<string, string>[] }).Value;
      return `&${parameter}=${row?.[parameter]}`;
    }),
  );
  return parts.join('');
}

/** A query that finds an account's rows. */
async function queryOf(entry: ReportEntry, account: TestAccount, ids: typeof own): Promise<string> {
  const [parameter] = entry.identity.parameters.filter(({ name }) => name === 'applicationId');
  const product = parameter === undefined ? '' : `&applicationId=${ids[parameter.kind]}`;
  return `${range}${entry.identity.needs === 'none' ? '' : product}${await lookupsOf(entry, account, ids)}`;
}

for (const [name, entry] of Object.entries(reports)) {
  test(`${name} refuses a product of another account like an unknown one`, async () => {
    const lookups = await lookupsOf(entry, mine, own);
    for (const { name: parameter, kind } of entry.identity.parameters) {
      const query = `${range}${lookups}&${parameter}=`;
      const others = await ask(name, `${query}${foreign[kind]}`, mine.token);
      const unknown = await ask(name, `${query}NOBODYS00001`, mine.token);
      assert.equal(others.status, 403);
      assert.equal(unknown.status, 403);
      const plain = (answer: TestAnswer) => answer.text.replaceAll(/THEIRS\w+|NOBODYS00001/g, 'ID');
      assert.equal(plain(others), plain(unknown));
    }
  });

  if (entry.kind === 'file') {
    test(`${name} finds no file of another account`, async () => {
      for (const [account, ids] of [
        [mine, own],
        [theirs, foreign],
      ] as const) {
        const lookups = await lookupsOf(entry, account, ids);
        const [parameter] = entry.identity.parameters;
        const product = parameter === undefined ? '' : `&applicationId=${own[parameter.kind]}`;
        assert.equal((await ask(name, `${lookups}${product}`.slice(1), mine.token)).status, 404);
      }
    });
    continue;
  }

  test(`${name} answers with own rows only`, async () => {
    const answer = await ask(name, await queryOf(entry, mine, own), mine.token);
    assert.equal(answer.status, 200);
    assert.match(answer.text, entry.kind === 'steps' ? /"UserCount"/ : /MINE/);
    assert.doesNotMatch(answer.text, /THEIRS/);
    const [row] = (answer.json as { Value: readonly Record<string, unknown>[] }).Value;
    if (row !== undefined && 'eventCount' in row) assert.equal(row.eventCount, 1);
    if (row !== undefined && 'deviceCount' in row) assert.equal(row.deviceCount, 1);
  });

  if (entry.kind === 'frames' || entry.lookups?.some(({ parameter }) => parameter === 'failureHash')) {
    test(`${name} answers ids of another account like unknown ones`, async () => {
      // Of a failure that both have only the own rows show; one that only the other has is unknown.
      const [parameter] = entry.identity.parameters;
      const product = parameter === undefined ? '' : `&applicationId=${own[parameter.kind]}`;
      const theirLookup = await lookupsOf(entry, theirs, foreign);
      const others = await ask(name, `${range}${product}${theirLookup}`, mine.token);
      assert.equal(others.status, 200);
      assert.doesNotMatch(others.text, /THEIRS/);
      if (entry.kind !== 'frames') return;
      const unknown = await ask(
        name,
        `${range}${product}${theirLookup.replace(/=.*$/, '=unknown')}`,
        mine.token,
      );
      assert.equal(others.text, '{"Value":[],"@nextLink":null,"TotalCount":0}');
      assert.equal(others.text, unknown.text);
      const id = theirLookup.replace(/^.*=/, '');
      const plain = (answer: TestAnswer) => answer.headers.get('storelens-notice')?.replace(id, 'unknown');
      assert.equal(plain(others), plain(unknown));
    });
  }
}

test('a filter by ids of another account finds nothing', async () => {
  for (const entry of Object.values(reports)) {
    for (const parameter of ['cabId', 'cabIdHash'] as const) {
      const field = entry.fields.find(({ name }) => name === parameter);
      if (field?.filter === undefined) continue;
      const answer = await ask(entry.name, await queryOf(entry, theirs, foreign), theirs.token);
      const [row] = (answer.json as { Value: readonly Record<string, string>[] }).Value;
      assert.ok(row);
      const filter = encodeURIComponent(`${parameter} eq '${row[parameter]}'`);
      const found = await ask(entry.name, `${await queryOf(entry, mine, own)}&filter=${filter}`, mine.token);
      assert.equal(found.text, '{"Value":[],"@nextLink":null,"TotalCount":0}');
    }
  }
});

for (const name of Object.keys(datasets)) {
  test(`${name} takes no row for a product of another account`, async () => {
    const answer = await post(name, rowOf(name, 'THEIRS000001'), mine.token);
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /row 1: applicationId/);
  });
}

/** Every report that names the product, and every dataset, with one token; the statuses of either. */
async function everywhere(
  token: string,
  productId: string,
): Promise<{ read: Set<number>; written: Set<number> }> {
  const read = new Set<number>();
  const written = new Set<number>();
  for (const [name, entry] of Object.entries(reports)) {
    const named = entry.identity.parameters.length > 0;
    const lookups = (entry.lookups ?? []).map(({ parameter }) => `&${parameter}=unknown`).join('');
    const { status } = await ask(name, `${range}${lookups}&applicationId=${productId}`, token);
    // Who may read is told that there is no such file; reports of the whole account answer with the caller's own.
    const read200 = status === (entry.kind === 'file' ? 404 : 200);
    if (named || !read200) read.add(read200 ? 200 : status);
  }
  for (const name of Object.keys(datasets))
    written.add((await post(name, rowOf(name, productId), token)).status);
  return { read, written };
}

async function withRole(role: string): Promise<TestAccount> {
  const id = `ROLE${role.toUpperCase().padEnd(8, '0').slice(0, 8)}`;
  return server.account({ role, products: [{ kind: 'app', id, name: role }] });
}

test('an Ingestor writes and does not read', async () => {
  const account = await withRole('Ingestor');
  assert.deepEqual(await everywhere(account.token, 'ROLEINGESTOR'), {
    read: new Set([403]),
    written: new Set([200]),
  });
});

test('a Reader reads and does not write', async () => {
  const account = await withRole('Reader');
  assert.deepEqual(await everywhere(account.token, 'ROLEREADER00'), {
    read: new Set([200]),
    written: new Set([403]),
  });
});

test('any other role does nothing', async () => {
  const account = await withRole('Developer');
  assert.deepEqual(await everywhere(account.token, 'ROLEDEVELOPE'), {
    read: new Set([403]),
    written: new Set([403]),
  });
});

test('a disabled application does nothing, at once', async () => {
  const account = await withRole('Manager');
  await server.app.parts.identity.applications.patch(account.tenantId, account.clientId, { enabled: false });
  assert.deepEqual(await everywhere(account.token, 'ROLEMANAGER0'), {
    read: new Set([401]),
    written: new Set([401]),
  });
});

test('a forged token does nothing', async () => {
  const { privateKey } = await generateKeyPair('RS256');
  const claims: JWTPayload = decodeJwt(mine.token);
  const [header = ''] = mine.token.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const forged = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
    .sign(privateKey);
  assert.deepEqual(await everywhere(forged, 'MINE00000001'), {
    read: new Set([401]),
    written: new Set([401]),
  });
});

test('a token with changed claims does nothing', async () => {
  const [header = '', , signature = ''] = mine.token.split('.');
  const claims = { ...decodeJwt(mine.token), tid: theirs.tenantId, appid: theirs.clientId };
  const changed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
  assert.deepEqual(await everywhere(changed, 'THEIRS000001'), {
    read: new Set([401]),
    written: new Set([401]),
  });
});

test('a token of another account reads and writes nothing of this one', async () => {
  assert.deepEqual(await everywhere(theirs.token, 'MINE00000001'), {
    read: new Set([403]),
    written: new Set([400]),
  });
});

test('no token, no answer', async () => {
  const answer = await server.request(`/v1.0/my/analytics/installs?${range}&applicationId=MINE00000001`);
  assert.equal(answer.status, 401);
  assert.equal(innerCode(answer), 'PartnerAadTicketRequired');
  assert.match(
    answer.headers.get('www-authenticate') ?? '',
    /^Bearer authorization_uri="http:\/\/127\.0\.0\.1:\d+\/common\/oauth2\/authorize", error="invalid_token", error_description="/,
  );
});

test('an expired token does nothing', async () => {
  server.setTime(now + 62 * 60_000);
  assert.deepEqual(await everywhere(mine.token, 'MINE00000001'), {
    read: new Set([401]),
    written: new Set([401]),
  });
  server.setTime(now);
});
