/**
 * Makes and hashes the secrets of this server: application keys and the operator key. A secret is 43 characters
 * `[A-Za-z0-9]`, 256 bits; what is kept of it is an HMAC under the pepper of the installation. A slow hash would add
 * nothing to that many random bits.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Registry } from '../registry/index.js';
import type { Random } from '../system.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A new secret. Bytes that would favour some characters are drawn again. */
export function newSecret(random: Random): string {
  let text = '';
  while (text.length < 43) {
    for (const byte of random.bytes(64)) {
      if (byte < 248 && text.length < 43) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}

/** Hashes of secrets under one pepper. */
export interface SecretHasher {
  /** HMAC-SHA-256 of the UTF-8 bytes, hex. */
  hash(secret: string): string;
  /** Whether two hashes are equal, in time that does not depend on where they differ. */
  equal(left: string, right: string): boolean;
}

/** Reads the installation's pepper, or makes it at first start. */
export async function openSecretHasher(registry: Registry, random: Random): Promise<SecretHasher> {
  const pepper = await registry.transaction(async (queries) => {
    const row = await queries.get("SELECT value FROM installation WHERE name = 'pepper'");
    if (row !== undefined) return String(row.value);
    const made = random.bytes(32).toString('hex');
    await queries.all("INSERT INTO installation (name, value) VALUES ('pepper', $1)", [made]);
    return made;
  });
  const key = Buffer.from(pepper, 'hex');
  return {
    hash: (secret) => createHmac('sha256', key).update(secret, 'utf8').digest('hex'),
    equal: (left, right) => {
      const [a, b] = [Buffer.from(left, 'hex'), Buffer.from(right, 'hex')];
      return a.length === b.length && a.length > 0 && timingSafeEqual(a, b);
    },
  };
}
