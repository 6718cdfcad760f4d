/**
 * Stores mirrored days under batch ids that name scope, content and the commit before it: an attempt that is repeated
 * finds its own commit, whatever of it was done, and a content that comes back later is stored anew. The scope has to be
 * there, because empty days of all products are alike.
 */
import type { Ingest } from '../ingest/index.js';
import { KeyLocks } from '../locks.js';
import type { Registry } from '../registry/index.js';
import type { DayKey, Mirror, RecordAnswer, RecordKey } from './index.js';
import { MirrorDays, stateOf } from './mirror-days.js';
import { MirrorRecords, type PreparedRecord, type RecordParts } from './mirror-records.js';

/** What {@link createMirror} needs. */
export interface MirrorOptions extends RecordParts {
  readonly ingest: Pick<Ingest, 'prepareDay' | 'storeDay' | 'dropDay' | 'newFile' | 'store'>;
  /** Migrated. */
  readonly registry: Registry;
}

function keyOf({ accountId, report, scope, day }: DayKey): string {
  return `${accountId}\n${report}\n${scope}\n${day}`;
}

/** Wires ingestion and registry. Errors of the registry pass through. */
export function createMirror(options: MirrorOptions): Mirror {
  const { ingest, registry, clock } = options;
  const records = new MirrorRecords(options);
  const days = new MirrorDays(registry);
  const locks = new KeyLocks();

  async function putRecord(key: RecordKey, prepared: PreparedRecord): Promise<RecordAnswer> {
    const { accountId, report, scope, name } = key;
    const item: DayKey = { accountId, report, scope, day: name };
    return await locks.run(keyOf(item), async () => {
      const { hash } = prepared;
      const known = await days.stored(item);
      const same = known !== undefined && known.hash === hash;
      const batch = same ? known.batch : `${report}/${scope}/${name}/${known?.seq ?? 0}/${hash}`;
      if (same) await records.drop(prepared);
      else if (known !== undefined) await days.doubt(item);
      const seq = same ? known.seq : (await records.store(key, prepared, batch)).seq;
      await days.write(item, { seq, batch, hash, rows: 1, settled: true }, clock.now());
      return { report, applicationId: scope === '' ? null : scope, id: name, batch, duplicate: same };
    });
  }

  return {
    putStack: (key, frames) => putRecord(key, records.stack(key, frames)),

    putFile: async (key, body) => await putRecord(key, await records.receive(key, body)),

    file: (accountId, fileId) => records.file(accountId, fileId),

    async put({ settled, ...body }) {
      const { accountId, scope, day, table } = body;
      const key: DayKey = { accountId, report: table.report.name, scope, day };
      const prepared = await ingest.prepareDay(body);
      try {
        return await locks.run(keyOf(key), async () => {
          const { rows, hash, ignored } = prepared;
          const known = await days.stored(key);
          const same = known !== undefined && known.hash === hash;
          const batch = same ? known.batch : `${scope}/${day}/${known?.seq ?? 0}/${hash}`;
          if (known !== undefined && !same) await days.doubt(key);
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
