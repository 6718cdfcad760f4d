/** Health, readiness, metrics and the log, over HTTP. */
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../harness.js';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

async function metrics(): Promise<string> {
  const authorization = `Bearer ${await server.operatorKey()}`;
  const answer = await server.request('/metrics', { headers: { authorization } });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return answer.text;
}

/** The value of one metric line, 0 if it is not there. */
function amount(text: string, line: string): number {
  const start = `${line} `;
  return Number(
    text
      .split('\n')
      .find((candidate) => candidate.startsWith(start))
      ?.slice(start.length) ?? 0,
  );
}

test('healthz and readyz answer everyone', async () => {
  const alive = await server.request('/healthz');
  assert.deepEqual([alive.status, alive.json], [200, { status: 'alive' }]);
  const ready = await server.request('/readyz');
  const checks = { engine: 'ok', registry: 'ok', files: 'ok' };
  assert.deepEqual([ready.status, ready.json], [200, { status: 'ready', checks }]);
});

test('readyz says which part fails, and nothing else about it', async () => {
  let later = Date.now();
  for (const folder of [server.folder, join(server.folder, 'files')]) {
    const away = `${folder}-away`;
    await rename(folder, away);
    try {
      later += 10_000;
      server.setTime(later);
      const answer = await server.request('/readyz');
      assert.equal(answer.status, 503);
      const { checks } = answer.json as { checks: Readonly<Record<string, string>> };
      assert.equal(checks.files, 'failing');
      assert.doesNotMatch(answer.text, new RegExp(server.folder));
      assert.match(server.logged.join(''), /"part":"files","msg":"not ready"/);
    } finally {
      await rename(away, folder);
    }
    later += 10_000;
    server.setTime(later);
    assert.equal((await server.request('/readyz')).status, 200);
  }
});

test('a disk that is full is 503, and the same batch counts once there is room', async (context) => {
  const account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso' }] });
  const { registry } = server.app.parts;
  await registry.all('PRAGMA max_page_count = 1');
  context.after(() => registry.all('PRAGMA max_page_count = 4294967294'));
  const post = (key: string) =>
    server.request('/ingest/v1/acquisitions', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${account.token}`,
        'content-type': 'application/x-ndjson',
        'idempotency-key': key,
      },
      body: '{"timestamp":"2016-01-05T10:00:00Z","applicationId":"9NBLGGGZ5QDR"}',
    });
  let stored = 0;
  let answer = await post('full-0');
  for (; answer.status === 200; answer = await post(`full-${stored}`)) {
    stored += 1;
    assert.ok(stored < 1000, 'the registry never became full');
  }
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.text, /The disk of the server is full or fails\./);
  assert.equal(answer.headers.get('retry-after'), '30');
  const admin = await server.request('/admin/v1/tenants', {
    headers: { authorization: `Bearer ${await server.operatorKey()}` },
  });
  assert.ok([200, 503].includes(admin.status), admin.text);

  await registry.all('PRAGMA max_page_count = 1000000');
  const again = await post(`full-${stored}`);
  assert.deepEqual([again.status, (again.json as { duplicate: boolean }).duplicate], [200, false]);
  const report = await account.get(
    '/v1.0/my/analytics/appacquisitions?applicationId=9NBLGGGZ5QDR&startDate=2016-01-05&endDate=2016-01-05&groupby=market',
  );
  const { Value } = report.json as { Value: readonly { acquisitionQuantity: number }[] };
  assert.equal(Value[0]?.acquisitionQuantity, stored + 1);
});

test('metrics are for operators', async () => {
  assert.equal((await server.request('/metrics')).status, 401);
});

test('metrics count requests by route and status class, batches, rows and engine calls', async () => {
  const account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso' }] });
  const requests = (route: string, status: string, method = 'GET') =>
    `storelens_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`;
  const report = '/v1.0/my/analytics/*';
  const stored = 'storelens_ingest_batches_total{dataset="acquisitions",outcome="stored"}';
  const refused = 'storelens_ingest_batches_total{dataset="acquisitions",outcome="invalid-rows"}';
  const rows = 'storelens_ingest_rows_total{dataset="acquisitions"}';
  const queries = 'storelens_engine_call_duration_seconds_count{verb="query",outcome="ok"}';
  const before = await metrics();

  const row = { timestamp: '2016-01-05T10:00:00Z', applicationId: '9NBLGGGZ5QDR' };
  await account.ingest('acquisitions', [row, row, row]);
  await assert.rejects(account.ingest('acquisitions', [{ ...row, quantity: 'many' }]));
  assert.equal(
    (await account.get('/v1.0/my/analytics/appacquisitions?applicationId=9NBLGGGZ5QDR')).status,
    200,
  );
  assert.equal((await account.get('/v1.0/my/analytics/appacquisitions?nonsense=1')).status, 400);

  const text = await metrics();
  const grown = (line: string) => amount(text, line) - amount(before, line);
  assert.equal(grown(requests(report, '2xx')), 1);
  assert.equal(grown(requests(report, '4xx')), 1);
  assert.equal(grown(stored), 1);
  assert.equal(grown(refused), 1);
  assert.equal(grown(rows), 3);
  assert.ok(grown(queries) >= 1);
  assert.equal(amount(text, 'storelens_engine_queries_waiting'), 0);
  assert.match(text, /^process_resident_memory_bytes \d+/m);
  for (const secret of [account.tenantId, account.clientId, account.accountId, '9NBLGGGZ5QDR']) {
    assert.ok(!text.includes(secret), 'a tenant or product became a label');
  }
});

test('every answer has a request id, and the log has its line without secrets', async () => {
  const { tenantId, clientSecret, token } = await server.account();
  const answer = await server.request('/v1.0/my/analytics/nothing?access_token=s3cret&client_secret=s3cret', {
    headers: { authorization: `Bearer ${token}` },
  });
  const requestId = answer.headers.get('x-ms-request-id') ?? '';
  assert.match(requestId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const other = await server.request('/healthz', { headers: { 'x-ms-request-id': requestId } });
  assert.notEqual(other.headers.get('x-ms-request-id'), requestId);
  const lines = server.logged
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const logged = lines.find((line) => line.requestId === requestId && line.status !== undefined);
  assert.ok(logged, 'no line with the request id');
  assert.equal(logged.status, 404);
  assert.equal(logged.url, '/v1.0/my/analytics/nothing?access_token=(hidden)&client_secret=(hidden)');
  const everything = server.logged.join('');
  assert.ok(everything.includes(`/${tenantId}/oauth2/token`));
  for (const secret of [clientSecret, token, 's3cret', await server.operatorKey()]) {
    assert.ok(!everything.includes(secret), 'a secret was logged');
  }
});
