/**
 * Two servers and a mirror between them: A plays the source in this process, with a clock that the test moves; B keeps
 * the copies in a process that can be killed; the mirror is the command as a user runs it, at the time of A.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from '@storelens/client';
import { startServer, type TestAccount, type TestServer } from '@storelens/server/test-harness';
import type { Waiting } from './clocked.js';
import { type Place, placeIn, shell, storelens } from './transcript.js';

/** How long clients wait for a silent server, in milliseconds; the only wait that takes its time here. */
const patience = 120_000;

/** The command line with a clock of ours. */
const clocked = fileURLToPath(new URL('./clocked.js', import.meta.url));

/** A product to register with both servers. */
export type LabProduct = Parameters<TestServer['account']>[0] extends
  | { products?: readonly (infer One)[] }
  | undefined
  ? One
  : never;

/** What a run of the mirror came to. */
export interface Ran {
  readonly out: string;
  readonly err: string;
  /** Null if it was killed. */
  readonly code: number | null;
}

/** What a test does while the mirror runs. */
export interface Running {
  /** Is called with the process as soon as it runs. */
  readonly started?: (process: ChildProcess) => void;
  /** Is told of every wait of the mirror, in milliseconds, which is over when this is done. */
  readonly onWait?: (milliseconds: number) => void | Promise<void>;
  /** Is called for every piece of standard output, with all of it so far. */
  readonly onOut?: (text: string) => void;
}

/** The servers and the command. */
export interface Lab {
  readonly server: TestServer;
  readonly account: TestAccount;
  readonly source: Client;
  readonly target: Client;
  /** Runs `storelens mirror` with these arguments. Its waits pass at once, and the time of A with them. */
  mirror(args: readonly string[], how?: Running): Promise<Ran>;
  /** Runs a shell line as a user who has no account but those that were stored. */
  shell(line: string): ReturnType<typeof shell>;
  /** The account of the copies. */
  readonly copies: Readonly<Record<'url' | 'tenantId' | 'clientId' | 'clientSecret', string>>;
  /** Kills B, as a power cut does, and starts it again in its folder and at its address. */
  killTarget(): Promise<void>;
  /** Ends the patience of the mirror with a server that is silent. */
  expire(): void;
  /** Where the command runs. */
  readonly place: Place;
}

/** Arguments of Node under which a process takes its start for that time. */
function clockAt(time: number): readonly string[] {
  const clock = `const now = Date.now; Date.now = () => now() + ${time - Date.now()};`;
  return ['--import', `data:text/javascript,${encodeURIComponent(clock)}`];
}

/** Starts the lab. `now` is the time at the start, `args` are settings of A. */
export async function startLab(
  context: TestContext,
  options: {
    readonly now: number;
    readonly args?: readonly string[];
    /** Settings of B. */
    readonly targetArgs?: readonly string[];
    /** Whether B lives at the time that A starts with, instead of the machine's. */
    readonly together?: boolean;
    readonly products: readonly LabProduct[];
    /** Makes another origin of A's, which the mirror knows it by. */
    readonly front?: (url: string) => Promise<string>;
  },
): Promise<Lab & { setTime(time: number): void }> {
  let time = options.now;
  const server = await startServer({ now: time, args: options.args ?? [] });
  context.after(() => server.close());
  const account = await server.account({ products: options.products });
  const folder = await mkdtemp(join(tmpdir(), 'storelens-mirror-'));
  let child: ChildProcess | undefined;
  let running: ChildProcess | undefined;
  const stop = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  context.after(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  const place = await placeIn(folder);
  const serve = async (port: string): Promise<string> => {
    const arguments_ = ['serve', '--data', 'data', '--port', port, ...(options.targetArgs ?? [])];
    const clock = options.together ? clockAt(options.now) : [];
    const started = spawn(process.execPath, [...clock, storelens, ...arguments_], {
      cwd: folder,
      env: place.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    let err = '';
    started.stderr.on('data', (text) => {
      err += text;
    });
    const line = await Promise.race([
      once(createInterface({ input: started.stdout }), 'line').then(([text]) => String(text)),
      once(started, 'exit').then(([code]) => Promise.reject(new Error(`serve ended with ${code}: ${err}`))),
    ]);
    return (JSON.parse(line.slice('storelens ready '.length)) as { url: string }).url;
  };
  const url = await serve('0');
  const operator = (await readFile(join(folder, 'data', 'operator.key'), 'utf8')).trim();
  const admin = async (path: string, body: object): Promise<Readonly<Record<string, string>>> => {
    const answer = await fetch(`${url}/admin/v1/tenants${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return JSON.parse(text) as Readonly<Record<string, string>>;
  };
  const { tenantId = '' } = await admin('', { name: 'Copies' });
  const { clientId = '' } = await admin(`/${tenantId}/applications`, { name: 'Mirror', role: 'Manager' });
  const { clientSecret = '' } = await admin(`/${tenantId}/applications/${clientId}/keys`, {});
  for (const product of options.products) await admin(`/${tenantId}/products`, product);

  const environment = {
    ...place.environment,
    STORELENS_URL: url,
    STORELENS_TENANT_ID: tenantId,
    STORELENS_CLIENT_ID: clientId,
    STORELENS_CLIENT_SECRET: clientSecret,
  };
  const front = (await options.front?.(server.url)) ?? server.url;
  const login = spawn(
    process.execPath,
    [
      ...[storelens, 'login', '--profile', 'source', '--secret-stdin', '--url', front],
      ...['--tenant-id', account.tenantId, '--client-id', account.clientId],
    ],
    { env: place.environment, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  login.stdin?.end(account.clientSecret);
  assert.deepEqual(await once(login, 'exit'), [0, null]);

  return {
    server,
    account,
    source: connect({
      ...{ ...account, url: server.url },
      // Tokens of A end by the time of A.
      clock: {
        now: () => time,
        async wait(milliseconds, signal) {
          if (milliseconds >= patience) return wait(milliseconds, undefined, { signal });
          time += milliseconds;
          server.setTime(time);
        },
      },
    }),
    target: connect({ tenantId, clientId, clientSecret, url }),
    setTime(to) {
      time = to;
      server.setTime(to);
    },
    async mirror(args, { started, onWait, onOut } = {}) {
      const begun = spawn(process.execPath, [clocked, String(time), 'mirror', ...args], {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      running = begun;
      let problem: unknown;
      begun.on('message', async (waiting: Waiting) => {
        try {
          await onWait?.(waiting.milliseconds);
        } catch (error) {
          problem = error;
          begun.kill('SIGKILL');
        }
        time += waiting.milliseconds;
        server.setTime(time);
        if (begun.connected) begun.send({ over: waiting.id }, () => undefined);
      });
      let [out, err] = ['', ''];
      begun.stdout?.on('data', (text) => {
        out += text;
        onOut?.(out);
      });
      begun.stderr?.on('data', (text) => {
        err += text;
      });
      started?.(begun);
      const [code] = (await once(begun, 'close')) as [number | null];
      if (problem !== undefined) throw problem;
      return { out, err, code };
    },
    expire: () => running?.send({ expire: true }, () => undefined),
    place: { folder, environment },
    shell: (line) => shell(place, line),
    copies: { url, tenantId, clientId, clientSecret },
    async killTarget() {
      await stop();
      await serve(new URL(url).port);
    },
  };
}

/** How many days B knows something of. */
export async function knownDays({ target }: Lab): Promise<number> {
  const answer = await target.request('/ingest/v1/mirror/state');
  const { reports } = (await answer.json()) as { reports: { days: Record<string, number> }[] };
  return reports.flatMap(({ days }) => Object.values(days)).reduce((sum, count) => sum + count, 0);
}

/** Calls back as soon as a run has told B of so many more days. Done when it has, or the run is over. */
async function afterDays(lab: Lab, days: number, run: ChildProcess, then: () => void): Promise<void> {
  const before = await knownDays(lab);
  while (run.exitCode === null && run.signalCode === null) {
    if ((await knownDays(lab)) >= before + days) return then();
  }
}

/** Runs the mirror and kills it once it has told B of so many more days. */
export async function runKilled(lab: Lab, args: readonly string[], days: number): Promise<void> {
  let watching: Promise<void> | undefined;
  const started = (run: ChildProcess) => {
    watching = afterDays(lab, days, run, () => run.kill('SIGKILL'));
  };
  const ran = await lab.mirror(args, { started });
  await watching;
  assert.equal(ran.code, null, 'it was killed');
}

/** Runs the mirror and kills B, which comes back, once it was told of so many more days. */
export async function runWithoutTarget(lab: Lab, args: readonly string[], days: number): Promise<Ran> {
  let watching: Promise<void> | undefined;
  let back: Promise<void> | undefined;
  const started = (run: ChildProcess) => {
    watching = afterDays(lab, days, run, () => {
      back = lab.killTarget();
    });
  };
  // The mirror tries again when B is back: its waits are over at once otherwise.
  const ran = await lab.mirror(args, { started, onWait: () => back });
  await watching;
  assert.ok(back !== undefined, 'B was killed');
  await back;
  return ran;
}

/** Sends a crash file to A; returns its cabId. */
export async function uploadCrash(
  { source }: Lab,
  applicationId: string,
  cab: Buffer,
  time: number,
): Promise<string> {
  const form = new FormData();
  form.set(
    'event',
    JSON.stringify({
      source: 'app',
      applicationId,
      timestamp: new Date(time).toISOString(),
      deviceId: 'd-1',
    }),
  );
  form.set('file', new Blob([new Uint8Array(cab)]), 'crash.cab');
  const answer = await source.request('/ingest/v1/crashes', { method: 'POST', body: form });
  const { cabId } = (await answer.json()) as { cabId: string };
  assert.match(cabId, /^\d{13}$/);
  assert.ok((await source.rows('stacktrace', { applicationId, cabId }).toArray()).length > 0);
  return cabId;
}
