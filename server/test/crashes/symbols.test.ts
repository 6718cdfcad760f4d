/** Symbols over HTTP: who may send, list and remove them, in which forms they come, what is refused. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';
import { problems } from '../ingest/posting.js';
import { sample } from './samples.js';

const debugId = '6665FEAE09C7306804147C5669CFDC1E0';
const now = Date.UTC(2024, 1, 29, 12);
const crashme = Buffer.from(sample('crashme.sym'));

const listed = {
  module: 'crashme',
  debugId,
  codeId: 'AEFE6566C709683004147C5669CFDC1E38EE39D8',
  os: 'Linux',
  architecture: 'x86_64',
  bytes: crashme.length,
  functions: 7,
  storedAt: '2024-02-29T12:00:00.000Z',
};

type Call = (method: string, target: string, body?: Buffer | string, headers?: object) => Promise<TestAnswer>;

/** Calls below `/ingest/v1/symbols` with an account's token. */
function caller(server: TestServer, { token }: Pick<TestAccount, 'token'>): Call {
  return (method, target, body, headers = {}) =>
    server.request(`/ingest/v1/symbols${target}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
}

describe('on one server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ now });
  });
  after(() => server.close());

  test('symbols come plain or gzipped, are listed, and removed by id', async () => {
    const call = caller(server, await server.account());
    const forms = [
      [crashme, {}],
      [gzipSync(crashme), { 'content-encoding': 'gzip' }],
      [gzipSync(crashme), { 'content-type': 'application/octet-stream' }],
    ] as const;
    for (const [body, headers] of forms) {
      const sent = await call('POST', '', body, headers);
      assert.deepEqual([sent.status, sent.json], [200, listed], sent.text);
      assert.equal(sent.headers.get('cache-control'), 'no-store');
      assert.deepEqual((await call('GET', '')).json, { value: [listed] });
      const removed = await call('DELETE', `/${debugId.toLowerCase()}`);
      assert.deepEqual([removed.status, removed.text], [204, '']);
      assert.deepEqual((await call('GET', '/')).json, { value: [] });
      const again = await call('DELETE', `/${debugId}`);
      assert.deepEqual(
        [again.status, problems(again)],
        [404, [`There are no symbols with the debug id '${debugId}'.`]],
      );
    }
  });

  test('roles: those who ingest send and remove, readers list; other accounts see nothing', async () => {
    const [manager, other] = [await server.account(), await server.account()];
    const call = caller(server, manager);
    const { tenantId } = manager;
    const as = async (role: string) => {
      const { identity } = server.app.parts;
      const { clientId } = await identity.applications.create(tenantId, { name: role, role });
      const { clientSecret } = await identity.keys.create(tenantId, clientId, {});
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        resource: 'https://manage.devcenter.microsoft.com',
      });
      const { json } = await server.request(`/${tenantId}/oauth2/token`, { method: 'POST', body });
      return caller(server, { token: (json as { access_token: string }).access_token });
    };
    const [reader, ingestor, none] = [await as('Reader'), await as('Ingestor'), await as('Guest')];
    const status = async (answer: Promise<TestAnswer>) => (await answer).status;

    assert.equal(await status(reader('POST', '', crashme)), 403);
    assert.equal(await status(none('POST', '', crashme)), 403);
    assert.equal(await status(ingestor('POST', '', crashme)), 200);
    for (const allowed of [reader, ingestor, call]) assert.equal(await status(allowed('GET', '')), 200);
    assert.equal(await status(none('GET', '')), 403);
    assert.equal(await status(reader('DELETE', `/${debugId}`)), 403);

    const foreign = caller(server, other);
    assert.deepEqual((await foreign('GET', '')).json, { value: [] });
    assert.equal(await status(foreign('DELETE', `/${debugId}`)), 404);
    assert.deepEqual((await call('GET', '')).json, { value: [listed] });
    assert.equal(await status(ingestor('DELETE', `/${debugId}`)), 204);
    assert.equal(await status(server.request('/ingest/v1/symbols')), 401);
  });

  test('the operator sends symbols for a tenant, and the audit says so', async () => {
    const { tenantId } = await server.account();
    const key = await server.operatorKey();
    const headers = { 'storelens-tenant': tenantId };
    const call = caller(server, { token: key });
    assert.equal((await call('POST', '', crashme, headers)).status, 200);
    assert.equal((await call('POST', '', crashme)).status, 401);
    assert.deepEqual((await call('GET', '', undefined, headers)).json, { value: [listed] });
    assert.equal((await call('DELETE', `/${debugId}`, undefined, headers)).status, 204);
    const lines = await server.app.parts.identity.auditLines(3);
    assert.deepEqual(lines.map(({ actor, action, target }) => `${actor} ${action} ${target}`).sort(), [
      `operator DELETE /ingest/v1/symbols/:debugId ${tenantId}/symbols/${debugId}`,
      `operator GET /ingest/v1/symbols ${tenantId}/symbols`,
      `operator POST /ingest/v1/symbols ${tenantId}/symbols`,
    ]);
  });

  test('methods that the addresses do not take are named; datasets keep theirs', async () => {
    const call = caller(server, await server.account());
    for (const [method, target, allow] of [
      ['PUT', '', 'GET, POST'],
      ['GET', `/${debugId}`, 'DELETE'],
      ['POST', `/${debugId}`, 'DELETE'],
    ] as const) {
      const answer = await call(method, target);
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allow], method);
    }
    const dataset = await server.request('/ingest/v1/symbol', { method: 'POST', body: 'x' });
    assert.equal(dataset.status, 404);
    assert.match(dataset.text, /There is no dataset 'symbol'/);
  });

  test('a file that is no symbol file is refused with the line at fault, and stores nothing', async () => {
    const call = caller(server, await server.account());
    const lines = crashme.toString('utf8').split('\n');
    lines[6] = 'FUNC 11b0 nonsense 0 f';
    const bad = await call('POST', '', lines.join('\n'));
    assert.equal(bad.status, 400);
    const error = (bad.json as { innererror: { code: string } }).innererror;
    assert.equal(error.code, 'InvalidSymbols');
    assert.deepEqual(problems(bad), [
      'Line 7: the size of the function is "nonsense"; a hexadecimal number below 2^53 is expected.',
    ]);
    for (const [body, sentence] of [
      ['', /^Line 1: the symbol file is empty/],
      [Buffer.from('\x7fELF\0\0'), /^Line 1: /],
      [Buffer.from(sample('linux-null.dmp')), /^Line 1: /],
    ] as const) {
      const answer = await call('POST', '', body);
      assert.equal(answer.status, 400, answer.text);
      assert.match(problems(answer)[0] ?? '', sentence);
    }
    const broken = await call('POST', '', gzipSync(crashme).subarray(0, 300), { 'content-encoding': 'gzip' });
    assert.deepEqual([broken.status, problems(broken)], [400, ['The body is not valid gzip.']]);
    assert.equal((await call('POST', '', crashme, { 'content-encoding': 'br' })).status, 415);
    assert.deepEqual((await call('GET', '')).json, { value: [] });
  });
});

test('bombs and bodies over the limit are refused', async (context) => {
  const server = await startServer({ now, args: ['--max-body-mib', '1'] });
  context.after(() => server.close());
  const call = caller(server, await server.account());
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const answer = await call('POST', '', bomb);
  assert.deepEqual(
    [answer.status, problems(answer)],
    [413, ['A symbol file may be 200 times as large after decompression as on the wire.']],
  );
  const large = await call('POST', '', Buffer.alloc(2 * 1024 * 1024, 'x'));
  assert.deepEqual([large.status, problems(large)], [413, ['A symbol file may have 1 MiB on the wire.']]);
  assert.deepEqual((await call('GET', '')).json, { value: [] });
});

test('symbols outlive a restart', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-symbols-'));
  context.after(() => rm(folder, { recursive: true }));
  const first = await startServer({ now, folder });
  const account = await first.account();
  const sent = await caller(first, account)('POST', '', crashme);
  await first.close();
  assert.equal(sent.status, 200, sent.text);
  const second = await startServer({ now, folder });
  const listing = await caller(second, account)('GET', '');
  await second.close();
  assert.deepEqual(listing.json, { value: [listed] });
});
