/**
 * Real client libraries against a real HTTPS server with a certificate of `storelens dev-cert`: each gets a token
 * and reads a report. Everything runs as users run it: the server and the clients as processes of their own, the
 * tenant made with the command line.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const storelens = fileURLToPath(new URL('../cli/bin/storelens.mjs', import.meta.url));

let folder;
let server;
let certificate;
let given;

/** Runs the command line against the server and returns what it prints as JSON. */
async function operate(...args) {
  const server = [
    '--url',
    given.api,
    '--ca',
    certificate.caFile,
    '--operator-key-file',
    given.operatorKeyFile,
  ];
  const { stdout } = await run(process.execPath, [storelens, ...args, ...server, '--json']);
  return JSON.parse(stdout);
}

/** Posts a batch with the operator key. */
async function ingest(dataset, rows) {
  const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const key = (await readFile(given.operatorKeyFile, 'utf8')).trim();
  const outgoing = request(`${given.api}/ingest/v1/${dataset}`, {
    method: 'POST',
    ca: await readFile(certificate.caFile),
    headers: {
      authorization: `Bearer ${key}`,
      'storelens-tenant': given.tenantId,
      'content-type': 'application/x-ndjson',
    },
  });
  outgoing.end(body);
  const [answer] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  assert.equal(answer.statusCode, 200, text);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-clients-'));
  const made = await run(process.execPath, [storelens, 'dev-cert', '--out', join(folder, 'tls'), '--json']);
  certificate = JSON.parse(made.stdout);
  const tls = ['--tls-cert', certificate.certificateFile, '--tls-key', certificate.keyFile];
  server = spawn(
    process.execPath,
    [storelens, 'serve', '--log-level', 'warn', '--port', '0', '--data', join(folder, 'data'), ...tls],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: server.stdout });
  const [ready] = await Promise.race([
    once(lines, 'line'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ]);
  const { url, operatorKeyFile } = JSON.parse(ready.replace(/^storelens ready /, ''));
  given = { api: url, login: url, operatorKeyFile };
  const { tenantId } = await operate('tenant', 'create', '--name', 'Contoso');
  const application = ['--name', 'client', '--role', 'Manager'];
  const { clientId } = await operate('application', 'create', '--tenant', tenantId, ...application);
  const { clientSecret } = await operate('key', 'create', '--tenant', tenantId, '--application', clientId);
  const product = ['--kind', 'app', '--name', 'Contoso Demo', '--id', '9NBLGGGZ5QDR'];
  const { id } = await operate('product', 'create', '--tenant', tenantId, ...product);
  given = { ...given, tenantId, clientId, clientSecret, applicationId: id };
  await ingest('acquisitions', [{ timestamp: '2016-01-05T10:00:00Z', applicationId: id, market: 'US' }]);
});

after(async () => {
  if (server?.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** Runs a client script that trusts the private authority, and returns the result it gives. */
async function client(script, changes = {}, nodeOptions = []) {
  const { stdout } = await run(process.execPath, [...nodeOptions, join(here, 'clients', script)], {
    timeout: 60_000,
    env: {
      PATH: process.env.PATH,
      NODE_EXTRA_CA_CERTS: certificate.caFile,
      STORELENS_PORT: new URL(given.api).port,
      STORELENS_CLIENT: JSON.stringify({ ...given, ...changes }),
    },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Checks that a report came with the one row that was ingested. */
function assertReport({ status, body }) {
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.TotalCount, 1);
  assert.equal(body.Value[0].applicationName, 'Contoso Demo');
  assert.equal(body.Value[0].market, 'US');
}

/** Checks the life of a token, in seconds, as the library understood it. */
function assertHour(seconds) {
  assert.ok(seconds > 3500 && seconds <= 3600, `${seconds} s`);
}

test('@azure/msal-node', async () => {
  const { report, cached, secondsLeft } = await client('msal-node.mjs');
  assertReport(report);
  assertHour(secondsLeft);
  assert.equal(cached, true);
});

test('@azure/identity', async () => {
  const { report, secondsLeft } = await client('azure-identity.mjs');
  assertReport(report);
  assertHour(secondsLeft);
});

test('adal-node', async () => {
  const { report, tokenType, secondsLeft } = await client('adal-node.cjs');
  assertReport(report);
  assertHour(secondsLeft);
  assert.equal(tokenType, 'Bearer');
});

test('simple-oauth2', async () => {
  const { report, expired } = await client('simple-oauth2.mjs');
  assertReport(report);
  assert.equal(expired, false);
});

test('openid-client', async () => {
  const { report, basic, secondsLeft } = await client('openid-client.mjs');
  assertReport(report);
  assertReport(basic);
  assertHour(secondsLeft);
});

test('oauth4webapi, which also shows why it was refused', async () => {
  const { report, refusal } = await client('oauth4webapi.mjs');
  assertReport(report);
  assert.equal(refusal.error, 'invalid_client');
  assert.equal(refusal.status, 401);
  assert.match(refusal.description, /^AADSTS7000215: /);
});

test('passport-jwt with jwks-rsa accepts our tokens and refuses tampered ones', async () => {
  const { genuine, tampered, unsigned } = await client('passport-jwt.mjs');
  assert.equal(genuine.accepted?.appid, given.clientId, JSON.stringify(genuine));
  assert.equal(genuine.accepted.tid, given.tenantId);
  assert.match(tampered.refused, /invalid signature/);
  assert.ok(unsigned.refused !== undefined, 'a token without signature was accepted');
});

const microsoft = {
  unchanged: true,
  login: 'https://login.microsoftonline.com',
  api: 'https://manage.devcenter.microsoft.com',
};
const resolvedHere = ['--import', new URL('./resolve-here.mjs', import.meta.url).href];

for (const [name, script] of [
  ['@azure/msal-node', 'msal-node.mjs'],
  ['@azure/identity', 'azure-identity.mjs'],
  ['adal-node', 'adal-node.cjs'],
]) {
  test(`${name} without any option, where Microsoft's names lead to the server`, async () => {
    const { report } = await client(script, microsoft, resolvedHere);
    assertReport(report);
  });
}

test('a client that does not trust the authority gets nothing', async () => {
  const distrusting = { ...process.env, STORELENS_CLIENT: JSON.stringify(given), NODE_EXTRA_CA_CERTS: '' };
  const script = join(here, 'clients', 'simple-oauth2.mjs');
  await assert.rejects(
    run(process.execPath, [script], { env: distrusting, timeout: 60_000 }),
    /unable to verify|self.signed certificate/,
  );
});
