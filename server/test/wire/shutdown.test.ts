/** A server that is told to stop answers what it was asked and waits for nothing else. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startServer } from '../harness.js';

test('a stop waits for requests, and not for connections without one', {
  timeout: 60_000,
}, async (context) => {
  const server = await startServer({ args: ['--shutdown-seconds', '600'] });
  const account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Demo' }] });
  const open = (): Socket => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    context.after(() => socket.destroy());
    return socket;
  };
  const unused = [open(), open()];
  unused[1]?.write('GET /healthz HTTP/1.1\r\nHos');
  const cut = unused.map((socket) =>
    once(
      socket.on('error', () => {}),
      'close',
    ),
  );

  const used = open();
  const ask = (line: string) => `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${account.token}\r\n`;
  const report = `${ask('GET /v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR')}\r\n`;
  used.write(report);
  // The answer tells that the connections before it have arrived.
  await once(used, 'readable');
  const row = JSON.stringify({ timestamp: '2026-01-05T00:00:00Z', applicationId: '9NBLGGGZ5QDR' });
  used.write(
    `${ask('POST /ingest/v1/installs')}Content-Type: application/x-ndjson\r\nContent-Length: ${row.length}\r\n\r\n`,
  );
  await server.request('/healthz');
  const closed = server.close();
  await Promise.all(cut);
  used.write(row);
  const answers = await text(used);
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), Array(2).fill('HTTP/1.1 200'));
  // The sender must not take the connection for one that it can use again.
  assert.match(answers, /connection: close\r\n/i);
  await closed;
});
