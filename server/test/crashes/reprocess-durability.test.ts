/**
 * A server that is killed while it reads crashes again: afterwards every crash is there once, under its old name or
 * its new one, and going on ends as if nothing had happened.
 */
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ServerProcess } from '../ingest/process.js';
import { sample } from './samples.js';

const app = '9NBLGGGZ5QDR';
const symbolName = 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf';
const debugId = '6665FEAE09C7306804147C5669CFDC1E0';
const crashes = 20;

let folder: string;
let server: ServerProcess;
let url: string;
let headers: Record<string, string>;
let tenantId: string;
let client: { client_id: string; client_secret: string };

async function call(method: string, path: string, body?: object | Uint8Array | FormData): Promise<unknown> {
  const raw = body instanceof Uint8Array || body instanceof FormData;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(raw || body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** Starts the server; calls carry the operator key and the tenant. */
async function start(): Promise<void> {
  const ready = await server.start();
  url = ready.url;
  const key = (await readFile(ready.operatorKeyFile, 'utf8')).trim();
  headers = { authorization: `Bearer ${key}`, ...(tenantId && { 'storelens-tenant': tenantId }) };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-reprocess-'));
  server = new ServerProcess(folder);
  await start();
  const tenant = (await call('POST', '/admin/v1/tenants', { name: 'Contoso' })) as { tenantId: string };
  tenantId = tenant.tenantId;
  headers['storelens-tenant'] = tenantId;
  const base = `/admin/v1/tenants/${tenantId}`;
  await call('POST', `${base}/products`, { kind: 'app', id: app, name: 'Contoso Game' });
  const made = await call('POST', `${base}/applications`, { name: 'Reports', role: 'Reader' });
  const { clientId } = made as { clientId: string };
  const key = await call('POST', `${base}/applications/${clientId}/keys`, {});
  client = { client_id: clientId, client_secret: (key as { clientSecret: string }).clientSecret };
  await Promise.all(
    Array.from({ length: crashes }, () => {
      const form = new FormData();
      form.append('file', new Blob([sample('linux-null.dmp')]));
      return call('POST', `/ingest/v1/crashes?source=app&applicationId=${app}`, form);
    }),
  );
});

after(async () => {
  await server.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Names of all crashes as a client of the reports finds them, with the sum of their counts. */
async function told(): Promise<{ readonly names: readonly string[]; readonly counted: number }> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: 'https://manage.devcenter.microsoft.com',
    ...client,
  });
  const granted = await fetch(`${url}/${tenantId}/oauth2/token`, { method: 'POST', body });
  const { access_token: token } = (await granted.json()) as { access_token: string };
  const get = async (target: string) => {
    const answer = await fetch(`${url}/v1.0/my/analytics/${target}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await answer.json()) as { Value: Record<string, unknown>[] }).Value;
  };
  const days = `applicationId=${app}&startDate=2020-01-01`;
  const hits = await get(`failurehits?${days}&groupby=failureName,failureHash`);
  const names: string[] = [];
  const ids = new Set<unknown>();
  for (const { failureHash } of hits) {
    const details = await get(`failuredetails?${days}&failureHash=${String(failureHash)}&top=1000`);
    for (const { cabId, failureName } of details) {
      if (!ids.has(cabId)) names.push(String(failureName));
      ids.add(cabId);
    }
  }
  return { names, counted: hits.reduce((sum, { eventCount }) => sum + Number(eventCount), 0) };
}

/** Kills the server when the spool has changed so often, or when the call has ended before. */
async function killedAt(changes: number): Promise<void> {
  const spool = watch(join(folder, 'spool'));
  const seen = new Promise<void>((resolve) => {
    let left = changes;
    spool.on('change', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  const running = call('POST', '/ingest/v1/crashes/reprocess', {}).catch(() => undefined);
  await Promise.race([seen, running]);
  await server.kill();
  spool.close();
  await running;
}

for (const [round, changes] of [1, 2, 4, 6, 9].entries()) {
  test(`a kill after ${changes} changes of the spool loses and doubles nothing`, async () => {
    const withSymbols = round % 2 === 0;
    if (withSymbols) await call('POST', '/ingest/v1/symbols', sample('crashme.sym'));
    else await call('DELETE', `/ingest/v1/symbols/${debugId}`);
    await killedAt(changes);
    await start();
    assert.deepEqual(await readdir(join(folder, 'spool')), []);
    const found = await told();
    assert.equal(found.counted, crashes);
    assert.equal(found.names.length, crashes);
    // All rows of a call are one commit.
    assert.equal(new Set(found.names).size, 1);

    const rest = (await call('POST', '/ingest/v1/crashes/reprocess', {})) as { examined: number };
    assert.equal(rest.examined, crashes);
    const ended = await told();
    assert.equal(ended.counted, crashes);
    assert.equal(ended.names.length, crashes);
    for (const name of ended.names) assert.equal(name === symbolName, withSymbols, name);
    assert.deepEqual(await call('POST', '/ingest/v1/crashes/reprocess', {}), {
      examined: crashes,
      changed: 0,
      renamed: 0,
      next: null,
    });
  });
}
