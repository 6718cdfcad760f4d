/**
 * Stores mirrored days under batch ids that name the content and the commit before it: an attempt that is repeated
 * finds its own commit, whatever of it was done, and a content that comes back later is stored anew.
 */
import type { Ingest } from '../ingest/index.js';
import { KeyLocks } from '../locks.js';
import type { Registry } from '../registry/index.js';
import type { Clock } from '../system.js';
import type { DayKey, Mirror } from './index.js';
import { MirrorDays, stateOf } from './mirror-days.js';

/** What {@link createMirror} needs. */
export interface MirrorOptions {
  readonly ingest: Pick<Ingest, 'prepareDay' | 'storeDay' | 'dropDay'>;
  /** Migrated. */
  readonly registry: Registry;
  readonly clock: Clock;
}

function keyOf({ accountId, report, scope, day }: DayKey): string {
  return `${accountId}\n${report}\n${scope}\n${day}`;
}

/** Wires ingestion and registry. Errors of the registry pass through. */
export function createMirror({ ingest, registry, clock }: MirrorOptions): Mirror {
  const days = new MirrorDays(registry);
  const locks = new KeyLocks();

  return {
    async put({ settled, ...body }) {
      const { accountId, scope, day, table } = body;
      const key: DayKey = { accountId, report: table.report.name, scope, day };
      const prepared = await ingest.prepareDay(body);
      try {
        return await locks.run(keyOf(key), async () => {
          const { rows, hash, ignored } = prepared;
          const known = await days.stored(key);
          const same = known !== undefined && known.hash === hash;
          const batch = same ? known.batch : `${day}/${known?.seq ?? 0}/${hash}`;
          const seq = same ? known.seq : (await ingest.storeDay(prepared, batch)).seq;
          await days.write(key, { seq, batch, hash, rows, settled }, clock.now());
          return {
            report: key.report,
            applicationId: scope === '' ? null : scope,
            day,
            state: stateOf({ settled, rows, failed: false }),
            rows,
            batch,
            duplicate: same,
            ignoredFields: ignored,
          };
        });
      } finally {
        await ingest.dropDay(prepared);
      }
    },

    fail: (key, error) => locks.run(keyOf(key), () => days.fail(key, error, clock.now())),

    remember: (key, cursor) => days.remember(key, cursor, clock.now()),

    state: (question) => days.state(question),
  };
}
