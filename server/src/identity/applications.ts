/** Management of a tenant's applications in the registry: client ids with a role. */
import { asciiLower, BodyFields } from '../body.js';
import { Failure } from '../failure.js';
import type { Registry, RegistryQueries, RegistryRow } from '../registry/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import type { Directory } from './directory.js';
import type { Application, Applications } from './index.js';
import { existingTenant, guidPattern } from './tenants.js';

const rolePattern = /^[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]{0,63}$/u;
const roleExpected = 'Manager, Reader or Ingestor (another text of at most 64 characters allows nothing)';

/** A role that is one of ours but for case is that one: it would allow nothing without a word. */
function roleOf(text: string): string {
  return ['Manager', 'Reader', 'Ingestor'].find((role) => role.toLowerCase() === asciiLower(text)) ?? text;
}

/** The row of an application; Failure `not-found` if tenant or application is missing. */
export async function existingApplication(
  queries: RegistryQueries,
  tenantId: string,
  clientId: string,
): Promise<RegistryRow> {
  await existingTenant(queries, tenantId);
  const row = await queries.get('SELECT * FROM applications WHERE tenant_id = $1 AND client_id = $2', [
    asciiLower(tenantId),
    asciiLower(clientId),
  ]);
  if (row === undefined) throw new Failure('not-found', [`The tenant has no application '${clientId}'.`]);
  return row;
}

function toApplication(row: RegistryRow): Application {
  return {
    clientId: String(row.client_id),
    name: String(row.name),
    role: String(row.role),
    enabled: row.enabled === 1,
    createdAt: new Date(Number(row.created_at)).toISOString(),
  };
}

/** Applications in the registry. They are written through the directory, which then forgets the tenant. */
export function createApplications(
  registry: Registry,
  directory: Directory,
  clock: Clock,
  random: Random,
): Applications {
  return {
    create: async (tenantId, input) => {
      const fields = BodyFields.of(input, ['name', 'role', 'clientId']);
      const name = fields.name('name');
      const role = roleOf(fields.text('role', rolePattern, roleExpected));
      const clientId = asciiLower(fields.optionalText('clientId', guidPattern, 'a GUID') ?? newGuid(random));
      return directory.writing(tenantId, async (queries) => {
        const tenant = String((await existingTenant(queries, tenantId)).tenant_id);
        const taken = 'SELECT 1 AS taken FROM applications WHERE tenant_id = $1 AND client_id = $2';
        if (await queries.get(taken, [tenant, clientId])) {
          throw new Failure('conflict', [`The client id '${clientId}' is taken in this tenant.`]);
        }
        await queries.all(
          'INSERT INTO applications (tenant_id, client_id, principal_id, name, role, enabled, created_at) VALUES ($1, $2, $3, $4, $5, 1, $6)',
          [tenant, clientId, newGuid(random), name, role, clock.now()],
        );
        return toApplication(await existingApplication(queries, tenant, clientId));
      });
    },
    list: (tenantId) =>
      registry.transaction(async (queries) => {
        const tenant = String((await existingTenant(queries, tenantId)).tenant_id);
        const rows = await queries.all(
          'SELECT * FROM applications WHERE tenant_id = $1 ORDER BY created_at, client_id',
          [tenant],
        );
        return rows.map(toApplication);
      }),
    get: (tenantId, clientId) =>
      registry.transaction(async (queries) =>
        toApplication(await existingApplication(queries, tenantId, clientId)),
      ),
    patch: async (tenantId, clientId, input) => {
      const fields = BodyFields.of(input, ['name', 'role', 'enabled']);
      const name = fields.optionalName('name');
      const role = fields.optionalText('role', rolePattern, roleExpected);
      const enabled = fields.optionalFlag('enabled');
      return directory.writing(tenantId, async (queries) => {
        const row = await existingApplication(queries, tenantId, clientId);
        await queries.all(
          'UPDATE applications SET name = $3, role = $4, enabled = $5 WHERE tenant_id = $1 AND client_id = $2',
          [
            String(row.tenant_id),
            String(row.client_id),
            name ?? String(row.name),
            role === undefined ? String(row.role) : roleOf(role),
            enabled === undefined ? Number(row.enabled) : Number(enabled),
          ],
        );
        return toApplication(await existingApplication(queries, tenantId, clientId));
      });
    },
    remove: (tenantId, clientId) =>
      directory.writing(tenantId, async (queries) => {
        const row = await existingApplication(queries, tenantId, clientId);
        await queries.all('DELETE FROM applications WHERE tenant_id = $1 AND client_id = $2', [
          String(row.tenant_id),
          String(row.client_id),
        ]);
      }),
  };
}
