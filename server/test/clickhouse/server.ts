/**
 * A real ClickHouse server for tests, out of the library that the embedded engine uses: its command line can
 * listen for HTTP. Needs python3. Users run the vendor's server.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A running server; `url` has no database. */
export interface ClickHouseServer {
  readonly url: string;
  /** Kills the server and removes its data. */
  stop(): Promise<void>;
}

const startSeconds = 60;
const launcher = fileURLToPath(new URL('../../../test/clickhouse/server.py', import.meta.url));

/** Path of libchdb.so, next to the native module of this platform. */
function libraryPath(): string {
  const suffix = process.platform === 'linux' ? '-gnu' : '';
  const require = createRequire(createRequire(import.meta.url).resolve('chdb'));
  const manifest = require.resolve(`@chdb/lib-${process.platform}-${process.arch}${suffix}/package.json`);
  return join(dirname(manifest), 'libchdb.so');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a server on a free port of the loopback address with a temporary folder. */
export async function startClickHouse(): Promise<ClickHouseServer> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-clickhouse-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // The server lives as long as its first query; a day is longer than any test.
  const query =
    'SYSTEM START LISTEN HTTP; SELECT sleepEachRow(1) FROM numbers(86400) SETTINGS max_block_size = 60, ' +
    'max_threads = 1, function_sleep_max_microseconds_per_block = 100000000 FORMAT Null';
  const child = spawn(
    'python3',
    [
      launcher,
      libraryPath(),
      ...['--listen_host', '127.0.0.1', '--http_port', String(port), '--path', folder, '--query', query],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], cwd: folder },
  );
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`exit ${code ?? signal}: ${output}`));
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  let failure: string | undefined;
  void ended.then((reason) => {
    failure = reason;
  });
  for (const end = Date.now() + startSeconds * 1000; failure === undefined && Date.now() < end; ) {
    const answer = await fetch(`${url}/ping`).catch(() => undefined);
    if (answer?.ok) return { url, stop };
    await setTimeout(50);
  }
  await stop();
  throw new Error(
    `no ClickHouse server for tests (needs python3): ${failure ?? `not up in ${startSeconds} s`}`,
  );
}

/** A database of its own on a server, as the URL to open; it is created when it is opened. */
export function freshDatabase(serverUrl: string): { readonly url: string; drop(): Promise<void> } {
  const name = `test_${randomBytes(8).toString('hex')}`;
  return {
    url: new URL(`/${name}`, serverUrl).href,
    async drop() {
      const { origin, username, password } = new URL(serverUrl);
      const headers = { 'X-ClickHouse-User': username || 'default', 'X-ClickHouse-Key': password };
      const answer = await fetch(origin, {
        method: 'POST',
        headers,
        body: `DROP DATABASE IF EXISTS ${name}`,
      });
      if (!answer.ok) throw new Error(`DROP DATABASE ${name}: ${await answer.text()}`);
    },
  };
}

/** The server that STORELENS_TEST_CLICKHOUSE_URL names, or else one that is started for the caller. */
export async function clickHouseForTests(): Promise<ClickHouseServer> {
  const url = process.env.STORELENS_TEST_CLICKHOUSE_URL;
  return url ? { url, stop: async () => {} } : await startClickHouse();
}
