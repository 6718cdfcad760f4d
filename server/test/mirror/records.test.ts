/** Stacks and crash files that were copied answer to the identifiers that the source gave. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { type MirrorClient, mirrorClient } from './days.js';

const app = '9NBLGGGZ5QDR';
const sibling = '9NBLGGGZ5QDS';
const now = Date.UTC(2026, 2, 20, 12);
const cabId = '1336373323853';
const cabIdHash = '012E33E3-dbc9-b12f-c124-9d9810f05d8b';
const frames = [
  { level: '0', image: 'app.exe', function: 'app!main', offset: '0x25C' },
  { level: '1', image: 'ntdll', function: '', offset: '0x1' },
];

let server: TestServer;
let account: TestAccount;
let client: MirrorClient;

before(async () => {
  server = await startServer({ now, args: ['--crash-quota-mib', '1', '--ingest-queue', '1'] });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: 'Contoso Demo' },
      { kind: 'app', id: sibling, name: 'Contoso Other' },
    ],
  });
  client = mirrorClient(server, account);
});

after(() => server.close());

const ask = (report: string, query: string) => account.get(`/v1.0/my/analytics/${report}?${query}`);

function putFile(path: string, bytes: Uint8Array<ArrayBuffer>) {
  return server.request(`/ingest/v1/mirror/${path}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${account.token}`,
      'content-type': 'application/vnd.ms-cab-compressed',
    },
    body: bytes,
  });
}

test('a copied stack is answered like one of our own, and may be replaced', async () => {
  const path = `stacktrace/${cabId}?applicationId=${app}&date=2026-03-14`;
  const put = (rows: readonly object[]) => client.put(path, JSON.stringify(rows), 'application/json');
  const first = await put(frames.slice(0, 1));
  assert.equal(first.status, 200, first.text);
  const said = (await put(frames)).json as Record<string, unknown>;
  assert.deepEqual(
    { ...said, batch: '' },
    {
      report: 'stacktrace',
      applicationId: app,
      id: cabId,
      batch: '',
      duplicate: false,
    },
  );
  assert.equal(((await put(frames)).json as { duplicate: boolean }).duplicate, true);
  const answer = await ask('stacktrace', `applicationId=${app}&cabId=${cabId}`);
  assert.deepEqual(answer.json, { Value: frames, '@nextLink': null, TotalCount: 2 });
  const other = await ask('stacktrace', `applicationId=${app}&cabId=1`);
  assert.deepEqual((other.json as { Value: unknown }).Value, []);
});

test('the same stack of two products is answered for both', async () => {
  for (const product of [app, sibling]) {
    const path = `stacktrace/77?applicationId=${product}&date=2026-03-14`;
    const put = await client.put(path, JSON.stringify(frames), 'application/json');
    assert.equal(put.status, 200, put.text);
    const answer = await ask('stacktrace', `applicationId=${product}&cabId=77`);
    assert.deepEqual((answer.json as { Value: unknown }).Value, frames);
  }
});

test('a copied file is downloadable, and its failure says so', async () => {
  const row = { date: '2026-03-14 11:12:13', failureHash: 'h', failureName: 'n', cabId };
  const day = await client.put(`failuredetails/2026-03-14?applicationId=${app}`, [row]);
  assert.equal(day.status, 200, day.text);
  const details = async () => {
    const answer = await ask('failuredetails', `applicationId=${app}&failureHash=H&startDate=2026-03-01`);
    return (answer.json as { Value: { cabDownloadable: boolean; date: string; cabId: string }[] }).Value.map(
      ({ cabDownloadable, date, cabId }) => [cabDownloadable, date, cabId],
    );
  };
  assert.deepEqual(await details(), [[false, '2026-03-14 11:12:13', cabId]]);
  const bytes = new Uint8Array([77, 83, 67, 70, 1, 2, 3]);
  const path = `cabdownload/${cabId}?applicationId=${app}&date=2026-03-14`;
  const put = await putFile(path, bytes);
  assert.equal(put.status, 200, put.text);
  assert.equal(((await putFile(path, bytes)).json as { duplicate: boolean }).duplicate, true);
  assert.deepEqual(await details(), [[true, '2026-03-14 11:12:13', cabId]]);
  const download = await ask('cabdownload', `applicationId=${app}&cabId=${cabId}`);
  assert.equal(download.status, 302, download.text);
  const file = await fetch(download.headers.get('location') ?? '');
  assert.deepEqual([file.status, new Uint8Array(await file.arrayBuffer())], [200, bytes]);
  const state = (await client.state(`?report=cabdownload`)).json as {
    days: { day: string; state: string }[];
  };
  assert.deepEqual(
    state.days.map(({ day, state }) => [day, state]),
    [[cabId, 'settled']],
  );
});

test('programmes of the whole account have theirs, and nobody else', async () => {
  const path = `ihvdriver/cabdownload/${cabIdHash}?date=2026-03-14`;
  assert.equal((await putFile(path, new Uint8Array([1]))).status, 200);
  assert.equal((await ask('ihvdriver/cabdownload', `cabIdHash=${cabIdHash}`)).status, 302);
  assert.equal((await ask('hardware/cabdownload', `cabIdHash=${cabIdHash}`)).status, 404);
  const stranger = await server.account();
  const theirs = await stranger.get(`/v1.0/my/analytics/ihvdriver/cabdownload?cabIdHash=${cabIdHash}`);
  assert.equal(theirs.status, 404);
});

test('a file that is still coming takes its place in the queue', async () => {
  const path = (id: number) => `cabdownload/${id}?applicationId=${app}&date=2026-03-14`;
  let send: ReadableStreamDefaultController<Uint8Array> | undefined;
  const slow = server.request(`/ingest/v1/mirror/${path(91)}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${account.token}`,
      'content-type': 'application/vnd.ms-cab-compressed',
    },
    body: new ReadableStream<Uint8Array>({
      start(controller) {
        send = controller;
        controller.enqueue(new Uint8Array([1]));
      },
    }),
    duplex: 'half',
  } as RequestInit);
  const spool = join(server.folder, 'spool');
  while ((await readdir(spool)).every((name) => !name.endsWith('.file'))) await new Promise(setImmediate);
  const refused = await putFile(path(92), new Uint8Array([2]));
  assert.deepEqual([refused.status, refused.headers.get('retry-after') === null], [503, false], refused.text);
  const day = await client.put(`failuredetails/2026-03-13?applicationId=${app}`, []);
  assert.equal(day.status, 503, day.text);
  send?.close();
  assert.equal((await slow).status, 200);
  assert.equal((await putFile(path(92), new Uint8Array([2]))).status, 200);
});

test('what cannot be kept is refused', async () => {
  const path = `cabdownload/2?applicationId=${app}&date=2026-03-14`;
  assert.equal((await putFile(path, new Uint8Array(2 * 1024 * 1024))).status, 413, 'the quota');
  assert.equal((await putFile(path, new Uint8Array())).status, 400);
  assert.equal((await putFile(`cabdownload/2?applicationId=${app}`, new Uint8Array([1]))).status, 400);
  assert.equal(
    (await putFile(`cabdownload/2%2Fx?applicationId=${app}&date=2026-03-14`, new Uint8Array([1]))).status,
    404,
  );
  const stack = (body: string) =>
    client.put(`stacktrace/2?applicationId=${app}&date=2026-03-14`, body, 'application/json');
  assert.equal((await stack('{}')).status, 400);
  assert.equal((await stack('[{"image":1}]')).status, 400);
  assert.equal((await ask('cabdownload', `applicationId=${app}&cabId=2`)).status, 404);
});
