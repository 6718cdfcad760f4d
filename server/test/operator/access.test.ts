/** Who may call the operator API: the throttle of wrong keys, and other machines. One server at a time a process. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { startServer, type TestAnswer } from '../harness.js';

const path = '/admin/v1/tenants';

function refusal(answer: TestAnswer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal((answer.json as { innererror: { code: string } }).innererror.code, code);
}

test('after ten wrong keys within a minute the right one has to wait as well', async (context) => {
  const server = await startServer();
  context.after(() => server.close());
  const ask = (authorization?: string) =>
    server.request(path, { headers: authorization === undefined ? {} : { authorization } });
  refusal(await ask(), 401, 'OperatorKeyInvalid');
  const wrong = `Bearer ${'x'.repeat(43)}`;
  for (let count = 1; count < 10; count += 1) refusal(await ask(wrong), 401, 'OperatorKeyInvalid');
  const right = `Bearer ${await server.operatorKey()}`;
  const refused = await ask(right);
  refusal(refused, 429, 'TooManyRequests');
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= 60, String(wait));
  server.setTime(Date.now() + wait * 1000);
  assert.equal((await ask(right)).status, 200);
  const lines = await server.request('/admin/v1/audit', { headers: { authorization: right } });
  const refusals = (lines.json as { value: readonly { outcome: string }[] }).value.filter(
    ({ outcome }) => outcome !== 'ok',
  );
  assert.deepEqual(new Set(refusals.map(({ outcome }) => outcome)), new Set(['operator-key-invalid']));
  assert.equal(refusals.length, 10);
  assert.doesNotMatch(server.logged.join(''), new RegExp(`${right.slice(7)}|x{43}`));
});

const outer = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test('a peer other than loopback is refused even with the key', {
  skip: outer === undefined && 'this machine has no address besides loopback',
}, async (context) => {
  const server = await startServer({ args: ['--host', '0.0.0.0', '--behind-proxy'] });
  context.after(() => server.close());
  const { port } = new URL(server.url);
  const headers = { authorization: `Bearer ${await server.operatorKey()}` };
  assert.equal((await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status, 200);
  const answer = await fetch(`http://${outer}:${port}${path}`, { headers });
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), new RegExp(`comes from ${outer}`));
  assert.equal((await fetch(`http://${outer}:${port}/healthz`)).status, 200);
});

test('with admin-remote, requests through a proxy are answered to those who have the key', async (context) => {
  const server = await startServer({ args: ['--admin-remote'] });
  context.after(() => server.close());
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };
  const headers = { ...forwarded, authorization: `Bearer ${await server.operatorKey()}` };
  assert.equal((await server.request(path, { headers })).status, 200);
  assert.equal((await server.request('/metrics', { headers })).status, 200);
  refusal(await server.request(path, { headers: forwarded }), 401, 'OperatorKeyInvalid');
});

test('behind a proxy the address that it adds counts, not what the caller wrote before it', async (context) => {
  const server = await startServer({ args: ['--admin-remote', '--behind-proxy'] });
  context.after(() => server.close());
  const call = (forwarded: string, key: string) =>
    server.request(path, { headers: { 'x-forwarded-for': forwarded, authorization: `Bearer ${key}` } });
  for (let count = 1; count <= 10; count += 1) {
    refusal(await call(`198.51.100.${count}, 203.0.113.9`, 'wrong'), 401, 'OperatorKeyInvalid');
  }
  refusal(await call('198.51.100.11, 203.0.113.9', 'wrong'), 429, 'TooManyRequests');
  const right = await call('203.0.113.9, 203.0.113.10', await server.operatorKey());
  assert.equal(right.status, 200);
});
