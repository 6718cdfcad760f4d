/**
 * A tenant with a domain, an application and a key on a real server, and the requests that the identity tests
 * make. Tests share one server, each with a tenant of its own; those that move far in time, rotate keys, break
 * things or need settings ask for a fresh one.
 */
import { after } from 'node:test';
import type { ErrorBody } from '@storelens/contract';
import type { Caller } from '../../src/identity/index.js';
import { startServer, type TestServer } from '../harness.js';

/** The resource that tokens are for. */
export const resource = 'https://manage.devcenter.microsoft.com';

/** When every test begins. */
export const beginning = Date.UTC(2026, 7, 1, 12, 0, 0);

/** Which server a test needs. */
export interface EndpointOptions {
  readonly args?: readonly string[];
  readonly fresh?: boolean;
}

/** What the API makes of an Authorization header. */
export interface Seen {
  readonly status: number;
  /** The caller, when the report was answered. */
  readonly caller?: Caller;
  /** Inner code and reason, when it was not. */
  readonly code?: string;
  readonly reason?: string;
  readonly challenge: string | null;
}

// An embedded engine allows one data folder a process, so one server runs at a time.
let running: { readonly server: TestServer; readonly fresh: boolean } | undefined;
let tenantsMade = 0;

/** Ends the server of the tests so far. */
export async function closeServer(): Promise<void> {
  await running?.server.close();
  running = undefined;
}
after(closeServer);

async function openServer(fresh: boolean, args: readonly string[]): Promise<TestServer> {
  if (running !== undefined && (fresh || running.fresh)) await closeServer();
  running ??= { server: await startServer({ now: beginning, args }), fresh };
  running.server.setTime(beginning);
  return running.server;
}

/** Opens a tenant of its own; `args` are settings as on the command line and make the server a fresh one. */
export async function openEndpoint({ args = [], fresh = args.length > 0 }: EndpointOptions = {}) {
  const server = await openServer(fresh, args);
  const { identity, products, registry } = server.app.parts;
  tenantsMade += 1;
  const domain = `contoso-${tenantsMade}.example`;
  const { tenantId, accountId, sellerId } = await identity.tenants.create({
    name: 'Contoso',
    domains: [domain],
  });
  await products.create(accountId, { kind: 'app', id: 'APP', name: 'App' });
  const { clientId } = await identity.applications.create(tenantId, { name: 'Dashboard', role: 'Manager' });
  const { clientSecret, keyId } = await identity.keys.create(tenantId, clientId, {});

  let time = beginning;
  /** Moves the clock on by a number of seconds. */
  function advance(seconds: number): void {
    time += seconds * 1000;
    server.setTime(time);
  }

  /** The fields of a good v1 request, changed or (with undefined) without some. */
  function form(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
    const fields = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      resource,
      ...changes,
    };
    const given = Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    return Object.fromEntries(given) as Record<string, string>;
  }

  /** Posts a form (or a ready body) to a token endpoint, by default that of the tenant, v1. */
  function post(
    body: Readonly<Record<string, string>> | string,
    { path = `/${tenantId}/oauth2/token`, headers = {} as Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    return fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
    });
  }

  /** A token of the application. */
  async function token(): Promise<string> {
    const body = (await (await post(form())).json()) as { readonly access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** Asks the API for a report of the tenant's app. */
  async function ask(authorization: string | undefined): Promise<Seen> {
    const response = await fetch(`${server.url}/v1.0/my/analytics/installs?applicationId=APP`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    const challenge = response.headers.get('www-authenticate');
    const { status } = response;
    if (status === 200) return { status, caller: await identity.verify(authorization), challenge };
    const { innererror } = (await response.json()) as ErrorBody;
    return { status, code: innererror.code, reason: innererror.data[0] ?? '', challenge };
  }

  return {
    ...{ url: server.url, folder: server.folder, app: server.app, logged: server.logged, identity, registry },
    ...{ tenantId, accountId, sellerId, clientId, clientSecret, keyId, domain },
    ...{ advance, form, post, token, ask },
  };
}
