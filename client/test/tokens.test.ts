/** Tokens: one for all, renewed in time, and what happens when the service that grants them is in trouble. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  AuthenticationError,
  ConnectionError,
  connect,
  ProtocolError,
  ServiceError,
} from '@storelens/client';
import {
  clientOf,
  type HostileServer,
  hang,
  json,
  page,
  startHostileServer,
  testClock,
  tokenNumber,
} from './hostile-server.js';

let server: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
  server.script(page(1));
});

afterEach(() => server.close());

const what = ['ratings', { applicationId: 'A' }] as const;

test('calls that run at the same time share one request for a token', async () => {
  const client = clientOf(server);
  await Promise.all(Array.from({ length: 20 }, () => client.page(...what)));
  assert.equal(server.granted, 1);
  assert.equal(server.seen.length, 20);
});

test('a token is renewed before it ends, not after', async () => {
  const clock = testClock();
  const client = clientOf(server, { clock });
  await client.page(...what);
  clock.time += 3_200_000;
  await client.page(...what);
  assert.equal(server.granted, 1);
  clock.time += 100_000;
  await client.page(...what);
  assert.equal(server.granted, 2);
  assert.equal(server.seen.at(-1)?.authorization, `Bearer ${tokenNumber(2)}`);
});

test('short lives, numbers and missing lifetimes are understood', async () => {
  for (const [expires_in, good, over] of [
    [60, 53_000, 2000],
    ['60', 53_000, 2000],
    [undefined, 530_000, 20_000],
  ] as const) {
    const clock = testClock();
    const client = clientOf(server, { clock });
    server.grant = json({ access_token: 'some-token', expires_in });
    const before = server.granted;
    await client.token();
    clock.time += good;
    assert.equal((await client.token()).value, 'some-token');
    assert.equal(server.granted - before, 1, String(expires_in));
    clock.time += over;
    await client.token();
    assert.equal(server.granted - before, 2, String(expires_in));
  }
});

test('a token service in trouble is asked again, a refusal is not', async () => {
  const clock = testClock();
  const client = clientOf(server, { clock });
  const [trouble, grant] = [json({}, 503, { 'retry-after': '7' }), server.grant];
  server.grant = (request, response) => (server.granted < 3 ? trouble : grant)(request, response);
  await client.page(...what);
  assert.deepEqual(clock.waits, [7500, 7500]);

  server.grant = trouble;
  await assert.rejects(clientOf(server).page(...what), ServiceError);

  const before = server.granted;
  server.grant = json(
    { error: 'unauthorized_client', error_description: 'AADSTS700016: No.', error_codes: [700016] },
    400,
  );
  await assert.rejects(clientOf(server).page(...what), (error) => {
    assert.ok(error instanceof AuthenticationError);
    assert.deepEqual(
      [error.status, error.code, error.data],
      [400, 'unauthorized_client', ['AADSTS700016: No.']],
    );
    return true;
  });
  assert.equal(server.granted - before, 1);
});

test('an answer without a usable token is a ProtocolError', async () => {
  for (const answer of [
    {},
    { access_token: 7 },
    { access_token: '' },
    { access_token: 'a\r\nX-Evil: 1' },
    'null',
    '[]',
  ]) {
    server.grant = json(answer);
    await assert.rejects(clientOf(server, { retries: { attempts: 1 } }).page(...what), ProtocolError);
  }
  assert.equal(server.seen.length, 0);
});

test('one of two that wait may leave; the other gets its token; when all leave, the request ends', async () => {
  const client = clientOf(server);
  const first = new AbortController();
  const second = new AbortController();
  server.grant = hang;
  const closed = new Promise<void>((resolve) => {
    server.grant = (request) => request.socket.once('close', () => resolve());
  });
  const arrived = server.arrival();
  const calls = [client.token({ signal: first.signal }), client.token({ signal: second.signal })];
  await arrived;
  first.abort(new Error('first'));
  await assert.rejects(calls[0] ?? assert.fail(), /first/);
  assert.equal(server.granted, 1);
  second.abort(new Error('second'));
  await assert.rejects(calls[1] ?? assert.fail(), /second/);
  await closed;
});

test('secret and token go to https, to this machine, or where they are told to', async () => {
  const options = { tenantId: 't', clientId: 'c', clientSecret: 's' };
  for (const url of [
    'http://analytics.example',
    'http://127.0.0.1.example',
    'ftp://127.0.0.1',
    'https://a/path',
    'a',
  ]) {
    assert.throws(() => connect({ ...options, url }), TypeError, url);
  }
  for (const url of ['https://analytics.example', 'http://localhost:4700', 'http://[::1]:4700'])
    connect({ ...options, url });
  assert.throws(
    () => connect({ ...options, url: 'https://user:password@analytics.example' }),
    (error) => error instanceof TypeError && !error.message.includes('password'),
  );
  connect({ ...options, url: 'http://storelens:4700', allowHttp: true });
  for (const name of Object.keys(options)) {
    assert.throws(() => connect({ ...options, [name]: '' }), new RegExp(`${name} is missing`));
    assert.throws(() => connect({ ...options, [name]: undefined }), TypeError);
  }
});

test('Microsoft is asked unless another server is named', async () => {
  const asked: string[] = [];
  const client = connect({
    tenantId: 'contoso.example',
    clientId: 'c',
    clientSecret: 's',
    retries: { attempts: 1 },
    fetch: async (input) => {
      asked.push(String(input));
      if (asked.length > 1) throw new TypeError('offline');
      return Response.json({ access_token: 'token', expires_in: 3599 });
    },
  });
  await assert.rejects(client.page(...what), ConnectionError);
  assert.deepEqual(asked, [
    'https://login.microsoftonline.com/contoso.example/oauth2/token',
    'https://manage.devcenter.microsoft.com/v1.0/my/analytics/ratings?applicationId=A',
  ]);
});
