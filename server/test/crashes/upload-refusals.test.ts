/** Crashes that are refused: with a sentence, and without leaving anything behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { rawCab } from './raw-cab.js';
import { sample } from './samples.js';
import { products, refusalOf, send, stored } from './sending.js';

const now = Date.UTC(2026, 10, 23, 9);
const event = { timestamp: '2026-11-22T10:00:00Z', source: 'app', applicationId: products[0].id };
const dump = sample('linux-div.dmp');
const mib = 1024 * 1024;

let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now, args: ['--max-crash-mib', '1', '--max-crash-unpacked-mib', '2'] });
  account = await server.account({ products });
});

after(() => server.close());

/** Files that crashes left in the spool and in the store of files. */
async function leftovers(): Promise<readonly string[]> {
  const below = async (name: string) =>
    (await readdir(join(server.folder, name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  return [...(await below('spool')), ...(await below('files'))];
}

async function refused(crash: Parameters<typeof send>[2], status: number, ...sentences: string[]) {
  const answer = await send(server, account, crash);
  assert.deepEqual(refusalOf(answer), [status, ...sentences]);
  assert.deepEqual(await leftovers(), []);
}

describe('a hostile or damaged file', () => {
  const twoDumps = rawCab({
    folders: [{ blocks: [{ data: Buffer.concat([dump, dump]) }] }],
    files: [
      { name: 'a.dmp', size: dump.length },
      { name: 'b.dmp', size: dump.length, start: dump.length },
    ],
  });
  const cases: readonly (readonly [string, Uint8Array, string | RegExp])[] = [
    ['a bomb', sample('hostile-bomb64.cab'), /unpacks to more than 2097152 bytes|more than 200 to 1/],
    [
      'a name that leads out',
      sample('hostile-traverse.cab'),
      /"\.\.\/\.\.\/evil\.dmp" leads out of its folder/,
    ],
    ['two dumps', twoDumps, 'The cabinet holds 2 minidumps; send one with each crash.'],
    ['half a cabinet', sample('report-mszip.cab').subarray(0, 20_000), /declares \d+ bytes and has 20000/],
    ['half a dump', dump.subarray(0, 900), /outside|ends after/],
    ['a text', Buffer.from('hello'), /^The file is neither a cabinet/],
    ['nothing', Buffer.alloc(0), 'The crash file is empty.'],
  ];
  for (const [title, file, sentence] of cases) {
    it(`is refused: ${title}`, async () => {
      const answer = await send(server, account, { file, event });
      const [status, said = ''] = refusalOf(answer);
      assert.equal(status, 400, answer.text);
      assert.match(answer.text, /InvalidCrashFile/);
      if (typeof sentence === 'string') assert.equal(said, sentence);
      else assert.match(said, sentence);
      assert.deepEqual(await leftovers(), []);
    });
  }
});

describe('a request that does not say what crashed', () => {
  const file = dump;
  it('is refused', async () => {
    await refused(
      { file },
      400,
      "The part 'event' is missing; without it the query says source and applicationId.",
    );
    await refused(
      { file, event, query: '?source=app' },
      400,
      "There is a part 'event' and source in the query; give one of them.",
    );
    await refused(
      { file, query: '?applicationId=1' },
      400,
      'applicationId is given without source; give both, or neither and the part event.',
    );
    await refused(
      { file, query: '?source=web' },
      400,
      "source is 'web'; expected one of app, desktop, driver, ihvdriver, hardware.",
    );
    await refused(
      { file, query: '?src=app' },
      400,
      "Unknown parameter 'src'; expected source and applicationId.",
    );
    await refused({ file, query: '?source=app&source=app' }, 400, 'source is given twice.');
  });

  it('is refused for a bad event, in the words of rows', async () => {
    await refused(
      { file, event: '[]' },
      400,
      "The part 'event' is no JSON object; expected one row of failures.",
    );
    const [status, problem = ''] = refusalOf(await send(server, account, { file, event: '{' }));
    assert.equal(status, 400);
    assert.match(problem, /^The part 'event' is no JSON: /);
    for (const [bad, sentence] of [
      [{ ...event, colour: 'red' }, /colour/],
      [{ ...event, market: 5 }, /market: expected text, got number/],
      [{ ...event, applicationId: 'nobody' }, /applicationId/],
      [{ ...event, timestamp: '2027-01-01T00:00:00Z' }, /timestamp/],
      [{ source: 'desktop', applicationId: products[0].id }, /applicationId/],
      [{ applicationId: products[0].id }, /source/],
    ] as const) {
      const answer = await send(server, account, { file, event: bad });
      const [code, said = ''] = refusalOf(answer);
      assert.equal(code, 400, answer.text);
      assert.match(said, sentence);
    }
    const query = '?source=app&applicationId=nobody';
    assert.match(String(refusalOf(await send(server, account, { file, query }))[1]), /applicationId/);
    assert.deepEqual(await leftovers(), []);
  });
});

describe('a body that is not as it should be', () => {
  const boundary = 'b0undary';
  const type = `multipart/form-data; boundary=${boundary}`;
  const part = (name: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
  const end = `--${boundary}--\r\n`;

  async function post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) {
    const answer = await server.request('/ingest/v1/crashes', {
      method: 'POST',
      headers: { authorization: `Bearer ${account.token}`, 'content-type': type, ...headers },
      body,
    });
    assert.deepEqual(await leftovers(), []);
    return refusalOf(answer);
  }

  it('is refused by what is wrong with its parts', async () => {
    const row = JSON.stringify(event);
    assert.deepEqual(await post(part('event', row) + end), [
      400,
      "The part 'file' is missing: a cabinet (.cab) or a dump (.dmp).",
    ]);
    assert.deepEqual(await post(part('file', 'MDMP') + part('fil', 'x') + end), [
      400,
      "Unknown part 'fil'; expected 'file' and 'event'.",
    ]);
    assert.deepEqual(await post(part('file', 'MDMP') + part('file', 'MDMP') + end), [
      400,
      "The part 'file' is there twice.",
    ]);
    for (const cut of [
      part('event', row),
      part('event', row) + part('file', 'MDMP').slice(0, -4),
      '',
      'no parts',
    ]) {
      const [status, sentence = ''] = await post(cut);
      assert.equal(status, 400);
      assert.match(sentence, /^The body (is not valid multipart|ends within a part)/);
    }
    const [, utf8] = await post(
      Buffer.concat([
        Buffer.from(part('file', 'MDMP')),
        Buffer.from(part('event', '\xff'), 'latin1'),
        Buffer.from(end),
      ]),
    );
    assert.equal(utf8, "The part 'event' is not valid UTF-8.");
  });

  it('is refused by its headers', async () => {
    assert.equal((await post(end, { 'content-type': 'application/json' }))[0], 415);
    assert.deepEqual(await post(end, { 'content-type': 'multipart/form-data' }), [
      400,
      'The content type names no boundary of the parts.',
    ]);
    assert.deepEqual(await post(end, { 'content-encoding': 'gzip' }), [
      415,
      "The content encoding 'gzip' is not supported: a crash is sent as it is.",
    ]);
    assert.equal((await post(end, { 'idempotency-key': 'a b' }))[0], 400);
  });

  it('is refused when it is too large, announced or not', async () => {
    const large = Buffer.alloc(mib + 1, 'M');
    await refused({ file: large, event }, 413, 'A crash file may have 1 MiB.');
    const announced = Buffer.alloc(3 * mib, 'M');
    await refused({ file: announced, event }, 413, 'A crash may have a file of 1 MiB and an event of 1 MiB.');
    await refused(
      { file: dump, event: { ...event, market: 'x'.repeat(mib) } },
      413,
      "The part 'event' may have 1 MiB.",
    );
    const { token } = account;
    const chunked = new ReadableStream({
      pull(controller) {
        controller.enqueue(large);
      },
    });
    const answer = await server.request('/ingest/v1/crashes', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body: chunked,
      duplex: 'half',
    } as RequestInit);
    assert.equal(answer.status, 413, answer.text);
    assert.deepEqual(await leftovers(), []);
  });

  it('leaves nothing when the sender goes away', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      `POST /ingest/v1/crashes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${account.token}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: 1000000\r\n\r\n${part('event', JSON.stringify(event))}` +
        `--${boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n${'M'.repeat(400_000)}`,
    );
    // Small files stay in memory; one of this size is on disk while it comes, and gone with the connection.
    while ((await leftovers()).length === 0) await sleep(5);
    socket.destroy();
    while ((await leftovers()).length > 0) await sleep(5);
  });
});

describe('a caller', () => {
  it('needs the right of the verb', async () => {
    const reader = await server.account({ products, role: 'Reader' });
    const ingestor = await server.account({ products, role: 'Ingestor' });
    assert.deepEqual(refusalOf(await send(server, reader, { file: dump, event })), [
      403,
      "The role 'Reader' may not ingest; it takes Manager or Ingestor.",
    ]);
    const { cabIdHash } = await stored(server, ingestor, { file: dump, event });
    assert.equal((await ingestor.get(`/ingest/v1/crashes/${cabIdHash}`)).status, 403);
    assert.equal((await account.get('/ingest/v1/crashes/none')).status, 404);
    const put = await server.request('/ingest/v1/crashes', { method: 'PUT' });
    assert.equal(put.status, 405);
    assert.equal(put.headers.get('allow'), 'POST');
    assert.equal((await server.request('/ingest/v1/crashes', { method: 'POST' })).status, 401);
  });
});
