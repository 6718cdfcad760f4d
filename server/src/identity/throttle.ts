/** Counts failures by key and tells who has to wait. Bounded in size: the key that was tried longest ago goes first. */
import { createHash } from 'node:crypto';
import { LruMap } from '../lru-map.js';
import type { Clock } from '../system.js';

const windowMilliseconds = 60_000;
const failuresAllowed = 10;
const keysKept = 20_000;

/** Failed attempts of the last minute. */
export interface Throttle {
  /** Seconds this key has to wait, 0 if none. */
  wait(key: string): number;
  /** Counts a failed attempt. */
  fail(key: string): void;
}

/** A throttle that makes a key wait after ten failures within a minute. */
export function createThrottle(clock: Clock): Throttle {
  const failures = new LruMap<readonly number[]>(keysKept);

  /** What is kept of a key: callers choose a part of it, and may choose sixty kilobytes. */
  const digest = (key: string) => createHash('sha256').update(key).digest('base64');

  function recent(digested: string): readonly number[] {
    return (failures.get(digested) ?? []).filter((time) => clock.now() - time < windowMilliseconds);
  }

  return {
    wait: (key) => {
      const times = recent(digest(key));
      const first = times.at(-failuresAllowed);
      if (first === undefined) return 0;
      return Math.max(1, Math.ceil((first + windowMilliseconds - clock.now()) / 1000));
    },
    fail: (key) => {
      const digested = digest(key);
      const times = [...recent(digested), clock.now()].slice(-failuresAllowed);
      failures.set(digested, times);
    },
  };
}
