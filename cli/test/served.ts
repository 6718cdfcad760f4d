/** `storelens serve` in a folder of its own, for tests of what calls it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Place, perform, placeIn, shell, storelens } from './transcript.js';

/** Ids that the tenant and application of tests keep. */
export const contoso = '3f1e9c62-8b0d-4a57-9a1c-7c2d5e4b6a90';
export const client = '5b0c7c1e-2f57-4d3c-9d0a-8a1b6f0e4c11';
/** Secret of the application that `prepare` makes. */
export const secret = 's3cret-'.repeat(6);

/** A running server and a place to call it from. */
export interface Served {
  readonly place: Place;
  readonly url: string;
  readonly process: ChildProcess;
  /** Standard output and error so far. */
  out(): string;
  err(): string;
}

/** A test, or whoever else ends what was started. */
interface Ending {
  after(end: () => Promise<void>): void;
}

/** Starts `storelens serve` in an empty folder and waits for its ready line. */
export async function serve(context: Ending, ...args: readonly string[]): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-serve-'));
  const place = await placeIn(folder);
  if (args.includes('--tls-cert')) await shell(place, 'storelens dev-cert --out tls');
  const child = spawn(process.execPath, [storelens, 'serve', '--port', '0', ...args], {
    cwd: folder,
    env: place.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true });
  });
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`serve ended with ${code}: ${err}`))),
  ]);
  assert.match(line, /^storelens ready \{/);
  const { url } = JSON.parse(line.slice('storelens ready '.length)) as { url: string };
  const environment = { ...place.environment, STORELENS_URL: url };
  return { place: { folder, environment }, url, process: child, out: () => out, err: () => err };
}

/** Somebody else beside a running server: an empty folder from which it is called, and ids of a tenant to make. */
export async function neighbour(
  context: Ending,
  { place: { folder: home, environment }, url }: Served,
): Promise<{
  readonly place: Place;
  readonly url: string;
  readonly contoso: string;
  readonly client: string;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-beside-'));
  context.after(() => rm(folder, { recursive: true }));
  await symlink(join(home, 'storelens-data'), join(folder, 'storelens-data'));
  const place = await placeIn(folder, { STORELENS_URL: environment.STORELENS_URL ?? url });
  return { place, url, contoso: randomUUID(), client: randomUUID() };
}

/** A tenant with an application and a product, as an operator makes them. */
export async function prepare(place: Place, role = 'Manager', ids = { contoso, client }): Promise<void> {
  await writeFile(join(place.folder, 'secret.txt'), `${secret}\n`);
  for (const line of [
    `tenant create --name Contoso --tenant-id ${ids.contoso}`,
    `application create --tenant ${ids.contoso} --name Nightly --role ${role} --client-id ${ids.client}`,
    `key create --tenant ${ids.contoso} --application ${ids.client} --client-secret-file secret.txt`,
    `product create --tenant ${ids.contoso} --kind app --id 9NBLGGGZ5QDR --name 'Contoso Game'`,
  ]) {
    const { code, err } = await perform(place, `storelens ${line}`);
    assert.equal(code, 0, err);
  }
}
