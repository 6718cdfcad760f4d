/** What the command line does without a server: help, usage errors, certificates, and being told what to check. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { perform, placeIn, replay, shell } from './transcript.js';

async function place(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-cli-'));
  context.after(() => rm(folder, { recursive: true }));
  return placeIn(folder);
}

test('help and usage errors read as documented', async (context) => {
  await replay('help', await place(context));
});

test('every command that the overview lists has a help text', async (context) => {
  const here = await place(context);
  const { out } = await perform(here, 'storelens help');
  const names = [...out.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name]) => name ?? '');
  assert.ok(names.includes('tenant') && names.includes('serve'), out);
  for (const name of names.filter((candidate) => candidate !== 'help')) {
    const help = await perform(here, `storelens ${name} --help`);
    assert.equal(help.code, 0, name);
    assert.equal(help.err, '', name);
    assert.match(help.out, new RegExp(`Usage: storelens ${name}`), name);
  }
});

test('serve --help lists the rows of the settings table', async (context) => {
  const { settingsTable } = await import('@storelens/server/settings');
  const { out } = await shell(await place(context), 'storelens serve --help');
  for (const [name, { help }] of Object.entries(settingsTable)) {
    assert.ok(out.includes(`--${name}`) && out.includes(help), name);
  }
});

test('dev-cert prints files and the next steps', async (context) => {
  const here = await place(context);
  await replay('dev-cert', here, { here: here.folder, machine: hostname().toLowerCase() });
});

test('a server that cannot be called is told with what to check', async (context) => {
  const here = await place(context);
  const plain = createServer((_request, response) => response.end('<html>'));
  context.after(() => plain.close());
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const { port } = plain.address() as AddressInfo;
  await shell(here, 'storelens dev-cert --out tls');
  const secure = createSecureServer({
    cert: await readFile(join(here.folder, 'tls/server.pem')),
    key: await readFile(join(here.folder, 'tls/server-key.pem')),
  });
  context.after(() => secure.close());
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const securePort = (secure.address() as AddressInfo).port;
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const closedPort = (closed.address() as AddressInfo).port;
  closed.close();
  await replay('unreachable', here, {
    plain: String(port),
    secure: String(securePort),
    closed: String(closedPort),
  });
});
