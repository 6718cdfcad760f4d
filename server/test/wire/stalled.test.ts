/** Senders that stall hold nothing for long. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startServer, type TestAnswer } from '../harness.js';

test('a body that stops arriving is cut off, and its place in the queue is free again', async (context) => {
  const slow = await startServer({ args: ['--request-seconds', '1', '--ingest-queue', '1'] });
  context.after(() => slow.close());
  const sender = await slow.account({
    products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Demo' }],
  });
  // Half open: this client keeps its side of the connection whatever the server does.
  const socket = connect({ port: Number(new URL(slow.url).port), host: '127.0.0.1', allowHalfOpen: true });
  context.after(() => socket.destroy());
  socket.write(
    `POST /ingest/v1/acquisitions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${sender.token}\r\n` +
      'Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{"timestamp":',
  );
  let text = '';
  for await (const chunk of socket) text += chunk;
  assert.match(text, /^HTTP\/1\.1 400 .*The request did not arrive in time\./s);
  const row = { timestamp: new Date().toISOString(), applicationId: '9NBLGGGZ5QDR' };
  let answer: TestAnswer;
  do {
    answer = await slow.request('/ingest/v1/acquisitions', {
      method: 'POST',
      headers: { authorization: `Bearer ${sender.token}`, 'content-type': 'application/json' },
      body: JSON.stringify([row]),
    });
  } while (answer.status === 503);
  assert.equal(answer.status, 200, answer.text);
});
