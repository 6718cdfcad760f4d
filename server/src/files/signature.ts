/**
 * Addresses that open one file for ten minutes to whoever has them. An address names tenant, file, expiry and key,
 * and carries an HMAC-SHA-256 over method, account, file and expiry, under keys that serve nothing else. Whether the
 * file is still there, and still the account's, is for whoever serves it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Registry, RegistryQueries } from '../registry/index.js';
import type { Clock, Random } from '../system.js';

/** How long an address is good for, in milliseconds. */
export const addressLife = 600_000;

/** Age at which a new key takes over. The one before is known while an address of it may be good. */
const keyLife = 30 * 86_400_000;
/** Name of the registry value: a JSON list, the key to sign with first. */
const storedName = 'file-address-keys';

interface AddressKey {
  readonly id: string;
  /** Hex. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
}

/** What an address is made for. All of it may stand in a URL as it is. */
export interface AddressedFile {
  readonly tenantId: string;
  readonly accountId: string;
  /** The `cabIdHash`. */
  readonly file: string;
}

/** An address. */
export interface FileAddress {
  /** Path and query below the server's origin. Secret: to be shown to nobody but the caller. */
  readonly target: string;
  /** Twelve hex digits that tell addresses apart and open nothing; for the audit. */
  readonly mark: string;
}

/** What came back in an address, as text. */
export interface PresentedAddress {
  readonly accountId: string;
  readonly file: string;
  readonly key: string;
  readonly expires: string;
  readonly signature: string;
}

/** Makes and checks addresses. */
export interface FileAddresses {
  make(file: AddressedFile): Promise<FileAddress>;
  /** The mark of an address that is genuine and not expired; undefined for any other. */
  check(address: PresentedAddress): string | undefined;
  /** Makes a new key; addresses of the old one stay good for their ten minutes. */
  rotate(): Promise<void>;
  /** Makes a new key; addresses of all others end at once. */
  revoke(): Promise<void>;
}

/** Reads the keys from the registry; the first one is made at first use. */
export async function openFileAddresses(
  registry: Registry,
  clock: Clock,
  random: Random,
): Promise<FileAddresses> {
  let keys = await readKeys(registry);
  let renewing: Promise<void> | undefined;

  async function renewNow(keptLife: number): Promise<void> {
    const now = clock.now();
    const made: AddressKey = {
      id: random.bytes(6).toString('hex'),
      secret: random.bytes(32).toString('hex'),
      madeAt: now,
    };
    keys = await registry.transaction(async (queries) => {
      // A key ends when the one after it is made.
      const known = await readKeys(queries);
      const kept = known.filter((_, index) => now - (known[index - 1]?.madeAt ?? now) < keptLife);
      const next = [made, ...kept];
      await queries.all('DELETE FROM installation WHERE name = $1', [storedName]);
      await queries.all('INSERT INTO installation (name, value) VALUES ($1, $2)', [
        storedName,
        JSON.stringify(next),
      ]);
      return next;
    });
  }

  /** One renewal at a time; who asks during one waits for it. */
  function renew(): Promise<void> {
    renewing ??= renewNow(addressLife).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function current(): Promise<AddressKey> {
    const [key] = keys;
    if (key !== undefined && clock.now() - key.madeAt < keyLife) return key;
    await renew();
    const [made] = keys;
    if (made === undefined) throw new TypeError('there is no key for addresses of files');
    return made;
  }

  return {
    async make({ tenantId, accountId, file }) {
      const key = await current();
      const expires = String(clock.now() + addressLife);
      const signature = sign(key, accountId, file, expires);
      const text = signature.toString('base64url');
      return {
        target: `/files/v1/${tenantId}/${file}.cab?key=${key.id}&expires=${expires}&signature=${text}`,
        mark: markOf(signature),
      };
    },
    check({ accountId, file, key: id, expires, signature }) {
      const index = keys.findIndex((key) => key.id === id);
      const key = keys[index];
      if (key === undefined) return undefined;
      const wanted = sign(key, accountId, file, expires);
      const given = Buffer.from(signature, 'base64url');
      // Decoding is lenient; the one spelling that was handed out is good.
      const genuine =
        given.length === wanted.length &&
        timingSafeEqual(given, wanted) &&
        given.toString('base64url') === signature;
      const replacedAt = keys[index - 1]?.madeAt;
      const known = replacedAt === undefined || clock.now() - replacedAt < addressLife;
      return genuine && known && clock.now() < Number(expires) ? markOf(wanted) : undefined;
    },
    rotate: renew,
    async revoke() {
      await renewing?.catch(() => undefined);
      await renewNow(0);
    },
  };
}

async function readKeys(queries: RegistryQueries): Promise<readonly AddressKey[]> {
  const row = await queries.get('SELECT value FROM installation WHERE name = $1', [storedName]);
  return row === undefined ? [] : (JSON.parse(String(row.value)) as readonly AddressKey[]);
}

/** HEAD is part of GET. The parts are JSON, so that none can reach into its neighbour. */
function sign(key: AddressKey, accountId: string, file: string, expires: string): Buffer {
  const text = JSON.stringify(['GET', accountId, file, expires]);
  return createHmac('sha256', Buffer.from(key.secret, 'hex')).update(text, 'utf8').digest();
}

function markOf(signature: Buffer): string {
  return createHash('sha256').update(signature).digest('hex').slice(0, 12);
}
