import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock, systemRandom } from '../system.js';
import { certificateNames, type DevCertRequest, makeDevCert } from './dev-cert.js';

async function requestIn(
  context: TestContext,
  changes: Partial<DevCertRequest> = {},
): Promise<DevCertRequest> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-cert-'));
  context.after(() => rm(folder, { recursive: true }));
  return {
    folder: join(folder, 'tls'),
    hosts: [],
    days: 30,
    hostName: 'build-7',
    clock: systemClock,
    random: systemRandom,
    ...changes,
  };
}

/** Serves HTTPS with a certificate and returns a function that asks it under a name. */
async function serve(context: TestContext, certificateFile: string, keyFile: string) {
  const server = createServer(
    { cert: await readFile(certificateFile), key: await readFile(keyFile) },
    (_request, response) => response.end('hello'),
  );
  context.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return (servername: string, ca: string | undefined) =>
    new Promise<string>((resolve, reject) => {
      // An empty name is not sent as SNI; the certificate is then compared with the address itself.
      const options = servername === '127.0.0.1' ? {} : { servername, headers: { host: servername } };
      const call = request({ host: '127.0.0.1', port, ca, agent: false, ...options }, (response) =>
        response.setEncoding('utf8').on('data', resolve),
      );
      call.on('error', reject).end();
    });
}

test('clients that trust the authority accept every name over TLS, others refuse', async (context) => {
  const made = await makeDevCert(
    await requestIn(context, { hosts: ['analytics.contoso.test', '*.apps.test', '10.1.2.3'] }),
  );
  assert.deepEqual(made.names, [
    ...certificateNames,
    'build-7',
    'analytics.contoso.test',
    '*.apps.test',
    '10.1.2.3',
  ]);
  const ask = await serve(context, made.certificateFile, made.keyFile);
  const ca = await readFile(made.caFile, 'utf8');
  for (const name of [
    'localhost',
    'login.microsoftonline.com',
    'manage.devcenter.microsoft.com',
    'build-7',
  ]) {
    assert.equal(await ask(name, ca), 'hello', name);
  }
  assert.equal(await ask('analytics.contoso.test', ca), 'hello');
  assert.equal(await ask('x.apps.test', ca), 'hello');
  assert.equal(await ask('127.0.0.1', ca), 'hello');
  await assert.rejects(ask('elsewhere.test', ca), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  await assert.rejects(ask('localhost', undefined), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

test('the authority of a folder is used again: its clients trust the next certificate', async (context) => {
  const asked = await requestIn(context);
  const first = await makeDevCert(asked);
  const ca = await readFile(first.caFile, 'utf8');
  const second = await makeDevCert({ ...asked, hosts: ['later.test'] });
  assert.equal(first.reusedAuthority, false);
  assert.equal(second.reusedAuthority, true);
  assert.equal(await readFile(second.caFile, 'utf8'), ca);
  const ask = await serve(context, second.certificateFile, second.keyFile);
  assert.equal(await ask('later.test', ca), 'hello');
});

test('keys are readable by their owner alone, also where a wider file was', async (context) => {
  const asked = await requestIn(context);
  const made = await makeDevCert(asked);
  await chmod(made.keyFile, 0o644);
  await makeDevCert(asked);
  for (const file of ['server-key.pem', 'ca-key.pem']) {
    assert.equal((await stat(join(asked.folder, file))).mode & 0o777, 0o600, file);
  }
  assert.equal((await stat(asked.folder)).mode & 0o777, 0o700);
});

test('requests that cannot be fulfilled are refused with the value and what would be right', async (context) => {
  const asked = await requestIn(context);
  await assert.rejects(
    makeDevCert({ ...asked, hosts: ['https://a.test'] }),
    /host 'https:\/\/a\.test' is not a host/,
  );
  await assert.rejects(makeDevCert({ ...asked, hosts: ['a.test:4700'] }), /without scheme, port/);
  await assert.rejects(makeDevCert({ ...asked, days: 826 }), /days is 826; expected .* from 1 to 825/);
  const made = await makeDevCert(asked);
  await writeFile(made.caFile, await readFile(made.certificateFile));
  await assert.rejects(makeDevCert(asked), /not a pair made by dev-cert/);
  await rm(made.caFile);
  await assert.rejects(makeDevCert(asked), /has ca-key\.pem but not ca\.pem/);
});

test('a certificate does not outlive its authority', async (context) => {
  const asked = await requestIn(context);
  const { expiresAt } = await makeDevCert(asked);
  assert.ok(Math.abs(expiresAt.getTime() - Date.now() - 30 * 86_400_000) < 60_000);
  const nineYears = { now: () => Date.now() + 3640 * 86_400_000 };
  const late = await makeDevCert({ ...asked, clock: nineYears });
  assert.ok(late.expiresAt.getTime() <= Date.now() + 3650 * 86_400_000);
  const afterwards = { now: () => Date.now() + 3651 * 86_400_000 };
  await assert.rejects(makeDevCert({ ...asked, clock: afterwards }), /authority in .* ends on/);
});
