/** Data folders of the benchmark: a tenant of the real server with generated events; made once, then kept. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLibsqlRegistry } from '../../server/dist/src/registry/libsql.js';
import { appId, apps } from './data.mjs';
import { endWith, hasEnded, removeWith } from './processes.mjs';
import { root, startServer } from './server.mjs';

/** Where folders are kept; `STORELENS_BENCH_DATA` puts them elsewhere. */
export const place = process.env.STORELENS_BENCH_DATA ?? join(root, 'bench', '.data');

/** Keeps two runs out of one place: a folder has one server at a time, and times of two runs mean nothing. */
export function takePlace() {
  mkdirSync(place, { recursive: true });
  const lock = join(place, 'lock');
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
  if (holder > 0 && existsSync(`/proc/${holder}`)) {
    throw new Error(`process ${holder} measures in ${place}; wait for it, or set STORELENS_BENCH_DATA`);
  }
  writeFileSync(lock, String(process.pid));
  removeWith(lock);
}

/** What a folder is made from: rows of another generator, or of a table that has changed, are made again. */
function fingerprint(dataset) {
  const hash = createHash('sha256').update(readFileSync(new URL('data.mjs', import.meta.url)));
  const schema = join(root, 'server', 'src', 'engine', 'schema');
  for (const name of readdirSync(schema).sort()) {
    const step = readFileSync(join(schema, name), 'utf8');
    if (new RegExp(`\\b${dataset}\\b`).test(step)) hash.update(step);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Registers a tenant, a Manager and the products at a running server; answers how to sign in. */
export async function register(server) {
  const call = async (path, body, type = 'application/json') => {
    const headers = { authorization: `Bearer ${server.operatorKey}`, 'content-type': type };
    const answer = await fetch(`${server.url}/admin/v1/${path}`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const { tenantId, accountId } = await call('tenants', JSON.stringify({ name: 'Benchmark' }));
  const base = `tenants/${tenantId}`;
  const { clientId } = await call(`${base}/applications`, JSON.stringify({ name: 'Bench', role: 'Manager' }));
  const { clientSecret } = await call(`${base}/applications/${clientId}/keys`, '{}');
  const lines = Array.from({ length: apps }, (_, index) =>
    JSON.stringify({ kind: 'app', id: appId(index + 1), name: `App ${index + 1}` }),
  );
  await call(`${base}/products`, lines.join('\n'), 'application/x-ndjson');
  return { tenantId, accountId, clientId, clientSecret };
}

/** Has the engine of a folder that no server has filled or brought up to date; answers when that process has ended. */
async function fill(folder, task) {
  const child = fork(fileURLToPath(new URL('filling.mjs', import.meta.url)), [folder, JSON.stringify(task)]);
  endWith(child);
  const [code] = await once(child, 'exit');
  hasEnded(child);
  if (code !== 0) throw new Error(`filling ${folder} ended with ${code}`);
}

async function make(name, fresh, dataset, rows, shape) {
  await rm(fresh, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  const server = await startServer(fresh);
  const account = await register(server).finally(() => server.stop());
  await fill(fresh, { name, accountId: account.accountId, dataset, rows, shape });
  return account;
}

/**
 * The folder with so many rows of a dataset in a shape, and how to reach its data:
 * `{folder, tenantId, accountId, clientId, clientSecret}`.
 */
export async function folderOf(dataset, rows, shape) {
  const name = `${dataset}-${shape}-${rows}`;
  const folder = join(place, name);
  const description = join(folder, 'bench.json');
  const madeFrom = fingerprint(dataset);
  const found = existsSync(description) ? JSON.parse(await readFile(description, 'utf8')) : {};
  if (found.madeFrom === madeFrom) {
    // A server would bring it up to date beside what is measured.
    await fill(folder, {});
    return { folder, ...found };
  }
  const fresh = `${folder}.making`;
  const account = await make(name, fresh, dataset, rows, shape);
  await writeFile(join(fresh, 'bench.json'), JSON.stringify({ ...account, madeFrom }));
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return { folder, ...account, madeFrom };
}

/** A copy of a folder that may be written to; the caller removes it. */
export async function copyOf(data, name) {
  const folder = join(place, name);
  await rm(folder, { recursive: true, force: true });
  await cp(data.folder, folder, { recursive: true });
  return { ...data, folder };
}

/** Makes a copy what it was before its rows were summed and counted for the first time. */
export async function forgetSums({ folder }) {
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await registry.all('UPDATE rollups SET seq = 0, row_count = 0', []);
  await registry.close();
}

/** A folder that is not there yet; the caller removes it. */
export async function emptyFolder(name) {
  const folder = join(place, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  return folder;
}
