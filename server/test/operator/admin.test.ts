/** The operator API over HTTP: every route, who may call it, what it refuses and how, and the audit. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startServer, type TestAnswer, type TestServer } from '../harness.js';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const base = '/admin/v1';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

interface Body {
  readonly [name: string]: unknown;
  readonly value?: readonly Body[];
}

/** Calls the API with the operator key; a body is sent as JSON, a text as NDJSON. */
async function call(method: string, path: string, body?: object | string, headers = {}): Promise<TestAnswer> {
  return server.request(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await server.operatorKey()}`,
      ...(body !== undefined && {
        'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
      }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** The body of an answer that must have this status. */
function body(answer: TestAnswer, status = 200): Body {
  assert.equal(answer.status, status, answer.text);
  return (answer.json ?? {}) as Body;
}

/** Checks status and inner code of a refusal and returns its sentence. */
function refusal(answer: TestAnswer, status: number, code: string): string {
  assert.equal(answer.status, status, answer.text);
  const { innererror } = answer.json as { innererror: { code: string; data: readonly string[] } };
  assert.equal(innererror.code, code);
  return innererror.data[0] ?? '';
}

async function newTenant(changes: object = {}): Promise<string> {
  return String(body(await call('POST', '/tenants', { name: 'Contoso', ...changes }), 201).tenantId);
}

test('tenants: create, list, show, change, delete', async () => {
  const given = {
    name: 'Fabrikam',
    tenantId: 'A1B2C3D4-0000-4000-8000-00000000000A',
    sellerId: '10000077',
    domains: ['Fabrikam.test'],
  };
  const made = body(await call('POST', '/tenants', given), 201);
  assert.deepEqual(Object.keys(made), ['tenantId', 'accountId', 'sellerId', 'name']);
  const tenantId = given.tenantId.toLowerCase();
  assert.equal(made.tenantId, tenantId);
  assert.equal(made.sellerId, '10000077');
  assert.match(String(made.accountId), guid);

  const generated = body(await call('POST', '/tenants', { name: 'Other' }), 201);
  assert.match(String(generated.tenantId), guid);
  assert.match(String(generated.sellerId), /^\d{8}$/);

  const shown = body(await call('GET', `/tenants/${given.tenantId}`));
  assert.deepEqual(shown.domains, ['fabrikam.test']);
  assert.equal(shown.enabled, true);
  const listed = body(await call('GET', '/tenants')).value ?? [];
  assert.ok(listed.some((tenant) => tenant.tenantId === tenantId));

  const changed = body(await call('PATCH', `/tenants/${tenantId}`, { name: 'Fabrikam Ltd', enabled: false }));
  assert.equal(changed.name, 'Fabrikam Ltd');
  assert.equal(changed.enabled, false);

  const gone = await call('DELETE', `/tenants/${tenantId}`);
  assert.equal(gone.status, 204);
  assert.equal(gone.text, '');
  assert.match(refusal(await call('GET', `/tenants/${tenantId}`), 404, 'NotFound'), /no tenant/);
});

test('ids and domains that are taken are conflicts', async () => {
  const tenantId = await newTenant({ domains: ['taken.test'], sellerId: '10000088' });
  const again = (changes: object) => call('POST', '/tenants', { name: 'Again', ...changes });
  assert.match(refusal(await again({ tenantId }), 409, 'Conflict'), new RegExp(tenantId));
  assert.match(refusal(await again({ domains: ['TAKEN.test'] }), 409, 'Conflict'), /taken\.test/);
  assert.match(refusal(await again({ sellerId: '10000088' }), 409, 'Conflict'), /10000088/);
  const applications = `/tenants/${tenantId}/applications`;
  const { clientId } = body(await call('POST', applications, { name: 'a', role: 'Reader' }), 201);
  const taken = await call('POST', applications, { name: 'b', role: 'Reader', clientId });
  assert.match(refusal(taken, 409, 'Conflict'), new RegExp(String(clientId)));
  const products = `/tenants/${tenantId}/products`;
  body(await call('POST', products, { kind: 'app', id: '9NBLGGGZ5QDR', name: 'A' }), 201);
  const same = await call('POST', products, { kind: 'app', id: '9nblgggz5qdr', name: 'B' });
  assert.match(refusal(same, 409, 'Conflict'), /9nblgggz5qdr/);
});

test('applications: create, list, show, change, delete', async () => {
  const applications = `/tenants/${await newTenant()}/applications`;
  const made = body(await call('POST', applications, { name: 'back end', role: 'Ingestor' }), 201);
  assert.deepEqual(Object.keys(made), ['clientId', 'name', 'role']);
  const one = `${applications}/${made.clientId}`;
  assert.equal(body(await call('GET', one)).enabled, true);
  assert.equal(body(await call('GET', applications)).value?.length, 1);
  const changed = body(await call('PATCH', one, { name: 'front', role: 'Reader', enabled: false }));
  assert.deepEqual([changed.name, changed.role, changed.enabled], ['front', 'Reader', false]);
  assert.equal((await call('DELETE', one)).status, 204);
  assert.equal(body(await call('GET', applications)).value?.length, 0);
  refusal(await call('PATCH', one, { name: 'x' }), 404, 'NotFound');
});

test('keys: create with and without a body, list without the secret, delete', async () => {
  const applications = `/tenants/${await newTenant()}/applications`;
  const { clientId } = body(await call('POST', applications, { name: 'a', role: 'Reader' }), 201);
  const keys = `${applications}/${clientId}/keys`;
  const made = body(await call('POST', keys), 201);
  assert.deepEqual(Object.keys(made), ['keyId', 'clientSecret', 'expiresAt']);
  assert.match(String(made.clientSecret), /^[A-Za-z0-9]{43}$/);
  const given = { clientSecret: 'a-secret-that-was-issued-elsewhere', expiresInDays: 30 };
  const moved = body(await call('POST', keys, given), 201);
  assert.equal(moved.clientSecret, given.clientSecret);
  assert.ok(Math.abs(Date.parse(String(moved.expiresAt)) - Date.now() - 30 * 86_400_000) < 60_000);

  const listed = await call('GET', keys);
  assert.equal(body(listed).value?.length, 2);
  assert.doesNotMatch(listed.text, new RegExp(`${made.clientSecret}|${given.clientSecret}`));
  assert.equal(body(await call('GET', `${keys}/${made.keyId}`)).keyId, made.keyId);
  assert.equal((await call('DELETE', `${keys}/${made.keyId}`)).status, 204);
  refusal(await call('GET', `${keys}/${made.keyId}`), 404, 'NotFound');

  const short = refusal(await call('POST', keys, { clientSecret: 'short' }), 400, 'InvalidBody');
  assert.match(short, /clientSecret .* 32 to 256 characters/);
  assert.doesNotMatch(server.logged.join(''), /a-secret-that-was-issued-elsewhere/);
});

test('products: one, many as NDJSON, lists in both forms, change, delete', async () => {
  const products = `/tenants/${await newTenant()}/products`;
  const made = body(await call('POST', products, { kind: 'app', name: 'Contoso Demo' }), 201);
  assert.match(String(made.id), /^9[A-Z0-9]{11}$/);
  const many = [
    { kind: 'addon', id: '9COINS000001', parentId: made.id, name: 'Coins' },
    { kind: 'driver', id: '12345678901234567', name: 'Mouse' },
  ];
  const lines = many.map((product) => `${JSON.stringify(product)}\n`).join('');
  assert.equal(body(await call('POST', products, lines), 201).value?.length, 2);

  assert.equal(body(await call('GET', products)).value?.length, 3);
  const streamed = await call('GET', products, undefined, { accept: 'application/x-ndjson' });
  assert.match(streamed.headers.get('content-type') ?? '', /^application\/x-ndjson/);
  const ids = streamed.text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Body).id);
  assert.deepEqual(ids.sort(), ['12345678901234567', '9COINS000001', made.id].sort());

  const one = `${products}/${String(made.id).toLowerCase()}`;
  assert.equal(body(await call('PATCH', one, { name: 'Contoso Player' })).name, 'Contoso Player');
  assert.equal(body(await call('GET', one)).name, 'Contoso Player');
  assert.match(refusal(await call('DELETE', one), 409, 'Conflict'), /9COINS000001/);
  assert.equal((await call('DELETE', `${products}/9COINS000001`)).status, 204);
  assert.equal((await call('DELETE', one)).status, 204);
});

test('a bad line refuses the whole list and is named', async () => {
  const products = `/tenants/${await newTenant()}/products`;
  const good = '{"kind":"app","id":"A1","name":"A"}\n';
  const syntax = refusal(await call('POST', products, `${good}{"kind":`), 400, 'InvalidBody');
  assert.match(syntax, /^Line 2 is not JSON/);
  const kind = refusal(await call('POST', products, `${good}{"kind":"game","name":"B"}`), 400, 'InvalidBody');
  assert.match(kind, /^Line 2: kind is "game"; expected one of app, addon, desktop, driver/);
  assert.equal(body(await call('GET', products)).value?.length, 0);
});

test('bodies that cannot be read are refused with what would be right', async () => {
  const post = (text: string, type: string | undefined) =>
    call('POST', '/tenants', text, { 'content-type': type ?? '' });
  assert.match(refusal(await post('{"name":', 'application/json'), 400, 'InvalidBody'), /body is not JSON/);
  assert.match(refusal(await post('', 'application/json'), 400, 'InvalidBody'), /body is empty/);
  assert.match(
    refusal(await post('name=x', 'application/x-www-form-urlencoded'), 415, 'UnsupportedMediaType'),
    /'application\/x-www-form-urlencoded'; expected application\/json/,
  );
  const wrong = { name: 'x', colour: 'red' };
  assert.match(refusal(await call('POST', '/tenants', wrong), 400, 'InvalidBody'), /Unknown field 'colour'/);
  assert.match(
    refusal(await call('POST', '/tenants', { name: 'x', sellerId: 7 }), 400, 'InvalidBody'),
    /sellerId is 7; expected 8 digits/,
  );
  const large = await post(`{"name":"${'x'.repeat(1_100_000)}"}`, 'application/json');
  assert.match(refusal(large, 413, 'PayloadTooLarge'), /1 MiB/);
  const gzip = await call('POST', '/tenants', { name: 'x' }, { 'content-encoding': 'gzip' });
  refusal(gzip, 415, 'UnsupportedMediaType');
});

test('unknown paths are 404, other methods 405 with Allow', async () => {
  assert.equal((await call('GET', '/nothing')).status, 404);
  const put = await call('PUT', '/tenants', {});
  assert.equal(put.status, 405);
  assert.match(put.headers.get('allow') ?? '', /GET.*POST/);
});

test('requests that came through a proxy are refused before the key is looked at, unless admin-remote', async () => {
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via']) {
    const answer = await call('GET', '/tenants', undefined, { [name]: '203.0.113.9' });
    assert.match(refusal(answer, 403, 'Forbidden'), new RegExp(`'${name.toLowerCase()}'.*--admin-remote`));
  }
  const metrics = await server.request('/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } });
  assert.equal(metrics.status, 403);
});

test('a new operator key ends the old one and stands in the file, readable for its owner alone', async () => {
  const old = await server.operatorKey();
  const made = body(await call('POST', '/operator-key/rotate'));
  const file = String(made.operatorKeyFile);
  assert.equal((await readFile(file, 'utf8')).trim(), made.operatorKey);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const answer = await server.request(`${base}/tenants`, { headers: { authorization: `Bearer ${old}` } });
  refusal(answer, 401, 'OperatorKeyInvalid');
  assert.equal((await call('GET', '/tenants')).status, 200);
});

test('a new signing key signs, and tokens of the old one stay valid', async () => {
  const account = await server.account({ products: [{ kind: 'app', id: 'A1', name: 'A' }] });
  const { kid } = body(await call('POST', '/signing-keys/rotate'));
  const keys = (await server.request('/common/discovery/keys')).json as { keys: readonly { kid: string }[] };
  assert.ok(keys.keys.some((key) => key.kid === kid));
  assert.equal((await account.get('/v1.0/my/analytics/appacquisitions?applicationId=A1')).status, 200);
});

test('every call leaves an audit line', async () => {
  const tenantId = await newTenant();
  await call('DELETE', `/tenants/${tenantId}`);
  await call('DELETE', `/tenants/${tenantId}`);
  await server.request(`${base}/tenants/${tenantId}`);
  const lines = body(await call('GET', '/audit')).value ?? [];
  const action = `DELETE ${base}/tenants/:tenantId`;
  assert.deepEqual(
    lines.slice(0, 4).map((line) => [line.actor, line.action, line.target, line.outcome, line.address]),
    [
      ['unknown', `GET ${base}/tenants/:tenantId`, tenantId, 'operator-key-invalid', '127.0.0.1'],
      ['operator', action, tenantId, 'not-found', '127.0.0.1'],
      ['operator', action, tenantId, 'ok', '127.0.0.1'],
      ['operator', `POST ${base}/tenants`, tenantId, 'ok', '127.0.0.1'],
    ],
  );
});
