/**
 * Tenants with their applications and keys as requests look them up: read from the registry at first use, kept in
 * memory, dropped by every write. That suffices because only one process writes. Management reads the registry
 * itself.
 */
import { asciiLower } from '../body.js';
import type { Registry, RegistryQueries } from '../registry/index.js';

/** A key as the grant compares it; times in milliseconds. */
export interface KeyRecord {
  readonly keyId: string;
  readonly hash: string;
  readonly expiresAt: number;
}

/** An application with its keys. */
export interface ApplicationRecord {
  readonly clientId: string;
  /** `oid` and `sub` of its tokens. */
  readonly principalId: string;
  readonly name: string;
  readonly role: string;
  readonly enabled: boolean;
  readonly keys: readonly KeyRecord[];
}

/** A tenant with its applications by client id. */
export interface TenantEntry {
  readonly tenantId: string;
  readonly accountId: string;
  readonly sellerId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly applications: ReadonlyMap<string, ApplicationRecord>;
}

/** Look-ups for requests, and the one way in which what they find is written. */
export interface Directory {
  /** The tenant with this id in any letter case. */
  byId(tenantId: string): Promise<TenantEntry | undefined>;
  /** The tenant with this domain in any letter case. */
  byDomain(domain: string): Promise<TenantEntry | undefined>;
  /** Runs a write that concerns a tenant in one transaction, and forgets what is kept of the tenant. */
  writing<Result>(tenantId: string, work: (queries: RegistryQueries) => Promise<Result>): Promise<Result>;
}

async function load(registry: Registry, tenantId: string): Promise<TenantEntry | undefined> {
  const [tenant, applications, keys] = await Promise.all([
    registry.get('SELECT * FROM tenants WHERE tenant_id = $1', [tenantId]),
    registry.all('SELECT * FROM applications WHERE tenant_id = $1', [tenantId]),
    registry.all('SELECT * FROM application_keys WHERE tenant_id = $1 ORDER BY created_at, key_id', [
      tenantId,
    ]),
  ]);
  if (tenant === undefined) return undefined;
  const keysByApplication = new Map<string, KeyRecord[]>(
    applications.map((row) => [String(row.client_id), []]),
  );
  for (const row of keys) {
    keysByApplication.get(String(row.client_id))?.push({
      keyId: String(row.key_id),
      hash: String(row.secret_hash),
      expiresAt: Number(row.expires_at),
    });
  }
  return {
    tenantId,
    accountId: String(tenant.account_id),
    sellerId: String(tenant.seller_id),
    name: String(tenant.name),
    enabled: tenant.enabled === 1,
    applications: new Map(
      applications.map((row) => {
        const clientId = String(row.client_id);
        const record: ApplicationRecord = {
          clientId,
          principalId: String(row.principal_id),
          name: String(row.name),
          role: String(row.role),
          enabled: row.enabled === 1,
          keys: keysByApplication.get(clientId) ?? [],
        };
        return [clientId, record];
      }),
    ),
  };
}

/** The directory over a registry. */
export function createDirectory(registry: Registry): Directory {
  const cache = new Map<string, Promise<TenantEntry | undefined>>();

  function byId(id: string): Promise<TenantEntry | undefined> {
    const tenantId = asciiLower(id);
    const cached = cache.get(tenantId);
    if (cached !== undefined) return cached;
    const loading = load(registry, tenantId);
    cache.set(tenantId, loading);
    // Unknown tenants are not kept: anybody can ask for any number of them.
    const drop = () => cache.get(tenantId) === loading && cache.delete(tenantId);
    loading.then((entry) => entry ?? drop(), drop);
    return loading;
  }

  return {
    byId,
    byDomain: async (domain) => {
      const row = await registry.get('SELECT tenant_id FROM domains WHERE domain = $1', [asciiLower(domain)]);
      return row === undefined ? undefined : byId(String(row.tenant_id));
    },
    writing: async (tenantId, work) => {
      try {
        return await registry.transaction(work);
      } finally {
        cache.delete(asciiLower(tenantId));
      }
    },
  };
}
