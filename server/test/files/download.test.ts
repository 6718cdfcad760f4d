/** Downloads of crash files as clients make them: the redirect, the signed address, ranges, and every refusal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { type StoredCrash, storeCrash } from './stored-crash.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const minute = 60_000;
const day = 86_400_000;
const appId = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: appId, name: 'Contoso Demo' }] as const;
const content = Buffer.concat([Buffer.from('MSCF'), randomBytes(5000)]);

const cabType = 'application/vnd.ms-cab-compressed';

/** Follows cabdownload as far as the address. */
async function addressOf(account: TestAccount, crash: StoredCrash): Promise<URL> {
  const answer = await account.get(crash.target);
  assert.equal(answer.status, 302, answer.text);
  return new URL(answer.headers.get('location') ?? '');
}

/** Audit lines on downloads, newest first. */
async function audited(server: TestServer) {
  const lines = await server.app.parts.identity.auditLines(1000);
  return lines.filter(({ action }) => /cabdownload|files/.test(action));
}

describe('a download', () => {
  let server: TestServer;
  let account: TestAccount;
  let crash: StoredCrash;
  before(async () => {
    server = await startServer({ now });
    account = await server.account({ products });
    crash = await storeCrash(server, account, appId, now - 3 * day, content);
  });
  after(() => server.close());

  test('is a redirect and a file that is equal byte for byte', async () => {
    const redirect = await account.get(crash.target);
    assert.equal(redirect.status, 302);
    assert.equal(redirect.headers.get('cache-control'), 'no-store');
    const location = redirect.headers.get('location') ?? '';
    assert.ok(location.startsWith(`${server.url}/files/v1/${account.tenantId}/${crash.cabIdHash}.cab?`));
    assert.equal(location.includes(account.accountId), false);
    const response = await fetch(location);
    assert.equal(response.status, 200);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), content);
    const { headers } = response;
    assert.equal(headers.get('content-type'), cabType);
    assert.equal(headers.get('content-disposition'), `attachment; filename="${crash.cabIdHash}.cab"`);
    assert.equal(headers.get('content-length'), String(content.length));
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'private, no-store');
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.equal(headers.get('content-encoding'), null);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(headers.get('set-cookie'), null);
  });

  test('needs no token, and a token that a client sends along is not looked at', async () => {
    const address = await addressOf(account, crash);
    for (const authorization of [`Bearer ${account.token}`, 'Bearer nonsense', 'Basic eDp5', '']) {
      const response = await fetch(address, {
        headers: { authorization, origin: 'https://elsewhere.example' },
      });
      assert.equal(response.status, 200, authorization);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), content);
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
    // fetch of the same origin keeps the header on its way.
    const followed = await fetch(`${server.url}${crash.target}`, {
      headers: { authorization: `Bearer ${account.token}` },
    });
    assert.equal(followed.redirected, true);
    assert.deepEqual(Buffer.from(await followed.arrayBuffer()), content);
  });

  test('works with curl -L, under the name that the server gives', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'storelens-curl-'));
    context.after(() => rm(folder, { recursive: true, force: true }));
    await promisify(execFile)(
      'curl',
      ['-sfLOJ', '-H', `Authorization: Bearer ${account.token}`, `${server.url}${crash.target}`],
      { cwd: folder },
    );
    assert.deepEqual(readdirSync(folder), [`${crash.cabIdHash}.cab`]);
    assert.deepEqual(await readFile(join(folder, `${crash.cabIdHash}.cab`)), content);
  });

  test('can be had in ranges', async () => {
    const address = await addressOf(account, crash);
    const size = content.length;
    const etag = `"${crash.cabIdHash}"`;
    const cases: readonly [headers: Record<string, string>, status: number, start: number, end: number][] = [
      [{ range: 'bytes=0-3' }, 206, 0, 3],
      [{ range: 'bytes=4000-' }, 206, 4000, size - 1],
      [{ range: 'bytes=-10' }, 206, size - 10, size - 1],
      [{ range: `bytes=100-${size * 2}` }, 206, 100, size - 1],
      [{ range: 'bytes=0-3', 'if-range': etag }, 206, 0, 3],
      [{ range: 'bytes=0-3', 'if-range': '"another"' }, 200, 0, size - 1],
      [{ range: 'bytes=0-3,8-9' }, 200, 0, size - 1],
      [{ range: 'bytes=9-3' }, 200, 0, size - 1],
    ];
    for (const [headers, status, start, end] of cases) {
      const what = JSON.stringify(headers);
      const response = await fetch(address, { headers });
      assert.equal(response.status, status, what);
      assert.equal(response.headers.get('content-length'), String(end - start + 1), what);
      const expected = status === 206 ? `bytes ${start}-${end}/${size}` : null;
      assert.equal(response.headers.get('content-range'), expected, what);
      assert.equal(response.headers.get('etag'), etag);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), content.subarray(start, end + 1), what);
    }
    const beyond = await fetch(address, { headers: { range: `bytes=${size}-` } });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers.get('content-range'), `bytes */${size}`);
    assert.match(beyond.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(
      ((await beyond.json()) as { innererror: { code: string } }).innererror.code,
      'RangeNotSatisfiable',
    );
  });

  test('HEAD says what GET would, without a body and without an audit line', async () => {
    const address = await addressOf(account, crash);
    const lines = (await audited(server)).length;
    const response = await fetch(address, { method: 'HEAD', headers: { range: 'bytes=0-3' } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), String(content.length));
    assert.equal(response.headers.get('content-type'), cabType);
    assert.equal((await response.arrayBuffer()).byteLength, 0);
    assert.equal((await audited(server)).length, lines);
    address.searchParams.set('signature', 'x');
    assert.equal((await fetch(address, { method: 'HEAD' })).status, 404);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      assert.equal((await fetch(address, { method })).status, 405, method);
    }
  });

  test('leaves two audit lines that belong together, and no secret in audit or log', async () => {
    // The clock stands: a moment of its own tells the new lines from the others.
    server.setTime(now + minute);
    const address = await addressOf(account, crash);
    const range = await fetch(address, { headers: { range: 'bytes=0-0' } });
    await range.arrayBuffer();
    const lines = (await audited(server)).filter(({ at }) => Date.parse(at) === now + minute);
    assert.equal(lines.length, 2);
    const [first, second] = lines.sort((a, b) => a.action.localeCompare(b.action));
    assert.equal(first?.action, 'GET /files/v1');
    assert.equal(second?.action, 'GET /v1.0/my/analytics/cabdownload');
    assert.equal(second.actor, account.clientId);
    const [file, , mark] = second.target.split(' ');
    assert.equal(file, `${account.tenantId}/${crash.cabIdHash}`);
    assert.equal(first.target, file);
    assert.equal(first.actor, `address ${mark}`);
    assert.deepEqual([first.outcome, second.outcome], ['ok', 'ok']);
    assert.match(first.address, /127\.0\.0\.1|::1/);

    const signature = address.searchParams.get('signature') ?? 'missing';
    assert.equal(signature.length, 43);
    assert.equal(JSON.stringify(lines).includes(signature), false);
    assert.match(server.logged.join(''), new RegExp(`/files/v1/${account.tenantId}/${crash.cabIdHash}.cab`));
    assert.equal(server.logged.join('').includes(signature), false);
  });

  test('a changed address opens nothing and tells nothing', async () => {
    const address = await addressOf(account, crash);
    const other = await server.account({ products });
    const theirs = await storeCrash(server, other, appId, now, Buffer.from('theirs'));
    const mine = await storeCrash(server, account, appId, now, Buffer.from('another'));
    const change = (from: string, to: string) => address.href.replace(from, to);
    const parameter = (name: string) => address.searchParams.get(name) ?? '';
    const changed = [
      change(crash.cabIdHash, mine.cabIdHash),
      change(crash.cabIdHash, theirs.cabIdHash),
      change(account.tenantId, other.tenantId),
      change(account.tenantId, account.tenantId.toUpperCase()),
      change(account.tenantId, 'contoso.example'),
      change(account.tenantId, '00000000-0000-4000-8000-000000000000'),
      change(account.tenantId, '%00'),
      change(`${account.tenantId}/${crash.cabIdHash}`, `${other.tenantId}/${theirs.cabIdHash}`),
      change('.cab', ''),
      change('.cab', '.CAB'),
      change(crash.cabIdHash, '..%2F..%2Foperator.key'),
      change(crash.cabIdHash, crash.cabIdHash.toUpperCase()),
      change(parameter('expires'), String(Number(parameter('expires')) + 1)),
      change(parameter('key'), '000000000000'),
      change(parameter('signature'), parameter('signature').slice(1)),
      change(parameter('signature'), parameter('signature').split('').reverse().join('')),
      address.href.split('?', 1)[0] ?? '',
      change('&signature=', '&signature=x&signature='),
    ];
    const told = new Set<string>();
    for (const href of changed) {
      assert.notEqual(href, address.href);
      const response = await fetch(href, { headers: { authorization: `Bearer ${account.token}` } });
      assert.equal(response.status, 404, href);
      assert.equal(response.headers.get('content-disposition'), null, href);
      told.add(await response.text());
    }
    assert.equal(told.size, 1, [...told].join('\n'));
    assert.equal((await fetch(address)).status, 200);
  });

  test("another account's crash is no crash, at the report and at the address", async () => {
    const other = await server.account({ products });
    assert.equal((await other.get(crash.target)).status, 404);
    assert.equal((await other.get(crash.target.replace(crash.cabId, '1234567890123'))).status, 404);
  });

  test('gives up its file when the client hangs up', async () => {
    const big = await storeCrash(server, account, appId, now, randomBytes(24 * 1024 * 1024));
    const address = await addressOf(account, big);
    const open = () =>
      existsSync('/proc/self/fd')
        ? readdirSync('/proc/self/fd').filter((fd) => {
            try {
              return readlinkSync(`/proc/self/fd/${fd}`).includes(big.cabIdHash);
            } catch {
              return false;
            }
          }).length
        : 0;
    for (let round = 0; round < 5; round += 1) {
      await new Promise<void>((resolve, reject) => {
        const request = get(address, (response) => {
          response.once('data', () => {
            if (existsSync('/proc/self/fd')) assert.equal(open(), 1);
            response.destroy();
          });
          response.once('close', resolve);
        });
        request.once('error', reject);
      });
    }
    // The server hears of the last hang-up a moment after the client.
    const deadline = Date.now() + 5000;
    while (open() > 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(open(), 0);
    const again = await fetch(address);
    assert.equal((await again.arrayBuffer()).byteLength, 24 * 1024 * 1024);
  });

  test('pipelined requests on one connection are answered in order', async () => {
    const address = await addressOf(account, crash);
    const statuses: (number | undefined)[] = [];
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const range of ['bytes=0-3', 'bytes=99999999-', 'bytes=4-7']) {
      await new Promise<void>((resolve, reject) => {
        httpRequest(address, { agent, headers: { range } }, (response) => {
          statuses.push(response.statusCode);
          response.resume().once('end', resolve);
        })
          .once('error', reject)
          .end();
      });
    }
    agent.destroy();
    assert.deepEqual(statuses, [206, 416, 206]);
  });
});

test('an address is good for ten minutes, and only while the tenant is there and enabled', async (context) => {
  const server = await startServer({ now });
  context.after(() => server.close());
  const { tenants } = server.app.parts.identity;
  const account = await server.account({ products });
  const crash = await storeCrash(server, account, appId, now, content);
  const status = async (address: URL) => {
    const response = await fetch(address);
    await response.arrayBuffer();
    return response.status;
  };

  const address = await addressOf(account, crash);
  server.setTime(now + 10 * minute - 1);
  assert.equal(await status(address), 200);
  server.setTime(now + 10 * minute);
  assert.equal(await status(address), 404);

  const fresh = await addressOf(account, crash);
  await tenants.patch(account.tenantId, { enabled: false });
  assert.equal(await status(fresh), 404);
  await tenants.patch(account.tenantId, { enabled: true });
  assert.equal(await status(fresh), 200);

  await server.app.parts.files.remove(crash.key);
  assert.equal(await status(fresh), 404);
  assert.equal((await account.get(crash.target)).status, 404);

  const second = await storeCrash(server, account, appId, now, content);
  const last = await addressOf(account, second);
  await tenants.remove(account.tenantId);
  assert.equal(await status(last), 404);
  await tenants.create({ name: 'Again', tenantId: account.tenantId });
  assert.equal(await status(last), 404);
});

test('addresses outlive a rotation of keys by their ten minutes, and a revocation not at all', async (context) => {
  const server = await startServer({ now });
  context.after(() => server.close());
  const account = await server.account({ products });
  const crash = await storeCrash(server, account, appId, now, content);
  const before = await addressOf(account, crash);
  server.setTime(now + minute);
  const rotated = await server.request('/admin/v1/signing-keys/rotate', {
    method: 'POST',
    headers: { authorization: `Bearer ${await server.operatorKey()}` },
  });
  assert.equal(rotated.status, 200);
  const after = await addressOf(account, crash);
  assert.notEqual(after.searchParams.get('key'), before.searchParams.get('key'));
  assert.equal((await fetch(before)).status, 200);
  assert.equal((await fetch(after)).status, 200);
  server.setTime(now + 10 * minute);
  assert.equal((await fetch(before)).status, 404);
  assert.equal((await fetch(after)).status, 200);
  const revoked = await server.request('/admin/v1/signing-keys/revoke', {
    method: 'POST',
    headers: { authorization: `Bearer ${await server.operatorKey()}` },
  });
  assert.equal(revoked.status, 200);
  assert.equal((await fetch(after)).status, 404);
  assert.equal((await account.get(crash.target)).status, 401);
});

test('who may download: Manager and Reader, or Manager alone', async (context) => {
  for (const [setting, allowed] of [
    ['readers', ['Manager', 'Reader']],
    ['managers', ['Manager']],
  ] as const) {
    const server = await startServer({ now, args: ['--cab-download', setting] });
    context.after(() => server.close());
    for (const role of ['Manager', 'Reader', 'Ingestor', 'Developer']) {
      const account = await server.account({ products, role });
      const crash = await storeCrash(server, account, appId, now, content);
      const expected = (allowed as readonly string[]).includes(role) ? 302 : 403;
      assert.equal((await account.get(crash.target)).status, expected, `${setting} ${role}`);
    }
    const lines = await audited(server);
    assert.equal(lines.length, allowed.length);
    await server.close();
  }
});

test('files are kept for their days: exactly so for a download, by whole days on the disk', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-retention-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const args = ['--crash-file-days', '30'];
  let server = await startServer({ now, args, folder });
  context.after(() => server.close());
  const account = await server.account({ products });
  const event = now - 30 * day + 5 * minute;
  const crash = await storeCrash(server, account, appId, event, content);
  const address = await addressOf(account, crash);
  server.setTime(now + 5 * minute - 1);
  assert.equal((await fetch(address)).status, 200);
  server.setTime(now + 5 * minute);
  assert.equal((await fetch(address)).status, 404);
  assert.equal((await account.get(crash.target)).status, 404);
  assert.equal(existsSync(join(folder, 'files', crash.key)), true);
  await server.close();

  // The last moment of its day is thirty days ago: the sweep at start removes it, and ends before the server does.
  server = await startServer({ now: now + day, args, folder });
  await server.close();
  assert.equal(existsSync(join(folder, 'files', crash.key)), false);
  assert.deepEqual(readdirSync(join(folder, 'files')), []);
  assert.match(server.logged.join(''), /"removed":1/);
});

test('downloads beyond the rate limit are 429, and strangers do not use it up', async (context) => {
  const server = await startServer({ now, args: ['--rate-limit', '3'] });
  context.after(() => server.close());
  const account = await server.account({ products });
  const other = await server.account({ products });
  const crash = await storeCrash(server, account, appId, now - day, content);
  const foreign = await storeCrash(server, other, appId, now - day, content);
  const address = String(await addressOf(account, crash));
  for (let turn = 0; turn < 5; turn += 1) {
    const guessed = await fetch(address.replace(/signature=.{4}/, 'signature=AAAA'));
    assert.equal(guessed.status, 404);
  }
  for (const method of ['GET', 'HEAD', 'GET']) {
    const answer = await fetch(address, { method });
    assert.equal(answer.status, 200);
    await answer.arrayBuffer();
  }
  const refused = await fetch(address);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '60');
  await refused.arrayBuffer();
  assert.equal((await fetch(await addressOf(other, foreign))).status, 200, 'each tenant has its own');
  server.setTime(now + minute);
  assert.equal((await fetch(address)).status, 200);
});
