import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { openEndpoint, resource } from './endpoint.js';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Expected {
  readonly status: number;
  readonly error: string;
  readonly code: number;
  readonly text: string;
}

/** Checks an error answer to the field, type and header; returns its body. */
async function assertError(response: Response, expected: Expected, origin: string) {
  const body = (await response.json()) as Record<string, unknown>;
  const { trace_id: traceId, correlation_id: correlationId } = body;
  assert.deepEqual(body, {
    error: expected.error,
    error_description: `AADSTS${expected.code}: ${expected.text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: 2026-08-01 12:00:00Z`,
    error_codes: [expected.code],
    timestamp: '2026-08-01 12:00:00Z',
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${origin}/error?code=${expected.code}`,
  });
  assert.equal(response.status, expected.status);
  assert.match(String(traceId), guid);
  assert.match(String(correlationId), guid);
  assert.equal(response.headers.get('x-ms-request-id'), traceId);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'no-store, no-cache');
  assert.equal(response.headers.get('pragma'), 'no-cache');
  assert.equal(response.headers.get('expires'), '-1');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('www-authenticate'), null);
  return body;
}

const missing = (parameter: string): Expected => ({
  status: 400,
  error: 'invalid_request',
  code: 900144,
  text: `The request body must contain the following parameter: '${parameter}'.`,
});
const malformed: Expected = {
  status: 400,
  error: 'invalid_request',
  code: 9002313,
  text: 'Invalid request. Request is malformed or invalid.',
};
const notFoundTenant = (tenant: string): Expected => ({
  status: 400,
  error: 'invalid_request',
  code: 90002,
  text: `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
});
const wrongSecret = (clientId: string): Expected => ({
  status: 401,
  error: 'invalid_client',
  code: 7000215,
  text: `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
});
const badScope = (scope: string): Expected => ({
  status: 400,
  error: 'invalid_scope',
  code: 1002012,
  text: `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
});
const unknownApplication = (clientId: string): Expected => ({
  status: 400,
  error: 'unauthorized_client',
  code: 700016,
  text: `Application with identifier '${clientId}' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
});
const noSecret: Expected = {
  status: 401,
  error: 'invalid_client',
  code: 7000216,
  text: "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
};
const throttled: Expected = {
  status: 429,
  error: 'temporarily_unavailable',
  code: 90055,
  text: 'Request throttled.',
};

test('1: only POST; OPTIONS says so', async () => {
  const { url, tenantId } = await openEndpoint();
  for (const path of ['oauth2/token', 'oauth2/v2.0/token']) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(`${url}/${tenantId}/${path}`, { method });
      const text = `The endpoint only accepts POST, OPTIONS requests. Received a ${method} request.`;
      await assertError(response, { status: 405, error: 'invalid_request', code: 900561, text }, url);
      assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
    }
    const options = await fetch(`${url}/${tenantId}/${path}`, { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'POST, OPTIONS');
    const head = await fetch(`${url}/${tenantId}/${path}`, { method: 'HEAD' });
    assert.equal(head.status, 405);
  }
});

test('2: the body must be a form with a grant_type', async () => {
  const { url, post, form, tenantId } = await openEndpoint();
  const json = JSON.stringify(form());
  for (const [body, contentType] of [
    [json, 'application/json'],
    [json, 'text/plain;charset=UTF-8'],
    [new URLSearchParams(form()).toString(), 'application/x-www-form-urlencoded-not'],
    [new URLSearchParams(form()).toString(), 'nonsense'],
    [
      '--x\r\ncontent-disposition: form-data; name="grant_type"\r\n\r\nclient_credentials\r\n--x--',
      'multipart/form-data; boundary=x',
    ],
    [{ client_id: 'x' }, 'application/x-www-form-urlencoded'],
    [form({ grant_type: '' }), 'application/x-www-form-urlencoded'],
    ['', 'application/x-www-form-urlencoded'],
  ] as const) {
    await assertError(
      await post(body, { headers: { 'content-type': contentType } }),
      missing('grant_type'),
      url,
    );
  }
  const bare = await fetch(`${url}/${tenantId}/oauth2/token`, { method: 'POST' });
  await assertError(bare, missing('grant_type'), url);
  const typeless = await fetch(`${url}/${tenantId}/oauth2/token`, {
    method: 'POST',
    body: Buffer.from(json),
  });
  await assertError(typeless, missing('grant_type'), url);
  // Parameters in the query do not count.
  const query = new URLSearchParams(form()).toString();
  const inQuery = await post('', { path: `/${tenantId}/oauth2/token?${query}` });
  await assertError(inQuery, missing('grant_type'), url);
});

test('a parameter given twice, also an unknown one, and a body too large are malformed', async () => {
  const { url, post, form } = await openEndpoint();
  const body = new URLSearchParams(form()).toString();
  await assertError(await post(`${body}&client_id=x`), malformed, url);
  await assertError(await post(`${body}&a=1&a=2`), malformed, url);
  await assertError(await post(`${body}&a=${'x'.repeat(70_000)}`), malformed, url);
});

test('3: the tenant is a GUID or a domain name', async () => {
  const { url, post, form } = await openEndpoint();
  for (const tenant of ['contoso', 'no_domain.example', '-a.example', 'a..example']) {
    const text = `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`;
    const response = await post(form(), { path: `/${tenant}/oauth2/token` });
    await assertError(response, { status: 400, error: 'invalid_request', code: 900023, text }, url);
  }
  for (const tenant of ['common', 'organizations', 'Consumers']) {
    const text =
      'No tenant-identifying information found in either the request or implied by any provided credentials.';
    const response = await post(form(), { path: `/${tenant}/oauth2/v2.0/token` });
    await assertError(response, { status: 400, error: 'invalid_request', code: 50059, text }, url);
  }
});

test('4: an unknown, removed or disabled tenant is not found', async () => {
  const { url, post, form, identity, tenantId } = await openEndpoint();
  for (const tenant of ['3f1e9c62-8b0d-4a57-9a1c-7c2d5e4b6a90', 'fabrikam.example']) {
    const response = await post(form(), { path: `/${tenant}/oauth2/token` });
    await assertError(response, notFoundTenant(tenant), url);
  }
  await identity.tenants.patch(tenantId, { enabled: false });
  await assertError(await post(form()), notFoundTenant(tenantId), url);
  await identity.tenants.patch(tenantId, { enabled: true });
  assert.equal((await post(form())).status, 200);
  await identity.tenants.remove(tenantId);
  await assertError(await post(form()), notFoundTenant(tenantId), url);
});

test('5 to 8: grant type, client id, resource and scope', async () => {
  const { url, post, form, tenantId } = await openEndpoint();
  const v2 = { path: `/${tenantId}/oauth2/v2.0/token` };
  await assertError(
    await post(form({ grant_type: 'password' })),
    {
      status: 400,
      error: 'unsupported_grant_type',
      code: 70003,
      text: "The app requested an unsupported grant type 'password'.",
    },
    url,
  );
  await assertError(await post(form({ client_id: undefined })), missing('client_id'), url);
  await assertError(await post(form({ resource: undefined, scope: 'x/.default' })), missing('resource'), url);
  await assertError(await post(form(), v2), missing('scope'), url);
  for (const scope of [
    resource,
    `${resource}/.default ${resource}/.default`,
    `openid ${resource}/.default`,
    '/.default',
  ]) {
    await assertError(await post(form({ scope }), v2), badScope(scope), url);
  }
});

test('9 and 10: the application must exist in this tenant and be enabled', async () => {
  const { url, post, form, identity, tenantId, clientId } = await openEndpoint();
  const other = await identity.tenants.create({ name: 'Fabrikam' });
  const foreign = await identity.applications.create(other.tenantId, { name: 'x', role: 'Manager' });
  for (const id of ['not-even-a-guid', '5b0c7c1e-2f57-4d3c-9d0a-8a1b6f0e4c11', foreign.clientId]) {
    await assertError(await post(form({ client_id: id })), unknownApplication(id), url);
  }
  await identity.applications.patch(tenantId, clientId, { enabled: false });
  const text = `Application '${clientId}'(Dashboard) is disabled.`;
  await assertError(
    await post(form()),
    { status: 400, error: 'unauthorized_client', code: 7000112, text },
    url,
  );
});

test('11 to 13: missing, wrong, removed and expired secrets', async () => {
  const { url, post, form, identity, tenantId, clientId, clientSecret, advance, keyId } =
    await openEndpoint();
  await assertError(await post(form({ client_secret: undefined })), noSecret, url);
  await assertError(await post(form({ client_secret: '' })), noSecret, url);
  await assertError(
    await post(form({ client_secret: undefined, client_assertion: 'e30.e30.x' })),
    noSecret,
    url,
  );
  for (const wrong of [keyId, clientSecret.toLowerCase(), `${clientSecret} `, clientSecret.slice(0, -1)]) {
    await assertError(await post(form({ client_secret: wrong })), wrongSecret(clientId), url);
  }
  const short = await identity.keys.create(tenantId, clientId, { expiresInDays: 1 });
  assert.equal((await post(form({ client_secret: short.clientSecret }))).status, 200);
  await identity.keys.remove(tenantId, clientId, keyId);
  await assertError(await post(form()), wrongSecret(clientId), url);
  advance(86_400);
  const expired = await post(form({ client_secret: short.clientSecret }));
  assert.equal(expired.status, 401);
  const body = (await expired.json()) as { error: string; error_codes: number[]; error_description: string };
  assert.equal(body.error, 'invalid_client');
  assert.deepEqual(body.error_codes, [7000222]);
  assert.ok(
    body.error_description.startsWith(
      `AADSTS7000222: The provided client secret keys for app '${clientId}' are expired. Create new keys for your app in the console. Trace ID: `,
    ),
  );
});

test('14: an unknown resource, told only to those who proved who they are', async () => {
  const { url, post, form, tenantId, clientId } = await openEndpoint();
  const unknown = (name: string): Expected => ({
    status: 400,
    error: 'invalid_resource',
    code: 500011,
    text: `The resource principal named ${name} was not found in the tenant named Contoso. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
  });
  for (const name of ['https://graph.microsoft.com', `${resource}//`]) {
    await assertError(await post(form({ resource: name })), unknown(name), url);
    const v2 = { path: `/${tenantId}/oauth2/v2.0/token` };
    await assertError(await post(form({ scope: `${name}/.default` }), v2), unknown(name), url);
  }
  const wrong = await post(form({ resource: 'https://graph.microsoft.com', client_secret: 'wrong' }));
  await assertError(wrong, wrongSecret(clientId), url);
});

test('15: ten failures a minute, then 429 for that client, also with the right secret', async () => {
  const { url, post, form, clientId, advance, identity, tenantId } = await openEndpoint();
  for (let count = 0; count < 10; count += 1) {
    await assertError(await post(form({ client_secret: 'wrong' })), wrongSecret(clientId), url);
  }
  for (const changes of [{ client_secret: 'wrong' }, {}, { client_id: clientId.toUpperCase() }]) {
    const response = await post(form(changes));
    await assertError(response, throttled, url);
    assert.equal(response.headers.get('retry-after'), '60');
  }
  const other = await identity.applications.create(tenantId, { name: 'Other', role: 'Reader' });
  const key = await identity.keys.create(tenantId, other.clientId, {});
  const unaffected = await post(form({ client_id: other.clientId, client_secret: key.clientSecret }));
  assert.equal(unaffected.status, 200);
  advance(59.5);
  assert.equal((await post(form())).headers.get('retry-after'), '1');
  advance(0.5);
  assert.equal((await post(form())).status, 200);
});

test('16: a fault of ours is 500 without details', async () => {
  const { url, post, form, registry } = await openEndpoint({ fresh: true });
  await registry.all('ALTER TABLE tenants RENAME TO hidden');
  const text = 'A transient error has occurred. Please try again.';
  await assertError(await post(form()), { status: 500, error: 'server_error', code: 90033, text }, url);
});

test('the order of the checks decides which error wins', async () => {
  const { url, post, form, tenantId } = await openEndpoint();
  // Everything is wrong at first; one fault after the other is mended.
  const unknownTenant = '/fabrikam.example/oauth2/v2.0/token';
  const known = `/${tenantId}/oauth2/v2.0/token`;
  const faults: Record<string, string | undefined> = {
    grant_type: undefined,
    client_id: undefined,
    client_secret: undefined,
    resource: undefined,
  };
  const next = async (path: string, expected: Expected) =>
    assertError(await post(form(faults), { path }), expected, url);
  await next('/contoso/oauth2/v2.0/token', missing('grant_type'));
  faults.grant_type = 'refresh_token';
  await next(unknownTenant, notFoundTenant('fabrikam.example'));
  await next(known, {
    status: 400,
    error: 'unsupported_grant_type',
    code: 70003,
    text: "The app requested an unsupported grant type 'refresh_token'.",
  });
  faults.grant_type = 'client_credentials';
  await next(known, missing('client_id'));
  faults.client_id = 'x';
  await next(known, missing('scope'));
  faults.scope = 'https://graph.microsoft.com';
  await next(known, badScope('https://graph.microsoft.com'));
  faults.scope = 'https://graph.microsoft.com/.default';
  await next(known, unknownApplication('x'));
  delete faults.client_id;
  await next(known, noSecret);
});

test('correlation ids: header before query before form, only GUIDs, echoed on request', async () => {
  const { post, form, tenantId } = await openEndpoint();
  const ids = ['1', '2', '3'].map((digit) => `${digit}c0f7a52-93d1-4f6c-8d7e-6f2b9a3c5d44`);
  const [header, query, body] = ids as [string, string, string];
  const bad = form({ grant_type: 'x' });
  const correlation = async (response: Response) =>
    ((await response.json()) as { correlation_id: string }).correlation_id;
  const path = `/${tenantId}/oauth2/token?client-request-id=${query}`;
  const inForm = { ...bad, 'client-request-id': body };
  const all = await post(inForm, { path, headers: { 'client-request-id': header } });
  assert.equal(all.headers.get('client-request-id'), null);
  assert.equal(await correlation(all), header);
  assert.equal(await correlation(await post(inForm, { path })), query);
  assert.equal(await correlation(await post(inForm)), body);
  assert.notEqual(await correlation(await post({ ...bad, 'client-request-id': 'mine' })), 'mine');
  for (const fields of [bad, form()]) {
    const echoed = await post(fields, {
      headers: { 'client-request-id': header, 'return-client-request-id': 'true' },
    });
    assert.equal(echoed.headers.get('client-request-id'), header);
  }
});

test('malformed percent signs and bytes never make a 500', async () => {
  const { url, tenantId, clientId } = await openEndpoint();
  const send = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(`${url}/${tenantId}/oauth2/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.end(body);
    });
  const good = `grant_type=client_credentials&resource=${resource}`;
  assert.equal(await send(`${good}&client_id=%&client_secret=%zz`), 400);
  assert.equal(await send(`${good}&client_id=${clientId}&client_secret=%ff%`), 401);
  assert.equal(await send(Buffer.from([0xff, 0xfe, 0x00, 0x3d])), 400);
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text, 'latin1').toString('base64')}`,
  });
  assert.equal(await send(good, basic(`${clientId}:100%`)), 401);
  assert.equal(await send(good, basic(`%E0%A4%A:\xff\x00`)), 400);
  assert.equal(await send(good, basic(clientId)), 401);
  assert.equal(await send(good, { authorization: 'Basic ***' }), 400);
});
