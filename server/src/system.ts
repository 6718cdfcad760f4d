/**
 * Time and chance as arguments. Everything that needs the clock or random bytes receives them from the
 * composition root, so that tests and the demo can choose both.
 */
import { randomBytes } from 'node:crypto';

/** Source of the current time. */
export interface Clock {
  /** Milliseconds since 1970 in UTC. */
  now(): number;
}

/** Source of random bytes fit for secrets. */
export interface Random {
  bytes(count: number): Buffer;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The machine's random generator. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };

/** A random (version 4) GUID in lower case. */
export function newGuid(random: Random): string {
  return guidOf(random.bytes(16));
}

/** Sixteen random bytes as a GUID of version 4, in lower case; the bits of version and variant are set in place. */
export function guidOf(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The UTC day of a time as `yyyy-MM-dd`. */
export function utcDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** Makes random GUIDs like {@link newGuid}, from bytes that are taken for so many at once: 1 microsecond, not 15. */
export function guidsOf(random: Random, atOnce = 64): () => string {
  let bytes: Buffer = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === bytes.length) {
      bytes = random.bytes(16 * atOnce);
      used = 0;
    }
    used += 16;
    return guidOf(bytes.subarray(used - 16, used));
  };
}
