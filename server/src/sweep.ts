/**
 * What goes with time, looked after at the start and every hour: crash files past their days, audit lines past theirs,
 * and the files of accounts whose tenant was removed. Each step can be repeated, so one that was cut off is done again.
 */
import type { Crashes } from './crashes/index.js';
import type { Identity } from './identity/index.js';
import type { Log } from './log.js';
import type { Clock } from './system.js';

const hour = 3_600_000;

/** How long an account is looked at after it was removed: whatever was being taken in has arrived by then. */
const lookedAfter = 24 * hour;

/** What the sweep works with. */
export interface SweepParts {
  readonly crashes: Pick<Crashes, 'sweep' | 'removeFiles'>;
  readonly identity: Pick<Identity, 'forgetAudit' | 'removedAccounts' | 'forgetRemoved'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'error'>;
}

/** Sweeps now and every hour; `end` waits for what is being removed. */
export function sweeping({ crashes, identity, clock, log }: SweepParts): { end(): Promise<void> } {
  const removed = async () => {
    let count = 0;
    for (const { accountId, removedAt } of await identity.removedAccounts()) {
      count += await crashes.removeFiles(accountId);
      if (removedAt + lookedAfter <= clock.now()) await identity.forgetRemoved(accountId);
    }
    return count;
  };
  const steps: readonly (readonly [done: string, failed: string, step: () => Promise<number>])[] = [
    ['crash files past their time are removed', 'crash files past their time stay', () => crashes.sweep()],
    ['audit lines past their time are removed', 'audit lines past their time stay', identity.forgetAudit],
    ['files of removed tenants are removed', 'files of removed tenants stay', removed],
  ];
  const sweep = async () => {
    for (const [done, failed, step] of steps) {
      try {
        const count = await step();
        if (count > 0) log.info({ removed: count }, done);
      } catch (error) {
        log.error({ err: error }, failed);
      }
    }
  };
  let running = sweep();
  const timer = setInterval(() => {
    running = running.then(sweep);
  }, hour);
  return {
    end: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
