/**
 * The token endpoint and discovery on a real port over a real registry in a temporary folder, with one tenant, one
 * application and one key. `GET /whoami` shows whom the API would see behind an Authorization header.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import fastify from 'fastify';
import { parseSettings } from '../../src/config.js';
import { Failure } from '../../src/failure.js';
import { registerDiscoveryRoutes } from '../../src/http/discovery.js';
import { registerTokenRoutes } from '../../src/http/token.js';
import { createIdentity } from '../../src/identity/identity.js';
import type { RegistryRow } from '../../src/registry/index.js';
import { openLibsqlRegistry } from '../../src/registry/libsql.js';
import { migrateRegistry } from '../../src/registry/migrate.js';
import { type Clock, systemRandom } from '../../src/system.js';

/** The resource that tokens are for. */
export const resource = 'https://manage.devcenter.microsoft.com';

/** A clock that moves only when told. */
export class TestClock implements Clock {
  constructor(private time = Date.UTC(2026, 7, 1, 12, 0, 0)) {}

  now(): number {
    return this.time;
  }

  /** Moves on by a number of seconds. */
  advance(seconds: number): void {
    this.time += seconds * 1000;
  }
}

/** Signing keys of the first endpoint of this process: making RSA keys is what takes the time. */
const signingKeys: readonly RegistryRow[] = [];

/** Opens everything; closed and removed when the test ends. `args` are settings as on the command line. */
export async function openEndpoint(context: TestContext, args: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-identity-'));
  const clock = new TestClock();
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  for (const { kid, private_key: key, activated_at: activated } of signingKeys) {
    await registry.all(
      'INSERT INTO signing_keys (kid, private_key, created_at, activated_at) VALUES ($1, $2, $3, $4)',
      [kid ?? null, key ?? null, clock.now(), activated ?? null],
    );
  }
  let url = '';
  const publicUrl = () => url;
  const settings = parseSettings(args, {});
  const identity = await createIdentity({
    registry,
    clock,
    random: systemRandom,
    settings,
    publicUrl,
    folder,
  });
  const server = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 300 } });
  const parts = { identity, clock, random: systemRandom, publicUrl };
  registerTokenRoutes(server, parts);
  registerDiscoveryRoutes(server, parts);
  server.get('/whoami', async (request, reply) => {
    try {
      return await identity.verify(request.headers.authorization);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return reply.status(401).send({ code: error.code, reason: error.data[0] });
    }
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  context.after(async () => {
    await server.close();
    await identity.close();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const { tenantId, accountId } = await identity.tenants.create({
    name: 'Contoso',
    domains: ['contoso.example'],
  });
  const { clientId } = await identity.applications.create(tenantId, { name: 'Dashboard', role: 'Manager' });
  const { clientSecret, keyId } = await identity.keys.create(tenantId, clientId, {});

  /** The fields of a good v1 request, changed or (with undefined) without some. */
  function form(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
    const fields = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      resource,
      ...changes,
    };
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
  }

  /** Posts a form (or a ready body) to a token endpoint, by default that of the tenant, v1. */
  function post(
    body: Readonly<Record<string, string>> | string,
    { path = `/${tenantId}/oauth2/token`, headers = {} as Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    return fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
    });
  }

  /** A token of the application. */
  async function token(changes: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
    const body = (await (await post(form(changes))).json()) as { readonly access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** What the API answers a holder of this token. */
  async function whoami(authorization: string | undefined) {
    const response = await fetch(
      `${url}/whoami`,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  return {
    ...{ url, folder, clock, registry, identity },
    ...{ tenantId, accountId, clientId, clientSecret, keyId },
    ...{ form, post, token, whoami },
  };
}
