/** Management of tenants in the registry: one tenant is one account. Requests look tenants up in `directory.ts`. */
import { asciiLower, BodyFields, badField } from '../body.js';
import { Failure } from '../failure.js';
import type { Registry, RegistryQueries, RegistryRow } from '../registry/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import type { Directory } from './directory.js';
import type { Tenant, Tenants } from './index.js';

/** A GUID in any letter case. */
export const guidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A DNS name of at least two labels. */
export const domainPattern =
  /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** The row of a tenant; Failure `not-found` if there is none. */
export async function existingTenant(queries: RegistryQueries, tenantId: string): Promise<RegistryRow> {
  const row = await queries.get('SELECT * FROM tenants WHERE tenant_id = $1', [asciiLower(tenantId)]);
  if (row === undefined) throw new Failure('not-found', [`There is no tenant '${tenantId}'.`]);
  return row;
}

function readDomains(fields: BodyFields): readonly string[] | undefined {
  const value = fields.value('domains');
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > 100)
    throw badField('domains', value, 'a list of at most 100 names');
  const domains = value.map((domain: unknown) => {
    if (typeof domain !== 'string' || !domainPattern.test(domain)) {
      throw badField('domains', domain, 'domain names such as contoso.example');
    }
    return asciiLower(domain);
  });
  return [...new Set(domains)].sort();
}

async function storeDomains(queries: RegistryQueries, tenantId: string, domains: readonly string[]) {
  await queries.all('DELETE FROM domains WHERE tenant_id = $1', [tenantId]);
  for (const domain of domains) {
    if (await queries.get('SELECT 1 AS taken FROM domains WHERE domain = $1', [domain])) {
      throw new Failure('conflict', [`The domain '${domain}' is taken by another tenant.`]);
    }
    await queries.all('INSERT INTO domains (domain, tenant_id) VALUES ($1, $2)', [domain, tenantId]);
  }
}

function toTenant(row: RegistryRow, domains: readonly string[]): Tenant {
  return {
    tenantId: String(row.tenant_id),
    accountId: String(row.account_id),
    sellerId: String(row.seller_id),
    name: String(row.name),
    domains,
    enabled: row.enabled === 1,
    createdAt: new Date(Number(row.created_at)).toISOString(),
  };
}

async function read(queries: RegistryQueries, tenantId: string): Promise<Tenant> {
  const row = await existingTenant(queries, tenantId);
  const domains = await queries.all('SELECT domain FROM domains WHERE tenant_id = $1 ORDER BY domain', [
    String(row.tenant_id),
  ]);
  return toTenant(
    row,
    domains.map(({ domain }) => String(domain)),
  );
}

/** A free seller id of eight digits. */
async function newSellerId(queries: RegistryQueries, random: Random): Promise<string> {
  for (;;) {
    const sellerId = String(10_000_000 + (random.bytes(4).readUInt32BE() % 90_000_000));
    if (!(await queries.get('SELECT 1 AS taken FROM tenants WHERE seller_id = $1', [sellerId])))
      return sellerId;
  }
}

/** Tenants in the registry. They are written through the directory, which then forgets the tenant. */
export function createTenants(
  registry: Registry,
  directory: Directory,
  clock: Clock,
  random: Random,
): Tenants {
  return {
    create: async (input) => {
      const fields = BodyFields.of(input, ['name', 'tenantId', 'sellerId', 'domains']);
      const name = fields.name('name');
      const tenantId = asciiLower(fields.optionalText('tenantId', guidPattern, 'a GUID') ?? newGuid(random));
      const givenSellerId = fields.optionalText('sellerId', /^\d{8}$/, '8 digits as text');
      const domains = readDomains(fields) ?? [];
      return directory.writing(tenantId, async (queries) => {
        if (await queries.get('SELECT 1 AS taken FROM tenants WHERE tenant_id = $1', [tenantId])) {
          throw new Failure('conflict', [`The tenant id '${tenantId}' is taken.`]);
        }
        const sellerId = givenSellerId ?? (await newSellerId(queries, random));
        if (await queries.get('SELECT 1 AS taken FROM tenants WHERE seller_id = $1', [sellerId])) {
          throw new Failure('conflict', [`The seller id '${sellerId}' is taken.`]);
        }
        await queries.all(
          'INSERT INTO tenants (tenant_id, account_id, seller_id, name, enabled, created_at) VALUES ($1, $2, $3, $4, 1, $5)',
          [tenantId, newGuid(random), sellerId, name, clock.now()],
        );
        await storeDomains(queries, tenantId, domains);
        return read(queries, tenantId);
      });
    },
    list: () =>
      registry.transaction(async (queries) => {
        const domains = new Map<string, string[]>();
        for (const row of await queries.all('SELECT tenant_id, domain FROM domains ORDER BY domain')) {
          const tenantId = String(row.tenant_id);
          domains.set(tenantId, [...(domains.get(tenantId) ?? []), String(row.domain)]);
        }
        const rows = await queries.all('SELECT * FROM tenants ORDER BY created_at, tenant_id');
        return rows.map((row) => toTenant(row, domains.get(String(row.tenant_id)) ?? []));
      }),
    get: (tenantId) => registry.transaction((queries) => read(queries, tenantId)),
    patch: async (tenantId, input) => {
      const fields = BodyFields.of(input, ['name', 'domains', 'enabled']);
      const [name, domains, enabled] = [
        fields.optionalName('name'),
        readDomains(fields),
        fields.optionalFlag('enabled'),
      ];
      return directory.writing(tenantId, async (queries) => {
        const row = await existingTenant(queries, tenantId);
        const id = String(row.tenant_id);
        await queries.all('UPDATE tenants SET name = $2, enabled = $3 WHERE tenant_id = $1', [
          id,
          name ?? String(row.name),
          enabled === undefined ? Number(row.enabled) : Number(enabled),
        ]);
        if (domains !== undefined) await storeDomains(queries, id, domains);
        return read(queries, id);
      });
    },
    remove: (tenantId) =>
      directory.writing(tenantId, async (queries) => {
        const row = await existingTenant(queries, tenantId);
        await queries.all('DELETE FROM tenants WHERE tenant_id = $1', [String(row.tenant_id)]);
        await queries.all('INSERT INTO removed_accounts (account_id, removed_at) VALUES ($1, $2)', [
          String(row.account_id),
          clock.now(),
        ]);
      }),
  };
}
