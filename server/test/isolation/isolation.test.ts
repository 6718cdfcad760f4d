/**
 * No path reads or writes another account's data: every report and every dataset is tried with a foreign product,
 * with roles that do not allow it, and with tokens that are no longer or were never good.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { datasets, reports } from '@storelens/contract';
import { decodeJwt, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';

const now = Date.parse('2026-03-01T12:00:00Z');
let server: TestServer;
let mine: TestAccount;
let theirs: TestAccount;

before(async () => {
  server = await startServer({ now });
  const addOn = (parentId: string, id: string) => ({
    kind: 'addon' as const,
    id,
    parentId,
    name: `Add-on ${id}`,
  });
  mine = await server.account({
    products: [{ kind: 'app', id: 'MINE00000001', name: 'Mine' }, addOn('MINE00000001', 'MINE0000ADD1')],
  });
  theirs = await server.account({
    products: [{ kind: 'app', id: 'THEIRS000001', name: 'Theirs' }, addOn('THEIRS000001', 'THEIRS00ADD1')],
  });
  for (const [account, app, addon] of [
    [mine, 'MINE00000001', 'MINE0000ADD1'],
    [theirs, 'THEIRS000001', 'THEIRS00ADD1'],
  ] as const) {
    for (const [name, entry] of Object.entries(datasets))
      await account.ingest(name, [
        rowOf(name, app),
        ...('inAppProductId' in columnsOf(entry) ? [{ ...rowOf(name, app), inAppProductId: addon }] : []),
      ]);
  }
});

after(() => server.close());

function columnsOf(entry: (typeof datasets)[string]): Record<string, true> {
  return Object.fromEntries((entry?.columns ?? []).map(({ name }) => [name, true]));
}

/** A least row of a dataset. */
function rowOf(dataset: string, applicationId: string): Record<string, unknown> {
  const time =
    datasets[dataset]?.time === 'date' ? { date: '2026-02-20' } : { timestamp: '2026-02-20T10:00:00Z' };
  const needed: Record<string, Record<string, unknown>> = {
    ratings: { rating: 5 },
    reviews: { rating: 5 },
    adperformance: { adUnitId: '1' },
    campaigns: { campaignId: '1' },
  };
  return { ...time, applicationId, ...needed[dataset] };
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

for (const [name, entry] of Object.entries(reports)) {
  test(`${name} refuses a product of another account like an unknown one`, async () => {
    for (const { name: parameter, kind } of entry.identity.parameters) {
      const foreign = await ask(
        name,
        `${range}&${parameter}=${kind === 'app' ? 'THEIRS000001' : 'THEIRS00ADD1'}`,
        mine.token,
      );
      const unknown = await ask(name, `${range}&${parameter}=NOBODYS00001`, mine.token);
      assert.equal(foreign.status, 403);
      assert.equal(unknown.status, 403);
      const plain = (answer: TestAnswer) =>
        answer.text.replaceAll(/THEIRS00ADD1|THEIRS000001|NOBODYS00001/g, 'ID');
      assert.equal(plain(foreign), plain(unknown));
    }
  });

  test(`${name} answers with own rows only`, async () => {
    const query = entry.identity.needs === 'none' ? range : `${range}&applicationId=MINE00000001`;
    const answer = await ask(name, query, mine.token);
    assert.equal(answer.status, 200);
    assert.match(answer.text, entry.kind === 'steps' ? /"UserCount"/ : /MINE00000001/);
    assert.doesNotMatch(answer.text, /THEIRS/);
  });
}

for (const name of Object.keys(datasets)) {
  test(`${name} takes no row for a product of another account`, async () => {
    const answer = await post(name, rowOf(name, 'THEIRS000001'), mine.token);
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /row 1: applicationId/);
  });
}

/** Every report and dataset with one token; the status of each. */
async function everywhere(
  token: string,
  productId: string,
): Promise<{ read: Set<number>; written: Set<number> }> {
  const read = new Set<number>();
  const written = new Set<number>();
  for (const name of Object.keys(reports))
    read.add((await ask(name, `${range}&applicationId=${productId}`, token)).status);
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
