/** What becomes of `storelens ingest` when somebody presses Ctrl-C. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { placeIn, storelens } from './transcript.js';

test('who stops sending rows is told how it goes on', async (context) => {
  let sending = () => {};
  const sent = new Promise<void>((resolve) => {
    sending = resolve;
  });
  const server = createServer((request, reply) => {
    // A batch is taken and never answered.
    if (request.url?.endsWith('/token')) reply.end('{"access_token":"a.b.c","expires_in":3599}');
    else request.resume().on('end', sending);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'storelens-interrupted-'));
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const { environment } = await placeIn(folder, {
    STORELENS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    STORELENS_TENANT_ID: 'contoso.example',
    STORELENS_CLIENT_ID: 'nightly',
    STORELENS_CLIENT_SECRET: 'secret',
  });
  await writeFile(join(folder, 'rows.ndjson'), '{"market":"US"}\n');
  const child = spawn(process.execPath, [storelens, 'ingest', 'acquisitions', 'rows.ndjson'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (text) => {
    err += text;
  });
  await sent;
  child.kill('SIGINT');
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [null, 'SIGINT']);
  assert.equal(err, 'stopped; the same command goes on where it was: what is stored counts once\n');
});
