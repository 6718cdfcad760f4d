/** What the client does when the service fails, falls silent, hangs up, contradicts itself or lays traps. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import {
  AuthenticationError,
  type Client,
  ConnectionError,
  type Moved,
  ProtocolError,
  RateLimitError,
  type RequestOptions,
  ResultMovedError,
  type Retry,
  ServiceError,
  StorelensError,
} from '@storelens/client';
import {
  clientOf,
  clientSecret,
  cut,
  type HostileServer,
  hang,
  json,
  page,
  stall,
  startHostileServer,
  type TestClock,
  testClock,
  tokenNumber,
} from './hostile-server.js';

let server: HostileServer;
let clock: TestClock;
let client: Client;
let retries: Retry[];

beforeEach(async () => {
  server = await startHostileServer();
  clock = testClock();
  retries = [];
  client = clientOf(server, { clock, onRetry: (retry) => retries.push(retry) });
});

afterEach(() => server.close());

const what = ['ratings', { applicationId: 'A' }] as const;
const numbers = async (rows: AsyncIterable<object>) => {
  const list: unknown[] = [];
  for await (const row of rows) list.push((row as { n: unknown }).n);
  return list;
};
const link = (n: number) => `ratings?applicationId=A&skip=${n}`;

/** The error that a promise rejects with, which has to be of a class. */
async function failure<Family extends StorelensError>(
  promise: Promise<unknown>,
  family: new (...args: never[]) => Family,
): Promise<Family> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof family, inspect(error));
  assert.ok(error instanceof StorelensError && error instanceof Error);
  return error;
}

test('401 in mid-run: one new token, and the run goes on where it was', async () => {
  server.script(page(1, link(1)), json({}, 401), page(2, link(2)), page(3));
  assert.deepEqual(await numbers(client.rows(...what)), [1, 2, 3]);
  assert.equal(server.granted, 2);
  assert.deepEqual(
    server.seen.map((request) => request.authorization),
    [1, 1, 2, 2].map((n) => `Bearer ${tokenNumber(n)}`),
  );
  assert.deepEqual(clock.waits, []);
});

test('401 again and again: the second one is final', async () => {
  server.script(json({ innererror: { code: 'AuthenticationTokenInvalid', data: ['No.'] } }, 401));
  const error = await failure(client.page(...what), AuthenticationError);
  assert.deepEqual([error.status, error.code, error.data], [401, 'AuthenticationTokenInvalid', ['No.']]);
  assert.deepEqual([server.granted, server.seen.length], [2, 2]);
});

test('429 with Retry-After: waits as long as asked, and a little more', async () => {
  const ahead = (seconds: number) => new Date(clock.time + 3_600_000 + seconds * 1000).toUTCString();
  server.script(
    json({}, 429, { 'retry-after': '30' }),
    json({}, 429, { 'retry-after': ahead(60), date: ahead(0) }),
    json({}, 429, { 'retry-after': 'soon' }),
    json({}, 503, { 'retry-after': '-5' }),
    page(1),
  );
  assert.equal((await client.page(...what)).rows.length, 1);
  // The date lies 60 seconds ahead by the clock of the service, an hour fast; jitter is half a second, backoff 2 and 4 and 8.
  assert.deepEqual(clock.waits, [30_500, 60_500, 3000, 6000]);
  assert.deepEqual(
    retries.map(({ attempt, error }) => [attempt, error.name]),
    [
      [1, 'RateLimitError'],
      [2, 'RateLimitError'],
      [3, 'RateLimitError'],
      [4, 'ServiceError'],
    ],
  );
});

test('429 with a wait beyond all bounds: gives up and says how long', async () => {
  server.script(json({}, 429, { 'retry-after': '86400' }));
  const error = await failure(client.page(...what), RateLimitError);
  assert.equal(error.retryAfter, 86_400_000);
  assert.equal(server.seen.length, 1);
});

test('429 holds back all calls of the client, not only the one that was told', async () => {
  let other: Promise<unknown> | undefined;
  const held = clientOf(server, {
    clock,
    onRetry: () => {
      other = held.page(...what);
    },
  });
  server.script(json({}, 429, { 'retry-after': '100' }), page(1));
  await held.page(...what);
  await other;
  assert.equal(server.seen.length, 3);
  assert.deepEqual(clock.waits, [100_500, 100_500]);
});

test('500: tries again with growing waits, then says so', async () => {
  server.script(json({ innererror: { data: ['It broke.'] } }, 500, { 'x-ms-request-id': 'abc' }));
  const error = await failure(client.page(...what), ServiceError);
  assert.deepEqual([error.status, error.requestId, error.data], [500, 'abc', ['It broke.']]);
  assert.match(error.message, /It broke\./);
  assert.equal(server.seen.length, 6);
  assert.deepEqual(clock.waits, [750, 1500, 3000, 6000, 12_000]);
});

test('500 with a page of HTML, then 501: the first may pass, the second does not', async () => {
  server.script(json('<html>Oops</html>', 502), json({}, 501));
  assert.equal((await failure(client.page(...what), ServiceError)).status, 501);
  assert.equal(server.seen.length, 2);
});

for (const [name, behaviour] of [
  ['hangs before it answers', hang],
  ['stalls in the middle of a body', stall],
] as const) {
  test(`${name}: patience ends, and another attempt follows`, async () => {
    server.script(behaviour, page(1));
    const arrival = server.arrival().then(() => server.arrival());
    const asked = client.page(...what);
    await arrival;
    // Patience begins before the request does, and anew with its headers: end it until the client has noticed.
    while (retries.length === 0) {
      clock.expire();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await asked).rows.length, 1);
    const [retry] = retries;
    assert.ok(retry?.error instanceof ConnectionError && retry.error.code === 'timeout');
  });
}

for (const how of ['length', 'chunks'] as const) {
  test(`cuts a body (${how}): no half of it is believed`, async () => {
    server.script(cut(how), page(1));
    assert.deepEqual(await numbers(client.rows(...what)), [1]);
    server.script(cut(how));
    const error = await failure(client.page(...what), ConnectionError);
    assert.match(error.message, /^127\.0\.0\.1:\d+ cannot be reached, or hung up/);
  });
}

test('nobody listens: a ConnectionError that names the host', async () => {
  const { url } = server;
  await server.close();
  const error = await failure(client.page(...what), ConnectionError);
  assert.equal(error.code, 'ECONNREFUSED');
  assert.ok(error.message.includes(new URL(url).host));
  server = await startHostileServer();
});

test('a total that moves between pages: ignored, told or thrown, as asked', async () => {
  const moving = () =>
    server.script(page(1, link(1), 3), page(2, link(2), 3), page(3, link(3), 4), page(4, null, 4));
  moving();
  assert.deepEqual(await numbers(client.rows(...what)), [1, 2, 3, 4]);

  moving();
  const moves: Moved[] = [];
  assert.deepEqual(
    await numbers(client.rows(...what, { moved: (moved) => moves.push(moved) })),
    [1, 2, 3, 4],
  );
  assert.deepEqual(
    moves.map(({ before, after }) => [before.total, after.total]),
    [[3, 4]],
  );

  moving();
  const error = await failure(numbers(client.rows(...what, { moved: 'throw' })), ResultMovedError);
  assert.match(error.message, /3 rows became 4/);
});

test('fresher data between pages is a move, and so is a page that comes back empty', async () => {
  const fresh = (stamp: string, next: string | null) =>
    json({ Value: [{ n: 1 }], '@nextLink': next, TotalCount: 2, DataFreshnessTimestamp: stamp });
  server.script(fresh('2022-07-29T08:42:00', link(1)), fresh('2022-07-30T08:42:00', null));
  await failure(numbers(client.rows(...what, { moved: 'throw' })), ResultMovedError);
  server.script(page(1, link(1)), json(''));
  await failure(numbers(client.rows(...what, { moved: 'throw' })), ResultMovedError);
});

test('links that lead elsewhere are not followed, and nobody there learns the token', async () => {
  const trap = await startHostileServer();
  trap.script(page(666));
  const port = new URL(server.url).port;
  try {
    for (const next of [
      `${trap.url}/v1.0/my/analytics/ratings`,
      `//${new URL(trap.url).host}/v1.0/my/analytics/ratings`,
      `/\\${new URL(trap.url).host}/v1.0/my/analytics/ratings`,
      `${server.url}@${new URL(trap.url).host}/v1.0/my/analytics/ratings`,
      `https://127.0.0.1:${port}/v1.0/my/analytics/ratings`,
      '/files/v1/anything',
      '../../../tenant/oauth2/token',
      'javascript:alert(1)',
      'http://[',
    ]) {
      server.script(page(1, next));
      const error = await failure(numbers(client.rows(...what)), ProtocolError);
      assert.equal(error.code, 'foreign-link', next);
    }
    assert.equal(trap.seen.length, 0);
  } finally {
    await trap.close();
  }
});

test('every form of link that exists is followed to where it means', async () => {
  const raw =
    "desktop/failurehits?filter=market eq 'US' and x eq 'a%20b'&orderby=date desc&startDate=2018/02/08";
  for (const next of [raw, `/v1.0/my/analytics/${raw}`, `${server.url}/v1.0/my/analytics/${raw}`]) {
    server.seen.length = 0;
    server.script(page(1, next), page(2));
    await numbers(client.rows('desktop/failurehits', { applicationId: 'A' }));
    assert.equal(
      server.seen[1]?.target,
      '/v1.0/my/analytics/desktop/failurehits' +
        '?filter=market%20eq%20%27US%27%20and%20x%20eq%20%27a%20b%27&orderby=date%20desc&startDate=2018/02/08',
    );
  }
});

test('links that go round in a circle end the run', async () => {
  server.script(
    page(1, link(1)),
    page(2, link(2)),
    page(3, link(3)),
    page(4, link(1)),
    page(2, link(2)),
    page(3, link(3)),
  );
  const error = await failure(numbers(client.rows(...what)), ProtocolError);
  assert.equal(error.code, 'circular-link');
  const far = [1, 2, 3, 4, 5, 6, 7].concat(Array.from({ length: 20 }, (_, index) => 5 + (index % 3)));
  server.script(...far.map((n) => page(n, link(n))), page(0));
  await failure(numbers(client.rows(...what)), ProtocolError);
  server.script(page(1, link(1)));
  await failure(numbers(client.rows(...what)), ProtocolError);
});

test('an empty body is a day without rows', async () => {
  for (const body of ['', ' \r\n']) {
    server.script(json(body, 200, { 'content-type': 'text/plain' }));
    assert.deepEqual(await client.page(...what), {
      rows: [],
      total: undefined,
      next: undefined,
      freshness: undefined,
      notices: [],
    });
  }
});

test('a 200 that is no report: text is tried again, JSON of another kind is not', async () => {
  server.script(json('<html>Be right back</html>'), page(1));
  assert.deepEqual(await numbers(client.rows(...what)), [1]);
  for (const body of [{ error: 'Object reference not set' }, 'null', '7', { Value: 'none' }]) {
    server.seen.length = 0;
    server.script(json(typeof body === 'string' ? body : JSON.stringify(body)));
    assert.equal((await failure(client.page(...what), ProtocolError)).code, 'no-rows');
    assert.equal(server.seen.length, 1);
  }
});

test('a redirect of a report is not followed', async () => {
  server.script((_, response) => response.writeHead(302, { location: '/v1.0/my/analytics/installs' }).end());
  assert.equal((await failure(client.page(...what), ProtocolError)).code, 'redirect');
  assert.equal(server.seen.length, 1);
});

test('secrets that the service prints are shown nowhere', async () => {
  const leak = `${clientSecret} ${encodeURIComponent(clientSecret)} ${tokenNumber(1)}`;
  const secrets = leak.split(' ');
  server.script(json({ code: leak, message: leak, innererror: { data: [leak], message: leak } }, 400));
  const error = await failure(client.page(...what), StorelensError);
  assert.deepEqual(error.data, ['*** *** ***']);
  const shown = [
    inspect(error, { depth: 9 }),
    JSON.stringify(error),
    inspect(client, { depth: 9, showHidden: true }),
  ];
  for (const text of shown) for (const secret of secrets) assert.ok(!text.includes(secret), text);

  server.grant = json({ error: 'invalid_client', error_description: leak }, 401);
  const refused = await failure(clientOf(server).page(...what), AuthenticationError);
  assert.ok(!inspect(refused, { depth: 9 }).includes(clientSecret));

  server.grant = json(`{"access_token":"${tokenNumber(9)}", oops`);
  const broken = await failure(clientOf(server).page(...what), ProtocolError);
  assert.ok(!inspect(broken, { depth: 9 }).includes('very-secret'));
});

test('canceling ends a call at once, wherever it is, with the reason of the signal', async () => {
  const reason = new Error('enough');
  await client.token();
  for (const behaviour of [hang, stall]) {
    server.script(behaviour);
    const stop = new AbortController();
    const arrived = server.arrival();
    const asked = client.page(...what, { signal: stop.signal });
    await arrived;
    stop.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
  }
  const stop = new AbortController();
  server.script(json({}, 500));
  const waiting = clientOf(server, { clock, onRetry: () => stop.abort(reason) });
  await assert.rejects(waiting.page(...what, { signal: stop.signal }), (error) => error === reason);
  await assert.rejects(
    client.page(...what, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
});

test('leaving a loop early asks for no further page', async () => {
  server.script(page(1, link(1)), page(2, link(2)));
  for await (const _ of client.rows(...what)) break;
  assert.equal(server.seen.length, 1);
});

test('requests keep their distance, whatever runs at the same time', async () => {
  const starts: number[] = [];
  const paced = clientOf(server, { clock, minInterval: 3300 });
  server.script((request, response) => {
    starts.push(clock.time);
    page(1)(request, response);
  });
  await paced.page(...what);
  const before = clock.waits.length;
  await Promise.all([paced.page(...what), paced.page(...what), paced.page(...what)]);
  assert.equal(starts.length, 4);
  assert.equal(clock.waits.length - before, 3);
  assert.ok(
    clock.waits.every((wait) => wait >= 3300),
    String(clock.waits),
  );
});

test("a request of one's own is repeated when it may be, and a refused one always", async () => {
  const send = (options: RequestOptions) =>
    client.request('/ingest/v1/installs', { method: 'POST', ...options });
  const stream = () => new Blob(['x']).stream();
  const attempts = async (options: RequestOptions, status: number) => {
    server.seen.length = 0;
    server.script(json({}, status), json({ accepted: 1 }));
    const answer = await send(options).catch((error: unknown) => error);
    return [server.seen.length, answer instanceof Response];
  };
  assert.deepEqual(await attempts({ body: 'x' }, 503), [1, false]);
  assert.deepEqual(await attempts({ body: 'x', repeatable: true }, 503), [2, true]);
  assert.deepEqual(await attempts({ body: 'x', headers: { 'Idempotency-Key': '1' } }, 503), [2, true]);
  assert.deepEqual(await attempts({ body: stream, headers: { 'Idempotency-Key': '1' } }, 503), [2, true]);
  assert.deepEqual(await attempts({ body: stream(), headers: { 'Idempotency-Key': '1' } }, 503), [1, false]);
  server.script(json({}, 503));
  await failure(send({ method: 'PUT', body: stream() }), ServiceError);
  assert.deepEqual(await attempts({ method: 'PUT', body: 'x' }, 503), [2, true]);
  assert.deepEqual(await attempts({ body: 'x' }, 401), [2, true]);
  assert.deepEqual(await attempts({ body: stream() }, 401), [1, false]);
});

test("an answer of one's own is watched to its end, and leaves nothing behind at a signal that lasts", async () => {
  const { signal } = new AbortController();
  const ask = () => client.request('/v1.0/my/analytics/installs', { signal });
  for (const finish of [(answer: Response) => answer.json(), async ({ body }: Response) => body?.cancel()]) {
    server.script(json({ Value: [] }));
    const answer = await ask();
    assert.equal(answer.url, `${server.url}/v1.0/my/analytics/installs`);
    await finish(answer);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  }
  server.script((_, reply) => {
    reply.writeHead(200, { 'content-length': 1000 });
    reply.write('four', () => setImmediate(() => reply.destroy()));
  });
  const cut = await ask();
  await assert.rejects(cut.text(), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /did not send its answer to the end/);
    return true;
  });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('canceling one that waits for its turn leaves the turns of the others as they are', async () => {
  const stop = new AbortController();
  const paced = clientOf(server, { clock, minInterval: 1000 });
  server.script(page(1));
  await paced.page(...what);
  const calls = [paced.page(...what), paced.page(...what, { signal: stop.signal }), paced.page(...what)];
  stop.abort(new Error('enough'));
  const results = await Promise.allSettled(calls);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual([server.seen.length, clock.waits.length], [3, 2]);
});
