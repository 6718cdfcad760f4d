/** Codings of report pages and what the answers say about their time, over HTTP as it is on the wire. */
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, request } from 'node:http';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const large = `/v1.0/my/analytics/installs?applicationId=${app}&startDate=2026-02-01&endDate=2026-02-28&groupby=market`;
const little = `${large}&top=3`;
let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now: Date.parse('2026-03-01T12:00:00Z') });
  account = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
  const rows = Array.from({ length: 300 }, (_, index) => ({
    timestamp: `2026-02-${String(1 + (index % 28)).padStart(2, '0')}T08:00:00Z`,
    applicationId: app,
    market: String.fromCharCode(65 + (index % 26), 65 + (index % 25)),
  }));
  await account.ingest('installs', rows);
});
after(() => server.close());

interface Raw {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Unlike fetch this decodes nothing and adds no Accept-Encoding. */
function raw(target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const all = { authorization: `Bearer ${account.token}`, ...headers };
    const outgoing = request(`${server.url}${target}`, { method, headers: all }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject).end();
  });
}

test('a large page comes in the coding that the client prefers, with its length, and holds the same bytes', async () => {
  const plain = await raw(large);
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.headers.vary, 'Accept, Accept-Encoding');
  assert.equal(plain.headers['content-length'], String(plain.body.length));
  assert.ok(plain.body.length > 10_000);
  for (const [accepted, coding, decode] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['br;q=0.2, gzip;q=0.9', 'gzip', gunzipSync],
  ] as const) {
    const packed = await raw(large, { 'accept-encoding': accepted });
    assert.equal(packed.headers['content-encoding'], coding);
    assert.equal(packed.headers.vary, 'Accept, Accept-Encoding');
    assert.equal(packed.headers['transfer-encoding'], undefined);
    assert.equal(packed.headers['content-length'], String(packed.body.length));
    assert.ok(packed.body.length * 5 < plain.body.length, `${packed.body.length} of ${plain.body.length}`);
    assert.deepEqual(decode(packed.body), plain.body);
    const head = await raw(large, { 'accept-encoding': accepted }, 'HEAD');
    assert.equal(head.body.length, 0);
    for (const name of ['content-encoding', 'content-length', 'content-type', 'vary']) {
      assert.equal(head.headers[name], packed.headers[name], name);
    }
  }
});

test('small answers and errors stay as they are', async () => {
  const packed = await raw(little, { 'accept-encoding': 'br, gzip' });
  assert.equal(packed.headers['content-encoding'], undefined);
  assert.equal(packed.headers.vary, 'Accept, Accept-Encoding');
  assert.deepEqual(packed.body, (await raw(little)).body);
  const refused = await raw(`${large}&top=0`, { 'accept-encoding': 'br, gzip' });
  assert.equal(refused.status, 400);
  assert.equal(refused.headers['content-encoding'], undefined);
});

test('the API description is compressed, too', async () => {
  const plain = await raw('/openapi.json');
  const packed = await raw('/openapi.json', { 'accept-encoding': 'gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.deepEqual(gunzipSync(packed.body), plain.body);
});

test('answers and metrics say where the time went', async () => {
  const { headers } = await raw(`${large}&top=7`);
  const parts = String(headers['server-timing']).split(', ');
  assert.deepEqual(
    parts.map((part) => part.split(';dur=')[0]),
    ['parse', 'plan', 'queue', 'engine', 'render'],
  );
  const times = new Map(parts.map((part) => part.split(';dur=') as [string, string]));
  for (const [stage, time] of times) assert.match(time, /^\d+\.\d$/, stage);
  assert.ok(Number(times.get('engine')) > 0);
  const { metrics } = server.app.parts;
  const lines = (await metrics.text()).split('\n');
  for (const stage of times.keys()) {
    const name = `storelens_report_stage_duration_seconds_count{stage="${stage}"}`;
    const line = lines.find((one) => one.startsWith(name));
    assert.ok(Number(line?.slice(name.length)) >= 1, `${stage}: ${line}`);
  }
});
