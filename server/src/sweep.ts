/**
 * What goes with time, looked after at the start and every hour: crash files past their days, audit lines past theirs,
 * and what accounts left whose tenant was removed. Each step can be repeated, so one that was cut off is done again.
 */
import type { Crashes } from './crashes/index.js';
import type { Identity } from './identity/index.js';
import type { Ingest } from './ingest/index.js';
import type { Log } from './log.js';
import type { Mirror } from './mirror/index.js';
import type { Clock } from './system.js';

const hour = 3_600_000;

/** Rows stay this long after their tenant was removed: whatever was being taken in has arrived by then. */
const rowsStay = 24 * hour;

/** What the sweep works with. */
export interface SweepParts {
  readonly crashes: Pick<Crashes, 'sweep' | 'removeFiles'>;
  readonly identity: Pick<Identity, 'forgetAudit' | 'removedAccounts' | 'forgetRemoved'>;
  readonly ingest: Pick<Ingest, 'removeAccount'>;
  readonly mirror: Pick<Mirror, 'forget'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'error'>;
}

/** Sweeps now and every hour; `end` waits for what is being removed. */
export function sweeping(parts: SweepParts): { end(): Promise<void> } {
  const { crashes, identity, ingest, mirror, clock, log } = parts;
  const removedFiles = async () => {
    let count = 0;
    for (const { accountId } of await identity.removedAccounts()) {
      count += await crashes.removeFiles(accountId);
    }
    return count;
  };
  const removedRows = async () => {
    let count = 0;
    for (const { accountId, removedAt } of await identity.removedAccounts()) {
      if (removedAt + rowsStay > clock.now()) continue;
      const left = await ingest.removeAccount(accountId);
      count += left;
      if (left > 0) continue;
      await mirror.forget(accountId);
      await identity.forgetRemoved(accountId);
    }
    return count;
  };
  const steps: readonly (readonly [done: string, failed: string, step: () => Promise<number>])[] = [
    ['crash files past their time are removed', 'crash files past their time stay', () => crashes.sweep()],
    ['audit lines past their time are removed', 'audit lines past their time stay', identity.forgetAudit],
    ['files of removed tenants are removed', 'files of removed tenants stay', removedFiles],
    ['rows of removed tenants are being removed', 'rows of removed tenants stay', removedRows],
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
