/** What goes with time: files and rows of removed tenants, and audit lines past their days. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { sample } from '../crashes/samples.js';
import { startServer } from '../harness.js';
import { storeCrash } from './stored-crash.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const day = 86_400_000;
const app = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;

test('files and rows of a removed tenant go, also those that come late; audit lines go after their days', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-sweep-'));
  let server = await startServer({ now, folder });
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  /** A start sweeps, and an end waits for that. */
  const swept = async (time: number, ...args: string[]) => {
    await server.close();
    server = await startServer({ now: time, folder, args });
    await server.close();
    server = await startServer({ now: time, folder });
  };
  const [gone, kept] = [await server.account({ products }), await server.account({ products })];
  const files: string[][] = [];
  for (const account of [gone, kept]) {
    const event = { timestamp: '2026-11-20T10:00:00Z', applicationId: app };
    await account.ingest('acquisitions', [event, event]);
    await account.ingest('reviews', [{ ...event, rating: 5 }]);
    const crash = await storeCrash(server, account, app, now - day, Buffer.from('MSCF'));
    const stored = await server.request('/ingest/v1/symbols', {
      method: 'POST',
      headers: { authorization: `Bearer ${account.token}` },
      body: sample('crashme.sym'),
    });
    const { debugId } = stored.json as { debugId: string };
    files.push([crash.key, `symbols/${account.accountId}/${debugId}.sym.gz`]);
  }
  const there = () => files.map((keys) => keys.map((key) => existsSync(join(folder, 'files', key))));
  assert.deepEqual(there(), [
    [true, true],
    [true, true],
  ]);
  /** Rows by table, and what the registry knows of commits. */
  const stored = async ({ accountId: account }: { accountId: string }) => {
    const { engine, registry, ledger } = server.app.parts;
    const counts = ['acquisitions', 'reviews', 'failures'].map(async (table) => {
      const sql = `SELECT count() FROM ${table} WHERE accountId = {account:String}`;
      const bytes = await engine.query({ account, sql, params: { account }, format: 'TSV' });
      return Number(Buffer.from(bytes).toString());
    });
    const commits = await registry.all('SELECT seq FROM commits WHERE account_id = $1', [account]);
    return [...(await Promise.all(counts)), commits.length, await ledger.snapshot(account)];
  };
  const all = [2, 1, 1, 2, 2];
  const { identity } = server.app.parts;
  await identity.tenants.remove(gone.tenantId);
  await identity.audit({ actor: 'test', action: 'remove', target: 'x', outcome: 'ok', address: '' });

  await swept(now + 1);
  assert.deepEqual(there(), [
    [false, false],
    [true, true],
  ]);
  assert.deepEqual(await server.app.parts.crashes.symbols(gone.accountId), []);
  assert.deepEqual([await stored(gone), await stored(kept)], [all, all], 'rows stay for a day');
  const [late = ''] = files[0] ?? [];
  await mkdir(dirname(join(folder, 'files', late)), { recursive: true });
  await writeFile(join(folder, 'files', late), 'MSCF');
  await swept(now + day);
  assert.equal(existsSync(join(folder, 'files', late)), false, 'one that was being taken in meanwhile');
  // The engine deletes in the background; whoever asks again until nothing is left has seen the end of it.
  while ((await server.app.parts.ingest.removeAccount(gone.accountId)) > 0);
  assert.deepEqual([await stored(gone), await stored(kept)], [[0, 0, 0, 0, 0], all]);
  await swept(now + day);
  assert.deepEqual(await server.app.parts.identity.removedAccounts(), []);

  const audited = async () => (await server.app.parts.identity.auditLines(10)).map(({ actor }) => actor);
  await swept(now + 1000 * day);
  assert.ok((await audited()).includes('test'), 'for ever, unless the operator says otherwise');
  await swept(now + 400 * day, '--audit-days', '400');
  assert.ok((await audited()).includes('test'), 'for the whole of the last day');
  await swept(now + 400 * day + 1, '--audit-days', '400');
  assert.ok(!(await audited()).includes('test'));
});
