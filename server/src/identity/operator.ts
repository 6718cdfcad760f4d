/**
 * The operator key. Made at first start into `operator.key` of the data folder, readable for the owner only; the
 * registry keeps its hash. A key that is lost is made anew at the next start if the file is there but empty: who can
 * write the folder owns the server anyway.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../failure.js';
import type { Registry } from '../registry/index.js';
import type { Clock, Random } from '../system.js';
import type { Operator } from './index.js';
import { newSecret, type SecretHasher } from './secrets.js';
import { createThrottle } from './throttle.js';

/** The key in an `Authorization: Bearer` header, undefined if there is none. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Opens the operator key of a data folder, making it if there is none. */
export async function openOperator(
  registry: Registry,
  folder: string,
  hasher: SecretHasher,
  clock: Clock,
  random: Random,
): Promise<Operator> {
  const keyFile = resolve(join(folder, 'operator.key'));
  const nextFile = `${keyFile}.next`;
  const throttle = createThrottle(clock);
  const row = await registry.get("SELECT value FROM installation WHERE name = 'operator-key'");
  let hash = row === undefined ? undefined : String(row.value);

  /** The new key is on disk before the old one ends, and takes the file's name after: a crash loses neither. */
  async function replace(): Promise<string> {
    const key = newSecret(random);
    rmSync(nextFile, { force: true });
    writeFileSync(nextFile, `${key}\n`, { mode: 0o600, flush: true });
    const fresh = hasher.hash(key);
    await registry.all(
      "INSERT INTO installation (name, value) VALUES ('operator-key', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      [fresh],
    );
    renameSync(nextFile, keyFile);
    hash = fresh;
    return key;
  }

  let rotated: Promise<unknown> = Promise.resolve();
  /** One rotation after the other: two at a time would share the file of the next key. */
  function rotate(): Promise<string> {
    const rotation = rotated.then(replace);
    rotated = rotation.catch(() => undefined);
    return rotation;
  }

  const interrupted = contentOf(nextFile);
  if (interrupted !== undefined) {
    if (hash !== undefined && hasher.equal(hasher.hash(interrupted), hash)) renameSync(nextFile, keyFile);
    else rmSync(nextFile, { force: true });
  }
  if (hash === undefined || contentOf(keyFile) === '') await replace();

  return {
    keyFile,
    verify: async (authorization, address) => {
      const wait = throttle.wait(address);
      if (wait > 0) {
        throw new Failure(
          'too-many-requests',
          [`Ten attempts with a wrong operator key within a minute; wait ${wait} seconds.`],
          { retryAfter: wait },
        );
      }
      const key = bearerOf(authorization);
      if (key !== undefined && hash !== undefined && hasher.equal(hasher.hash(key), hash)) return;
      throttle.fail(address);
      throw new Failure('operator-key-invalid', [
        key === undefined ? 'The operator key is missing.' : 'The operator key is not the right one.',
      ]);
    },
    rotate,
  };
}
