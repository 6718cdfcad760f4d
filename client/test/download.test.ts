/** Downloads: redirects that may be followed and those that may not, cut files, and a file of the real server. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import {
  type Client,
  ConnectionError,
  connect,
  type Download,
  type Lookup,
  NotFoundError,
  ProtocolError,
} from '@storelens/client';
import { startServer } from '@storelens/server/test-harness';
import {
  type Behaviour,
  clientOf,
  type HostileServer,
  json,
  patience,
  startHostileServer,
  testClock,
} from './hostile-server.js';

let server: HostileServer;
let client: Client;

beforeEach(async () => {
  server = await startHostileServer();
  client = clientOf(server);
});

afterEach(() => server.close());

const what = ['cabdownload', { applicationId: 'A', cabId: '1' }] as const;

const redirect = (location: string): Behaviour => json('', 302, { location });
const file = (bytes: string, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  json(bytes, 200, headers);

async function text({ body }: Download): Promise<string> {
  return new Response(body).text();
}

/** A client of a service whose hosts are all played by the one server; what it was asked stands in `asked`. */
function ofHosts(url: string, lookup?: Lookup) {
  const asked: { readonly url: string; readonly token: boolean }[] = [];
  const played = connect({
    tenantId: 't',
    clientId: 'c',
    clientSecret: 's',
    url,
    allowHttp: true,
    ...(lookup === undefined ? {} : { lookup }),
    timeout: patience,
    clock: testClock(),
    fetch: (input, init) => {
      const to = new URL(String(input));
      if (!to.pathname.includes('/oauth2/')) {
        asked.push({ url: to.href, token: new Headers(init?.headers).has('authorization') });
      }
      return fetch(new URL(`${to.pathname}${to.search}`, server.url), init);
    },
  });
  return { played, asked };
}

test('a redirect on the same server is followed without the token', async () => {
  server.script(
    redirect('/files/v1/x.cab?sig=1'),
    file('MSCF', { 'content-disposition': 'attachment; filename="x.cab"' }),
  );
  const answer = await client.download(...what);
  assert.deepEqual([answer.size, answer.fileName], [undefined, 'x.cab']);
  assert.equal(await text(answer), 'MSCF');
  assert.equal(server.seen[0]?.authorization?.startsWith('Bearer '), true);
  assert.deepEqual(server.seen[1], { target: '/files/v1/x.cab?sig=1', authorization: undefined });
});

test('a redirect to another host is followed by https, up to three times, never with the token', async () => {
  const { played, asked } = ofHosts('https://analytics.example');
  const away = redirect('https://files.example/a?sig=secret');
  server.script(away, away, away, file('MSCF'));
  assert.equal(await text(await played.download(...what)), 'MSCF');
  assert.deepEqual(
    asked.map(({ url, token }) => [new URL(url).host, token]),
    [
      ['analytics.example', true],
      ['files.example', false],
      ['files.example', false],
      ['files.example', false],
    ],
  );
  server.script(away);
  await assert.rejects(played.download(...what), (error) => {
    assert.ok(error instanceof ProtocolError && error.code === 'redirects');
    return true;
  });
  assert.equal(asked.length, 8);
});

test('redirects by http, to private addresses or to nowhere are refused and their addresses not shown', async () => {
  for (const location of [
    'http://files.example/a?sig=secret',
    'https://user:secret@files.example/a',
    'https://127.0.0.1/secret',
    'https://169.254.169.254/secret',
    'https://[::ffff:10.0.0.1]/secret',
    'https://localhost/secret',
    'https://metadata.internal/secret',
    'file:///etc/secret',
    'https://[/secret',
  ]) {
    const { played, asked } = ofHosts('https://analytics.example');
    server.script(redirect(location));
    await assert.rejects(played.download(...what), (error) => {
      assert.ok(error instanceof ProtocolError && error.code === 'foreign-redirect', location);
      assert.ok(!error.message.includes('secret'), error.message);
      return true;
    });
    assert.equal(asked.length, 1, location);
  }
});

test('a source on a private address may send to private addresses', async () => {
  const { played } = ofHosts('https://10.0.0.5');
  server.script(redirect('https://10.0.0.6/a'), file('MSCF'));
  assert.equal(await text(await played.download(...what)), 'MSCF');
});

test('a public name at a private address is refused where addresses can be looked up', async () => {
  for (const [addresses, refused] of [
    [['93.184.215.14', '10.0.0.6'], true],
    [['::ffff:127.0.0.1'], true],
    [['fe80::1%eth0'], true],
    [['93.184.215.14', '2606:2800:21f::1'], false],
  ] as const) {
    const looked: string[] = [];
    const { played } = ofHosts('https://analytics.example', async (host) => {
      looked.push(host);
      return host === 'files.example' ? addresses : ['93.184.215.14'];
    });
    server.script(redirect('https://files.example/a'), file('MSCF'));
    const asked = played.download(...what);
    if (refused) await assert.rejects(asked, /leads to a private address \(files\.example\)/);
    else assert.equal(await text(await asked), 'MSCF');
    assert.equal(looked[0], 'files.example');
  }
});

test('a cut file is an error of its reader, whether its length was told or not', async () => {
  for (const headers of [{ 'content-length': '1000' }, {}]) {
    server.script((_, response) => {
      response.writeHead(200, headers);
      response.write('MSCF', () => response.destroy());
    });
    const answer = await client.download(...what);
    await assert.rejects(text(answer), (error) => {
      assert.ok(error instanceof ConnectionError, String(error));
      assert.match(error.message, /did not send its answer to the end/);
      return true;
    });
  }
});

test('a file that is shorter than was said is an error also where fetch does not mind', async () => {
  const short = connect({
    ...{ tenantId: 't', clientId: 'c', clientSecret: 's', url: server.url },
    fetch: async (input) =>
      String(input).includes('/oauth2/')
        ? Response.json({ access_token: 'token' })
        : new Response('MSCF', { headers: { 'content-length': '1000' } }),
  });
  const answer = await short.download(...what);
  assert.equal(answer.size, 1000);
  await assert.rejects(text(answer), /did not send its answer to the end: 4 of 1000 bytes arrived/);
});

test('a file that stops to arrive is an error when patience ends; canceling it hangs up', async () => {
  const clock = testClock();
  const half: Behaviour = (_, response) => {
    response.writeHead(200);
    response.write('MSCF');
  };
  server.script(half);
  const reader = (await clientOf(server, { clock }).download(...what)).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'MSCF');
  const next = reader.read();
  await new Promise((resolve) => setImmediate(resolve));
  clock.expire();
  await assert.rejects(next, (error) => error instanceof ConnectionError && error.code === 'timeout');

  const closed = new Promise<void>((resolve) => {
    server.script((request, response) => {
      request.socket.once('close', () => resolve());
      half(request, response);
    });
  });
  await (await client.download(...what)).body.cancel();
  await closed;
});

test('the signal of a call also ends its file', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  server.script((_, response) => response.writeHead(200).write('MSCF'));
  const reader = (await client.download(...what, { signal: stop.signal })).body.getReader();
  await reader.read();
  stop.abort(reason);
  await assert.rejects(reader.read(), (error) => error === reason);
});

test('names of files lose their folders', async () => {
  for (const [header, wanted] of [
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ['attachment; filename="C:\\x\\y.cab"', 'y.cab'],
    ["attachment; filename=a.cab; filename*=UTF-8''%C3%A4.cab", '\u00e4.cab'],
    ['attachment; filename=".."', undefined],
    ['attachment', undefined],
  ] as const) {
    server.script(file('x', { 'content-disposition': header }));
    const answer = await client.download(...what);
    assert.equal(answer.fileName, wanted);
    await answer.body.cancel();
  }
});

test('from a failure to its file: the whole chain on the real server', async () => {
  const real = await startServer({ now: Date.UTC(2018, 5, 1, 12) });
  try {
    const applicationId = '9NBLGGGZ5QDR';
    const account = await real.account({ products: [{ kind: 'app', id: applicationId, name: 'Contoso' }] });
    const mine = connect({ ...account, url: real.url });
    const dump = await readFile(new URL('../../../server/test/crash-samples/win-av.dmp', import.meta.url));
    const form = new FormData();
    form.append('event', JSON.stringify({ timestamp: '2018-05-31T10:00:00Z', source: 'app', applicationId }));
    form.append('file', new Blob([dump]), 'crash.dmp');
    await mine.request('/ingest/v1/crashes', { method: 'POST', body: form });

    const since = { applicationId, startDate: '2018-05-31', endDate: '2018-05-31' } as const;
    const [hit] = await mine.rows('failurehits', { ...since, groupby: ['failureHash'] }).toArray();
    const failureHash = hit?.failureHash ?? assert.fail('no failure');
    const [detail] = await mine.rows('failuredetails', { ...since, failureHash }).toArray();
    assert.ok(detail?.cabDownloadable);
    const { cabId } = detail;
    const frames = await mine.rows('stacktrace', { applicationId, cabId }).toArray();
    assert.ok(frames.length > 0 && frames[0]?.level === '0');

    const answer = await mine.download('cabdownload', { applicationId, cabId });
    assert.match(answer.fileName ?? '', /\.cab$/);
    const bytes = Buffer.from(await new Response(answer.body).arrayBuffer());
    assert.equal(bytes.toString('latin1', 0, 4), 'MSCF');
    assert.equal(bytes.length, answer.size);
    await assert.rejects(
      mine.download('cabdownload', { applicationId, cabId: '1000000000000' }),
      NotFoundError,
    );
  } finally {
    await real.close();
  }
});
