/**
 * A real server for tests: real HTTP on a free port, real files in a temporary folder, with a clock that the test
 * moves. With STORELENS_TEST_CLICKHOUSE_URL set it runs on that ClickHouse server, in a database of its own.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type App, createApp } from '../src/app.js';
import { parseSettings } from '../src/config.js';
import { createLog } from '../src/log.js';
import { newGuid, systemRandom } from '../src/system.js';
import { testSigningKey } from './signing-keys.js';

/** A product to register. */
export interface TestProduct {
  readonly kind: 'app' | 'addon' | 'desktop' | 'driver';
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
}

/** An answer as a client sees it. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined if it is no JSON. */
  readonly json: unknown;
}

/** A tenant with one Manager application and its token. */
export interface TestAccount {
  readonly tenantId: string;
  readonly accountId: string;
  readonly sellerId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly token: string;
  /** Posts rows as NDJSON; throws unless the answer is 200. */
  ingest(dataset: string, rows: readonly object[], headers?: Readonly<Record<string, string>>): Promise<void>;
  /** GET of a path and query below the origin, sent as given (the query must be encoded as far as HTTP needs). */
  get(target: string): Promise<TestAnswer>;
}

/** A running server. */
export interface TestServer {
  readonly url: string;
  readonly folder: string;
  readonly app: App;
  /** Log lines so far. */
  readonly logged: readonly string[];
  operatorKey(): Promise<string>;
  /** A request with any method, body and headers. */
  request(target: string, init?: RequestInit): Promise<TestAnswer>;
  /** A new tenant with products and a Manager. */
  account(options?: {
    readonly products?: readonly TestProduct[];
    readonly role?: string;
  }): Promise<TestAccount>;
  /** Sets the clock, in milliseconds since 1970. */
  setTime(milliseconds: number): void;
  /** Stops the server and removes the folder. */
  close(): Promise<void>;
}

/** Options of {@link startServer}. */
export interface TestOptions {
  /** Time at start; the machine's clock if missing. The clock stands still once it is given. */
  readonly now?: number | Date;
  /** Command-line arguments besides folder and port. */
  readonly args?: readonly string[];
  /** A folder to use and keep. */
  readonly folder?: string;
  /** Where log lines go, too. */
  readonly log?: NodeJS.WritableStream;
}

/** Starts a server. */
export async function startServer(options: TestOptions = {}): Promise<TestServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'storelens-test-')));
  let time = options.now === undefined ? undefined : Number(options.now);
  const clickhouse = process.env.STORELENS_TEST_CLICKHOUSE_URL;
  const engine =
    clickhouse === undefined
      ? []
      : [
          '--clickhouse-url',
          `${clickhouse.replace(/\/$/, '')}/test_${newGuid(systemRandom).replaceAll('-', '')}`,
        ];
  const settings = parseSettings(['--data', folder, '--port', '0', ...engine, ...(options.args ?? [])], {});
  const logged: string[] = [];
  const log = createLog(
    settings,
    new Writable({
      write(chunk, _encoding, done) {
        logged.push(String(chunk));
        options.log?.write(chunk);
        done();
      },
    }),
  );
  const clock = { now: () => time ?? Date.now() };
  const app = await createApp(settings, { clock, random: systemRandom, log, signingKey: testSigningKey });

  const request = async (target: string, init: RequestInit = {}): Promise<TestAnswer> => {
    const response = await fetch(`${app.url}${target}`, { redirect: 'manual', ...init });
    const text = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };

  const account: TestServer['account'] = async ({ products = [], role = 'Manager' } = {}) => {
    const { identity } = app.parts;
    const tenant = await identity.tenants.create({ name: 'Test tenant' });
    const application = await identity.applications.create(tenant.tenantId, { name: 'Test', role });
    const key = await identity.keys.create(tenant.tenantId, application.clientId, {});
    for (const product of products) await app.parts.products.create(tenant.accountId, product);
    const granted = await request(`/${tenant.tenantId}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: application.clientId,
        client_secret: key.clientSecret,
        resource: 'https://manage.devcenter.microsoft.com',
      }),
    });
    if (granted.status !== 200) throw new Error(`no token: ${granted.status} ${granted.text}`);
    const token = (granted.json as { access_token: string }).access_token;
    const authorization = `Bearer ${token}`;
    return {
      tenantId: tenant.tenantId,
      accountId: tenant.accountId,
      sellerId: tenant.sellerId,
      clientId: application.clientId,
      clientSecret: key.clientSecret,
      token,
      async ingest(dataset, rows, headers = {}) {
        const answer = await request(`/ingest/v1/${dataset}`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/x-ndjson', ...headers },
          body: rows.map((row) => JSON.stringify(row)).join('\n'),
        });
        if (answer.status !== 200) throw new Error(`${dataset}: ${answer.status} ${answer.text}`);
      },
      get: (target) => request(target, { headers: { authorization } }),
    };
  };

  return {
    url: app.url,
    folder,
    app,
    logged,
    operatorKey: async () => (await readFile(app.operatorKeyFile, 'utf8')).trim(),
    request,
    account,
    setTime(milliseconds) {
      time = milliseconds;
    },
    async close() {
      await app.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
