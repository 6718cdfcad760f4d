/**
 * The RSA keys that sign access tokens: a current one, the next one, published ahead so that verifiers know it
 * before it signs, and retired ones, kept for 24 hours. They live in the registry. Rotation is by age, noticed when
 * a key is asked for, and on demand.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import type { Registry, RegistryQueries, RegistryRow } from '../registry/index.js';
import type { Clock } from '../system.js';
import type { PublicSigningKey } from './index.js';

const dayMilliseconds = 86_400_000;
const retention = dayMilliseconds;

/** A signing key with its times in milliseconds. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly published: PublicSigningKey;
  readonly activatedAt: number | null;
  readonly retiredAt: number | null;
}

/** The signing keys of the installation. */
export interface SigningKeys {
  /** The key to sign with; rotates first if it is too old. */
  current(): Promise<SigningKey>;
  /** The key with this id unless it was retired more than 24 hours ago. */
  find(kid: string): SigningKey | undefined;
  /** Keys to publish: current, next, retired. */
  published(): Promise<readonly PublicSigningKey[]>;
  /** Makes the next key the current one; returns it. */
  rotate(): Promise<SigningKey>;
  /** Makes new keys and forgets all others, the next one included, with every token of theirs; returns the current one. */
  revoke(): Promise<SigningKey>;
}

async function toSigningKey(row: RegistryRow): Promise<SigningKey> {
  const privateKey = createPrivateKey(String(row.private_key));
  const publicKey = createPublicKey(privateKey);
  const { n, e } = publicKey.export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new TypeError(`signing key ${row.kid} is no RSA key`);
  const kid = String(row.kid);
  return {
    kid,
    privateKey,
    publicKey,
    published: { kty: 'RSA', use: 'sig', kid, x5t: kid, n, e },
    activatedAt: row.activated_at === null ? null : Number(row.activated_at),
    retiredAt: row.retired_at === null ? null : Number(row.retired_at),
  };
}

/** A new RSA 2048 key. */
export async function newSigningKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })).privateKey;
}

/** A key as PKCS #8 PEM, named by its RFC 7638 thumbprint. */
async function written(privateKey: KeyObject): Promise<{ kid: string; pem: string }> {
  const kid = await calculateJwkThumbprint(createPublicKey(privateKey).export({ format: 'jwk' }), 'sha256');
  return { kid, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

async function insert(
  queries: RegistryQueries,
  key: { kid: string; pem: string },
  now: number,
  activatedAt: number | null,
) {
  await queries.all(
    'INSERT INTO signing_keys (kid, private_key, created_at, activated_at) VALUES ($1, $2, $3, $4)',
    [key.kid, key.pem, now, activatedAt],
  );
}

/**
 * Reads the signing keys, or makes the first two. `days` is the age at which the next key takes over; `rotated`
 * hears of rotations by age, `make` makes keys.
 */
export async function openSigningKeys(
  registry: Registry,
  clock: Clock,
  days: number,
  rotated: (kid: string) => Promise<void>,
  make: () => Promise<KeyObject> = newSigningKey,
): Promise<SigningKeys> {
  let keys: readonly SigningKey[] = [];
  let rotating: Promise<SigningKey> | undefined;

  async function read(): Promise<void> {
    const rows = await registry.all('SELECT * FROM signing_keys ORDER BY created_at, kid');
    keys = await Promise.all(rows.map(toSigningKey));
  }

  const kept = () => keys.filter((key) => key.retiredAt === null || clock.now() - key.retiredAt <= retention);
  const isNext = (key: SigningKey) => key.activatedAt === null;
  const isCurrent = (key: SigningKey) => key.activatedAt !== null && key.retiredAt === null;

  function present(matches: (key: SigningKey) => boolean): SigningKey {
    const key = keys.find(matches);
    if (key === undefined) throw new Error('the registry lacks a signing key');
    return key;
  }

  async function rotateNow(): Promise<SigningKey> {
    const made = await written(await make());
    const next = present(isNext);
    await registry.transaction(async (queries) => {
      const now = clock.now();
      await queries.all('DELETE FROM signing_keys WHERE retired_at < $1', [now - retention]);
      await queries.all(
        'UPDATE signing_keys SET retired_at = $1 WHERE activated_at IS NOT NULL AND retired_at IS NULL',
        [now],
      );
      await queries.all('UPDATE signing_keys SET activated_at = $1 WHERE kid = $2', [now, next.kid]);
      await insert(queries, made, now, null);
    });
    await read();
    return present(isCurrent);
  }

  /** Two new keys in the place of whatever there is. */
  async function begin(): Promise<SigningKey> {
    const [first, next] = await Promise.all([make().then(written), make().then(written)]);
    await registry.transaction(async (queries) => {
      await queries.all('DELETE FROM signing_keys');
      await insert(queries, first, clock.now(), clock.now());
      await insert(queries, next, clock.now(), null);
    });
    await read();
    return present(isCurrent);
  }

  async function revoke(): Promise<SigningKey> {
    // A rotation that is under way would bring a key back.
    await rotating?.catch(() => undefined);
    return await begin();
  }

  /** One rotation at a time; who asks during one gets its result. */
  function rotate(): Promise<SigningKey> {
    rotating ??= rotateNow().finally(() => {
      rotating = undefined;
    });
    return rotating;
  }

  async function current(): Promise<SigningKey> {
    const key = present(isCurrent);
    if (clock.now() - (key.activatedAt ?? 0) < days * dayMilliseconds) return key;
    if (rotating !== undefined) return rotating;
    const fresh = await rotate();
    await rotated(fresh.kid);
    return fresh;
  }

  await read();
  if (keys.length === 0) await begin();

  return {
    current,
    find: (kid) => kept().find((key) => key.kid === kid),
    published: async () => {
      await current();
      const rank = (key: SigningKey) => (isCurrent(key) ? 0 : isNext(key) ? 1 : 2);
      return kept()
        .sort((a, b) => rank(a) - rank(b))
        .map((key) => key.published);
    },
    rotate,
    revoke,
  };
}
