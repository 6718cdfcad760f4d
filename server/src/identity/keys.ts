/**
 * Management of application keys, and the comparison of a presented secret with them. An application may have any
 * number of live keys, so that one can be replaced while another works. A secret is shown once and kept hashed.
 */
import { BodyFields } from '../body.js';
import { Failure } from '../failure.js';
import type { Registry, RegistryQueries, RegistryRow } from '../registry/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import { existingApplication } from './applications.js';
import type { ApplicationRecord, Directory, KeyRecord } from './directory.js';
import type { Key, Keys } from './index.js';
import { newSecret, type SecretHasher } from './secrets.js';

const dayMilliseconds = 86_400_000;
const usedInterval = 60_000;

/** Result of a comparison: the live key, else whether an expired one matched. */
export type KeyMatch = { readonly live: KeyRecord } | { readonly live: undefined; readonly expired: boolean };

/**
 * Compares the readings of a presented secret with every key of an application, in time that does not depend on
 * which of them match.
 */
export function matchKey(
  hasher: SecretHasher,
  application: ApplicationRecord,
  secrets: readonly string[],
  now: number,
): KeyMatch {
  const hashes = secrets.map((secret) => hasher.hash(secret));
  let live: KeyRecord | undefined;
  let expired = false;
  for (const key of application.keys) {
    for (const hash of hashes) {
      const equal = hasher.equal(hash, key.hash);
      if (equal && key.expiresAt > now) live = key;
      if (equal && key.expiresAt <= now) expired = true;
    }
  }
  return live === undefined ? { live, expired } : { live };
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function toKey(row: RegistryRow): Key {
  return {
    keyId: String(row.key_id),
    hint: String(row.hint),
    createdAt: instant(Number(row.created_at)),
    expiresAt: instant(Number(row.expires_at)),
    lastUsedAt: row.last_used_at === null ? null : instant(Number(row.last_used_at)),
  };
}

async function keysOf(queries: RegistryQueries, application: RegistryRow): Promise<readonly RegistryRow[]> {
  return queries.all(
    'SELECT * FROM application_keys WHERE tenant_id = $1 AND client_id = $2 ORDER BY created_at, key_id',
    [String(application.tenant_id), String(application.client_id)],
  );
}

/** Keys in the registry. They are written through the directory, which then forgets the tenant. */
export function createKeys(
  registry: Registry,
  directory: Directory,
  hasher: SecretHasher,
  clock: Clock,
  random: Random,
): Keys {
  return {
    create: async (tenantId, clientId, input) => {
      const fields = BodyFields.of(input, ['expiresInDays', 'clientSecret']);
      const days = fields.optionalInteger('expiresInDays', 1, 730) ?? 365;
      const given = fields.value('clientSecret');
      // Not through `optionalText`, whose refusal would repeat the secret.
      if (
        given !== undefined &&
        (typeof given !== 'string' || !/^[^\u0000-\u001f\u007f]{32,256}$/u.test(given))
      ) {
        throw new Failure('invalid-body', ['clientSecret (not shown) is no text of 32 to 256 characters.']);
      }
      const clientSecret = given ?? newSecret(random);
      const hash = hasher.hash(clientSecret);
      return directory.writing(tenantId, async (queries) => {
        const application = await existingApplication(queries, tenantId, clientId);
        const same = (await keysOf(queries, application)).find((row) => row.secret_hash === hash);
        if (same !== undefined) {
          throw new Failure('conflict', [`This secret is key '${same.key_id}' of the application already.`]);
        }
        const keyId = newGuid(random);
        const now = clock.now();
        const expiresAt = now + days * dayMilliseconds;
        await queries.all(
          'INSERT INTO application_keys (key_id, tenant_id, client_id, secret_hash, hint, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
          [
            keyId,
            String(application.tenant_id),
            String(application.client_id),
            hash,
            [...clientSecret].slice(0, 3).join(''),
            now,
            expiresAt,
          ],
        );
        return { keyId, clientSecret, expiresAt: instant(expiresAt) };
      });
    },
    list: (tenantId, clientId) =>
      registry.transaction(async (queries) => {
        const application = await existingApplication(queries, tenantId, clientId);
        return (await keysOf(queries, application)).map(toKey);
      }),
    remove: (tenantId, clientId, keyId) =>
      directory.writing(tenantId, async (queries) => {
        const application = await existingApplication(queries, tenantId, clientId);
        const row = (await keysOf(queries, application)).find((key) => key.key_id === keyId.toLowerCase());
        if (row === undefined) throw new Failure('not-found', [`The application has no key '${keyId}'.`]);
        await queries.all('DELETE FROM application_keys WHERE key_id = $1', [String(row.key_id)]);
      }),
  };
}

/** Notes when keys were last used, at most once a minute each and without making the grant wait. */
export interface KeyUse {
  note(keyId: string): void;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}

/** Key use kept in the registry; `failed` hears of writes that did not succeed. */
export function createKeyUse(registry: Registry, clock: Clock, failed: (error: unknown) => void): KeyUse {
  const noted = new Map<string, number>();
  let writes: Promise<unknown> = Promise.resolve();
  return {
    note: (keyId) => {
      const now = clock.now();
      const last = noted.get(keyId);
      if (last !== undefined && now - last < usedInterval) return;
      noted.set(keyId, now);
      const write = registry
        .all('UPDATE application_keys SET last_used_at = $2 WHERE key_id = $1', [keyId, now])
        .catch(failed);
      writes = Promise.all([writes, write]);
    },
    close: async () => {
      await writes;
    },
  };
}
