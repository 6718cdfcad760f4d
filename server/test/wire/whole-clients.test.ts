/** Clients of whole results that stall, leave or come in crowds, and answers that break off: places are freed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { reports } from '@storelens/contract';
import { createQuery } from '../../src/query/index.js';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const target = `/v1.0/my/analytics/installs?applicationId=${app}&startDate=2026-01-01&endDate=2026-02-28`;
let server: TestServer;
let account: TestAccount;

/** 40,000 rows of 25 MB as CSV. */
function rowsOf(batch: number): object[] {
  return Array.from({ length: 40_000 }, (_, index) => ({
    timestamp: `2026-02-${String(1 + (index % 28)).padStart(2, '0')}T08:00:00Z`,
    applicationId: app,
    packageVersion: `${batch * 40_000 + index}.${'1234567890'.repeat(60)}`,
  }));
}

before(async () => {
  server = await startServer({
    now: Date.parse('2026-03-01T12:00:00Z'),
    args: ['--streams', '1', '--stream-stall-seconds', '1'],
  });
  account = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
  // 50 MB as CSV: more than sockets buffer.
  for (let batch = 0; batch < 2; batch += 1) await account.ingest('installs', rowsOf(batch));
});
after(() => server.close());

function open(accept: string): Socket {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
  socket.write(
    `GET ${target} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\nAuthorization: Bearer ${account.token}\r\n\r\n`,
  );
  return socket;
}

/** A short whole result, which needs the one place that there is. */
async function shortOne(): Promise<number> {
  const answer = await server.request(`${target}&top=5`, {
    headers: { authorization: `Bearer ${account.token}`, accept: 'text/csv' },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.text.split('\n').length - 2;
}

const streams = async () => {
  const answer = await server.app.parts.engine.query({
    account: account.accountId,
    sql: "SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE 'storelens-stream-%'",
    format: 'TSV',
  });
  return Number(Buffer.from(answer).toString());
};

for (const accept of ['text/csv', 'application/vnd.apache.parquet']) {
  test(`a client that leaves in the midst of ${accept} ends the query and frees its place`, async () => {
    const socket = open(accept);
    await once(socket, 'data');
    socket.destroy();
    assert.equal(await shortOne(), 5);
    while ((await streams()) > 0) await setImmediate();
  });
}

test('a client that takes nothing is cut off, and others go on', { timeout: 60_000 }, async () => {
  const socket = open('text/csv');
  await once(socket, 'data');
  socket.pause();
  const next = shortOne();
  // Pages have sessions of their own.
  assert.equal((await account.get(`${target}&top=1`)).status, 200);
  assert.equal(await next, 5, 'once the place was free');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(socket, 'close');
  assert.notEqual(
    Buffer.concat(chunks).subarray(-5).toString(),
    '0\r\n\r\n',
    'not ended as if it were complete',
  );
  assert.ok(server.logged.some((line) => line.includes('a client took no rows for too long')));
});

test('a client that is slow but takes its rows gets all of them', { timeout: 120_000 }, async () => {
  const response = await fetch(`${server.url}${target}`, {
    headers: { authorization: `Bearer ${account.token}`, accept: 'text/csv', 'accept-encoding': 'identity' },
  });
  let lines = 0;
  for await (const chunk of response.body ?? []) {
    for (const byte of chunk) if (byte === 0x0a) lines += 1;
    await setImmediate();
  }
  assert.equal(lines, 80_001);
});

test('what fails while an answer is ended that nobody reads any longer ends nothing else', async () => {
  const { engine, products, ledger, rollups, clock, random, settings } = server.app.parts;
  let ended = false;
  const failing: typeof engine = {
    ...engine,
    stream(query) {
      const pieces = engine.stream(query)[Symbol.asyncIterator]();
      const iterator: AsyncIterator<Uint8Array> = {
        next: () => pieces.next(),
        async return() {
          await pieces.return?.();
          ended = true;
          throw new Error('the disk is gone');
        },
      };
      return { [Symbol.asyncIterator]: () => iterator };
    },
  };
  const linkForm = () => ({ absolute: false, snapshot: true, publicUrl: server.url });
  const parts = { ledger, rollups, clock, random, settings, linkForm };
  const query = createQuery({ engine: failing, ...parts });
  const { accountId, sellerId, clientId: applicationId } = account;
  const owned = await products.of(accountId);
  const scope = { accountId, sellerId, applicationId, products: owned, mayDownload: true };
  const [, rawQuery = ''] = target.split('?');
  const leaving = new AbortController();
  const entry = reports.installs;
  assert.ok(entry);
  const options = { form: 'csv', signal: leaving.signal, has: () => false, rows: true } as const;
  await query.whole(entry, rawQuery, scope, options);
  leaving.abort();
  while (!ended) await setImmediate();
  // A rejection that nobody handles would end a server by now, and fails this test.
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  assert.equal(await shortOne(), 5);
});
