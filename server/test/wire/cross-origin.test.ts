/** Pages of browsers: which origins may call what, and what they may read of the answers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const charts = 'https://charts.example.org';
const installs = '/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR';

describe('with origins named', () => {
  let server: TestServer;
  let account: TestAccount;

  before(async () => {
    server = await startServer({ args: ['--cors-origins', `http://localhost:8080, ${charts}`] });
    account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Demo' }] });
  });

  after(() => server.close());

  const preflight = (origin: string, target: string) =>
    server.request(target, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });

  test('a preflight of a named origin is answered before any token is asked for', async () => {
    for (const target of [installs, `/${account.tenantId}/oauth2/token`, '/ingest/v1/acquisitions']) {
      const answer = await preflight(charts, target);
      assert.equal(answer.status, 204, target);
      assert.equal(answer.headers.get('access-control-allow-origin'), charts);
      assert.match(answer.headers.get('access-control-allow-headers') ?? '', /Authorization/);
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', /GET.*POST.*PUT/);
      assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    }
  });

  test('answers and errors can be read by a named origin alone, and depend on it in caches', async () => {
    const ask = (origin: string, token: string) =>
      server.request(installs, { headers: { origin, authorization: `Bearer ${token}` } });
    for (const [token, status] of [
      [account.token, 200],
      ['nonsense', 401],
    ] as const) {
      const named = await ask('http://localhost:8080', token);
      assert.equal(named.status, status);
      assert.equal(named.headers.get('access-control-allow-origin'), 'http://localhost:8080');
      assert.match(named.headers.get('access-control-expose-headers') ?? '', /Retry-After.*Storelens-Notice/);
      assert.match(named.headers.get('vary') ?? '', /(^|, )Origin$/);
      const other = await ask('https://charts.example.org.evil.example', token);
      assert.equal(other.status, status);
      assert.equal(other.headers.get('access-control-allow-origin'), null);
      assert.match(other.headers.get('vary') ?? '', /(^|, )Origin$/);
    }
  });

  test('the operator API and the metrics are shared with nobody', async () => {
    for (const target of ['/admin/v1/tenants', '/ADMIN/v1/tenants', '/metrics']) {
      const answer = await preflight(charts, target);
      assert.notEqual(answer.status, 204, target);
      assert.equal(answer.headers.get('access-control-allow-origin'), null, target);
    }
  });
});

test('without the setting no page is let in', async () => {
  const closed = await startServer();
  try {
    const headers = { origin: charts, 'access-control-request-method': 'GET' };
    const answer = await closed.request(installs, { method: 'OPTIONS', headers });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  } finally {
    await closed.close();
  }
});

test('a setting that is no origin is refused by name', async () => {
  for (const wrong of ['*', 'charts.example.org', `${charts}/page`, `${charts},`]) {
    await assert.rejects(
      startServer({ args: ['--cors-origins', wrong] }),
      /--cors-origins has '.*'; expected/,
      wrong,
    );
  }
});
