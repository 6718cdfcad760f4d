/** Every error answers in the documented envelope, whatever went wrong and wherever. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { errors } from '@storelens/contract';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';

let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now: Date.parse('2026-03-01T12:00:00Z'), args: ['--rate-limit', '40'] });
  account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Demo' }] });
});

after(() => server.close());

/** Checks the whole envelope of an answer and returns the inner data. */
function envelope(answer: TestAnswer, code: keyof typeof errors): readonly string[] {
  const entry = errors[code];
  assert.equal(answer.status, entry.status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json; charset=utf-8$/);
  const data = (answer.json as { innererror: { data: string[] } }).innererror.data;
  assert.equal(
    answer.text,
    JSON.stringify({
      code: entry.code,
      data: [],
      details: [],
      innererror: {
        code: entry.inner.code,
        data,
        details: [],
        message: entry.inner.message,
        source: 'AnalyticsAPI',
      },
      message: entry.message,
      source: 'AnalyticsAPI',
    }),
  );
  return data;
}

test('the documented error, to the letter', async () => {
  const answer = await account.get('/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR&top=10001');
  assert.equal(
    answer.text,
    '{"code":"BadRequest","data":[],"details":[],"innererror":{"code":"InvalidQueryParameters","data":["top parameter cannot be more than 10000"],"details":[],"message":"One or More Query Parameters has invalid values.","source":"AnalyticsAPI"},"message":"The calling client sent a bad request to the service.","source":"AnalyticsAPI"}',
  );
});

test('unknown paths are 404, known ones with another verb 405', async () => {
  envelope(await server.request('/'), 'not-found');
  envelope(await server.request('/v1.0/my/analytics/nonsense'), 'not-found');
  envelope(await server.request('/v1.0/my/analytics/constructor'), 'not-found');
  envelope(await server.request('/v1.0/my/analytics/'), 'not-found');
  envelope(await server.request(`/ingest/v1/${'x'.repeat(400)}`), 'not-found');
  const wrongVerb = await server.request('/v1.0/my/analytics/installs', { method: 'POST', body: 'x' });
  assert.match(envelope(wrongVerb, 'method-not-allowed')[0] ?? '', /POST/);
  assert.equal(wrongVerb.headers.get('allow'), 'GET, HEAD');
  const ingest = await server.request('/ingest/v1/acquisitions');
  envelope(ingest, 'method-not-allowed');
  assert.equal(ingest.headers.get('allow'), 'POST');
});

test('a path that cannot be decoded is answered in the envelope', async () => {
  const answer = await server.request('/v1.0/my/analytics/%ff');
  envelope(answer, 'invalid-body');
  assert.ok(answer.headers.has('x-ms-request-id'));
});

test('a tenant that cannot be decoded is answered as the token endpoint answers', async () => {
  for (const [target, tenant] of [
    ['/%ff/oauth2/token', '%ff'],
    ['/%zz/oauth2/v2.0/token?x=1', '%zz'],
    [`/${'x'.repeat(400)}/oauth2/token`, `${'x'.repeat(256)}...`],
  ] as const) {
    const { status, headers, json } = await server.request(target, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    assert.equal(status, 400, target);
    const body = json as {
      error: string;
      error_description: string;
      error_codes: number[];
      trace_id: string;
    };
    assert.deepEqual([body.error, body.error_codes], ['invalid_request', [900023]]);
    assert.ok(body.error_description.includes(`tenant identifier '${tenant}' is neither`));
    assert.equal(headers.get('x-ms-request-id'), body.trace_id);
    assert.equal(headers.get('cache-control'), 'no-store, no-cache');
  }
  assert.equal((await server.request('/%ff/.well-known/openid-configuration')).status, 400);
});

test('the path is checked before the token, the token before parameters, parameters before the product', async () => {
  envelope(await server.request('/v1.0/my/analytics/installs?top=x'), 'token-missing');
  envelope(
    await account.get('/v1.0/my/analytics/installs?applicationId=UNKNOWN00001&top=x'),
    'invalid-parameters',
  );
  envelope(await account.get('/v1.0/my/analytics/installs?applicationId=UNKNOWN00001'), 'forbidden');
});

test('a content type that cannot be read is for the route, not before the path or the token', async () => {
  const init = { method: 'POST', headers: { 'content-type': 'x' }, body: 'x' };
  envelope(await server.request('/ingest/v1/nonsense', init), 'not-found');
  envelope(await server.request('/ingest/v1/installs', init), 'token-missing');
  const headers = { ...init.headers, authorization: `Bearer ${account.token}` };
  const refused = await server.request('/ingest/v1/installs', { ...init, headers });
  assert.equal(envelope(refused, 'unsupported-media-type')[0], 'The content type is missing or malformed.');
});

test('paths match in any letter case and with a slash at the end', async () => {
  const answer = await account.get('/V1.0/My/Analytics/Installs/?applicationId=9NBLGGGZ5QDR');
  assert.equal(answer.status, 200);
});

/** Sends bytes and returns all that comes back. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

for (const [what, bytes] of [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a request without Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  [
    'a letter beyond ASCII in the address',
    'GET /v1.0/my/analytics/installs?filter=\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  ['a blank in the address', 'GET /v1.0/my/analytics/installs?filter=a b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['headers beyond the limit', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`],
]) {
  test(`${what} is answered in the envelope`, async () => {
    const answer = await raw(bytes ?? '');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.match(
      answer,
      /\{"code":"BadRequest","data":\[\],"details":\[\],"innererror":\{"code":"InvalidBody"/,
    );
  });
}

test('an ignored parameter and an empty answer are named in the notice', async () => {
  const answer = await account.get(
    '/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR&metricType=x&cabId=',
  );
  assert.equal(answer.status, 200);
  assert.equal(
    answer.headers.get('storelens-notice'),
    'metricType is no parameter of installs and was ignored; there is no data yet for this query',
  );
  await account.ingest('installs', [
    { timestamp: '2026-01-05T00:00:00Z', applicationId: '9NBLGGGZ5QDR' },
    { timestamp: '2026-02-03T23:59:59Z', applicationId: '9NBLGGGZ5QDR' },
  ]);
  const later = await account.get('/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR');
  assert.equal(later.headers.get('storelens-notice'), 'data begins 2026-01-05 and ends 2026-02-03');
});

test('a product of another kind has no rows and says why', async () => {
  await server.app.parts.products.create(account.accountId, {
    kind: 'driver',
    id: '14210000000000000',
    name: 'A driver',
  });
  const answer = await account.get('/v1.0/my/analytics/installs?applicationId=14210000000000000');
  assert.equal(answer.text, '{"Value":[],"@nextLink":null,"TotalCount":0}');
  assert.match(answer.headers.get('storelens-notice') ?? '', /it is registered as a driver/);
});

test('every answer has a request id, and no log line a secret', async () => {
  const answer = await account.get('/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR');
  const id = answer.headers.get('x-ms-request-id') ?? '';
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const log = server.logged.join('');
  assert.ok(log.includes(id));
  assert.ok(!log.includes(account.token));
  assert.ok(!log.includes(account.clientSecret));
});

test('the engine being gone is a 500 with the request id and nothing else', async () => {
  const other = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'X' }] });
  await server.app.parts.engine.command({ account: '', sql: 'RENAME TABLE installs TO installs_gone' });
  try {
    const answer = await other.get('/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR');
    assert.deepEqual(envelope(answer, 'internal'), [answer.headers.get('x-ms-request-id')]);
    assert.ok(server.logged.some((line) => line.includes('installs') && line.includes('"level":"error"')));
  } finally {
    await server.app.parts.engine.command({ account: '', sql: 'RENAME TABLE installs_gone TO installs' });
  }
});

test('beyond the rate limit answers are 429 until the minute is over', async () => {
  const other = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'X' }] });
  const statuses: number[] = [];
  let last: TestAnswer | undefined;
  for (let count = 0; count < 41; count += 1) {
    last = await other.get('/v1.0/my/analytics/funnel?applicationId=9NBLGGGZ5QDR');
    statuses.push(last.status);
  }
  assert.deepEqual(new Set(statuses.slice(0, 40)), new Set([200]));
  assert.ok(last);
  envelope(last, 'too-many-requests');
  assert.equal(last.headers.get('retry-after'), '60');
  // An application of another tenant may have the same client id, and has a limit of its own.
  const { identity } = server.app.parts;
  const { tenantId } = await identity.tenants.create({ name: 'Twin' });
  const { clientId } = other;
  await identity.applications.create(tenantId, { name: 'Twin', role: 'Reader', clientId });
  const { clientSecret } = await identity.keys.create(tenantId, clientId, {});
  const { accessToken } = await identity.grant({
    ...{ version: 'v1', tenant: tenantId, authorization: undefined, address: '127.0.0.1' },
    contentType: 'application/x-www-form-urlencoded',
    body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}&resource=https://manage.devcenter.microsoft.com`,
  });
  const twin = await server.request('/v1.0/my/analytics/funnel?applicationId=9NBLGGGZ5QDR', {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  assert.equal(twin.status, 403, 'the product is not its own, but it was asked');
  server.setTime(Date.parse('2026-03-01T12:01:00Z'));
  assert.equal((await other.get('/v1.0/my/analytics/funnel?applicationId=9NBLGGGZ5QDR')).status, 200);
});
