/** A real server in a process of its own and a folder of its own, with a tenant, a product and a token. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const storelens = fileURLToPath(new URL('../cli/bin/storelens.mjs', import.meta.url));

/** Starts a server. */
export async function startServer(args = []) {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-bench-'));
  const child = spawn(process.execPath, [storelens, 'serve', '--data', folder, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let ready;
  for await (const line of createInterface({ input: child.stdout })) {
    const json = /^storelens ready (.*)$/.exec(line)?.[1];
    if (json === undefined) continue;
    ready = JSON.parse(json);
    break;
  }
  if (ready === undefined) throw new Error('the server ended before it was ready');
  return {
    url: ready.url,
    pid: child.pid,
    folder,
    operatorKey: (await readFile(ready.operatorKeyFile, 'utf8')).trim(),
    async close() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a tenant with products and the token of a Manager. */
export async function setUp({ url, operatorKey }, products) {
  const call = async (path, init) => {
    const answer = await fetch(url + path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
  const admin = (path, body) =>
    call(`/admin/v1/tenants${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const { tenantId } = await admin('', { name: 'Bench' });
  const { clientId } = await admin(`/${tenantId}/applications`, { name: 'Bench', role: 'Manager' });
  const { clientSecret } = await admin(`/${tenantId}/applications/${clientId}/keys`, {});
  for (const product of products) await admin(`/${tenantId}/products`, product);
  const granted = await call(`/${tenantId}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      resource: 'https://manage.devcenter.microsoft.com',
    }),
  });
  return granted.access_token;
}

/** Seconds of processor time that each thread of a process has taken, by its id; Linux only. */
export async function threadSeconds(pid) {
  const seconds = new Map();
  for (const id of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const stat = await readFile(`/proc/${pid}/task/${id}/stat`, 'utf8').catch(() => '');
    const name = /\((.*)\)/.exec(stat)?.[1];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (name !== undefined) {
      const label = Number(id) === pid ? `${id} main` : `${id} ${name}`;
      seconds.set(label, (Number(fields[11]) + Number(fields[12])) / 100);
    }
  }
  return seconds;
}

/** Most memory that a process has held, in MiB; undefined where /proc is not. */
export async function peakMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return found === undefined ? undefined : Math.round(Number(found) / 1024);
}

/** Seconds that all processors together were busy since the machine started; NaN where /proc is not. */
export async function busySeconds() {
  const stat = await readFile('/proc/stat', 'utf8').catch(() => '');
  const [user, nice, system, , , irq, softirq] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq) / 100;
}
