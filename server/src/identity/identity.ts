/**
 * Puts the parts of identity together over one registry: management of tenants, applications and keys, the token
 * grant, the check of tokens, signing keys, the operator key and the audit.
 */
import type { KeyObject } from 'node:crypto';
import type { Settings } from '../config.js';
import { Failure } from '../failure.js';
import type { Registry } from '../registry/index.js';
import type { Clock, Random } from '../system.js';
import { createApplications } from './applications.js';
import { createAudit } from './audit.js';
import { createDirectory } from './directory.js';
import { checkClientCredentials, resolveTenant } from './grants/client-credentials.js';
import type { Identity } from './index.js';
import { createKeys, createKeyUse } from './keys.js';
import { bearerOf, openOperator } from './operator.js';
import { openSecretHasher } from './secrets.js';
import { openSigningKeys } from './signing-keys.js';
import { createTenants } from './tenants.js';
import { createThrottle } from './throttle.js';
import { createTokens } from './tokens.js';

/** What identity is built from. */
export interface IdentityOptions {
  /** With the schema of this program. */
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes signing keys; new RSA keys if missing. */
  readonly signingKey?: (() => Promise<KeyObject>) | undefined;
  readonly settings: Pick<Settings, 'token-version' | 'token-issuer' | 'signing-key-days' | 'audit-days'>;
  /** Origin that clients use, without a trailing slash; asked at every use because the port may come late. */
  readonly publicUrl: () => string;
  /** Data folder, for the file with the operator key. */
  readonly folder: string;
  /** Hears of background writes that failed. */
  readonly failed?: (error: unknown) => void;
}

/** Opens identity; makes pepper, signing keys and operator key at first start. */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { registry, clock, random, settings, publicUrl, folder, failed = () => undefined } = options;
  const hasher = await openSecretHasher(registry, random);
  const operator = await openOperator(registry, folder, hasher, clock, random);
  const audit = createAudit(registry, clock, random, settings['audit-days']);
  const rotated = (kid: string) =>
    audit.write({ actor: 'server', action: 'signing-key.rotate', target: kid, outcome: 'ok', address: '' });
  const days = settings['signing-key-days'];
  const signingKeys = await openSigningKeys(registry, clock, days, rotated, options.signingKey);
  const directory = createDirectory(registry);
  const tokens = createTokens(signingKeys, clock, random, {
    version: settings['token-version'],
    issuerTemplate: settings['token-issuer'],
    publicUrl,
  });
  const throttle = createThrottle(clock);
  const keyUse = createKeyUse(registry, clock, failed);
  const tenants = createTenants(registry, directory, clock, random);

  return {
    tenants,
    applications: createApplications(registry, directory, clock, random),
    keys: createKeys(registry, directory, hasher, clock, random),
    operator,
    grant: async (request) => {
      const granted = await checkClientCredentials(request, { directory, hasher, throttle, clock });
      const { tenant, application, key, resource } = granted;
      const token = await tokens.issue({
        tenantId: tenant.tenantId,
        clientId: application.clientId,
        principalId: application.principalId,
        resource,
      });
      keyUse.note(key.keyId);
      return token;
    },
    verify: async (authorization) => {
      const token = bearerOf(authorization);
      if (token === undefined) throw new Failure('token-missing', ['The access token is missing.']);
      const { tenantId, clientId } = await tokens.verify(token);
      const tenant = await directory.byId(tenantId);
      if (!tenant?.enabled) {
        throw new Failure('token-invalid', ['The tenant of the access token is unknown or disabled.']);
      }
      const application = tenant.applications.get(clientId);
      if (!application?.enabled) {
        throw new Failure('token-invalid', ['The application of the access token is unknown or disabled.']);
      }
      return {
        tenantId: tenant.tenantId,
        accountId: tenant.accountId,
        sellerId: tenant.sellerId,
        applicationId: application.clientId,
        role: application.role,
      };
    },
    operatorCaller: async (tenantId) => {
      const tenant = await directory.byId(tenantId);
      if (tenant === undefined) throw new Failure('not-found', [`There is no tenant '${tenantId}'.`]);
      return {
        tenantId: tenant.tenantId,
        accountId: tenant.accountId,
        sellerId: tenant.sellerId,
        applicationId: 'operator',
        role: 'Manager',
      };
    },
    findTenant: (idOrDomain) => resolveTenant(directory, idOrDomain),
    issuers: tokens.issuers,
    publishedKeys: signingKeys.published,
    rotateSigningKey: async () => (await signingKeys.rotate()).kid,
    revokeSigningKeys: async () => (await signingKeys.revoke()).kid,
    audit: audit.write,
    auditLines: audit.lines,
    forgetAudit: audit.forget,
    removedAccounts: async () => {
      const rows = await registry.all(
        'SELECT account_id, removed_at FROM removed_accounts ORDER BY removed_at',
      );
      return rows.map((row) => ({ accountId: String(row.account_id), removedAt: Number(row.removed_at) }));
    },
    forgetRemoved: async (accountId) => {
      await registry.all('DELETE FROM removed_accounts WHERE account_id = $1', [accountId]);
    },
    close: keyUse.close,
  };
}
