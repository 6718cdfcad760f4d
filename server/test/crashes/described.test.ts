/** What the server answers on crashes is what its OpenAPI description says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { sample } from './samples.js';

const app = '9NBLGGGZ5QDR';
const desktop = '10238467886765136388';
let server: TestServer;
let account: TestAccount;
let document: unknown;

before(async () => {
  server = await startServer({ now: new Date('2018-05-15T12:00:00Z') });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'desktop', id: desktop, name: 'Contoso Tools' },
    ],
  });
  document = (await server.request('/openapi.json')).json;
});
after(() => server.close());

/** The schema at a path of the description. */
function schemaAt(...keys: readonly string[]): AnySchemaObject {
  let value = document;
  for (const key of keys) {
    assert.ok(typeof value === 'object' && value !== null, keys.join(' '));
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  assert.ok(typeof value === 'object' && value !== null, keys.join(' '));
  return value;
}

function conforms(value: unknown, schema: AnySchemaObject): void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  const validate = ajv.compile(schema);
  assert.ok(validate(value), JSON.stringify({ value, errors: validate.errors }, null, 2));
}

const json = ['content', 'application/json', 'schema'];

const detailSchema = () =>
  schemaAt('paths', '/ingest/v1/crashes/{cabIdHash}', 'get', 'responses', '200', ...json);

test('receipt and detail of a crash, with its file', async () => {
  const headers = { authorization: `Bearer ${account.token}` };
  const names: string[] = [];
  for (const file of ['win-av.dmp', 'linux-null.dmp', 'report-stored.cab']) {
    const body = new FormData();
    const event = { source: 'app', applicationId: app, market: 'US', deviceId: 'd-17' };
    conforms(
      event,
      schemaAt(
        ...['paths', '/ingest/v1/crashes', 'post', 'requestBody', 'content', 'multipart/form-data'],
        ...['schema', 'properties', 'event'],
      ),
    );
    body.set('event', JSON.stringify(event));
    body.set('file', new Blob([new Uint8Array(sample(file))]), file);
    const receipt = await server.request('/ingest/v1/crashes', { method: 'POST', headers, body });
    assert.equal(receipt.status, 200, receipt.text);
    conforms(receipt.json, schemaAt('paths', '/ingest/v1/crashes', 'post', 'responses', '200', ...json));
    const { cabIdHash, failureName } = receipt.json as { cabIdHash: string; failureName: string };
    names.push(failureName);
    const detail = await account.get(`/ingest/v1/crashes/${cabIdHash}`);
    assert.equal(detail.status, 200, detail.text);
    conforms(detail.json, detailSchema());
  }
  const expected = 'NULL_POINTER_READ_c0000005_ContosoGame.exe!1820';
  assert.equal(names[0], expected);
  assert.equal(names[2], expected);
});

test('detail of a failure that came as a row', async () => {
  const timestamp = '2018-05-01T09:11:25Z';
  const failureHash = '012e33e3-dbc9-b12f-c124-9d9810f05d8b';
  const frames = [{ image: 'contoso.exe', function: 'Score', offset: 16 }, { image: 'ntdll.dll' }];
  const row = { timestamp, source: 'desktop', applicationId: desktop, failureHash, frames };
  await account.ingest('failures', [row]);
  const query = `applicationId=${desktop}&failureHash=${failureHash}`;
  const page = await account.get(`/v1.0/my/analytics/desktop/failuredetails?${query}`);
  const [listed] = (page.json as { Value: readonly { cabIdHash: string }[] }).Value;
  const detail = await account.get(`/ingest/v1/crashes/${listed?.cabIdHash}`);
  assert.equal(detail.status, 200, detail.text);
  conforms(detail.json, detailSchema());
});

test('symbols, and crashes read again with them', async () => {
  const headers = { authorization: `Bearer ${account.token}` };
  const body = new Uint8Array(sample('crashme.sym'));
  const stored = await server.request('/ingest/v1/symbols', { method: 'POST', headers, body });
  assert.equal(stored.status, 200, stored.text);
  conforms(stored.json, schemaAt('paths', '/ingest/v1/symbols', 'post', 'responses', '200', ...json));
  const all = await account.get('/ingest/v1/symbols');
  conforms(all.json, schemaAt('paths', '/ingest/v1/symbols', 'get', 'responses', '200', ...json));
  const path = '/ingest/v1/crashes/reprocess';
  const narrowed = { source: 'app', applicationId: app, after: null };
  const schema = ['requestBody', 'content', 'application/json', 'schema'];
  conforms(narrowed, schemaAt('paths', path, 'post', ...schema));
  const done = await server.request(path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(narrowed),
  });
  assert.equal(done.status, 200, done.text);
  conforms(done.json, schemaAt('paths', path, 'post', 'responses', '200', ...json));
  assert.deepEqual(done.json, { examined: 3, changed: 1, renamed: 1, next: null });
});
