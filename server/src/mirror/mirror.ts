/**
 * Stores mirrored days under batch ids that name scope, content and the number of the attempt. What is attempted is written
 * down before it is: an attempt that is repeated finds its own commit, whatever of it was done, and a content that comes
 * back, at whatever point others broke off, is stored anew, behind them. The scope has to be there, because empty days of
 * all products are alike.
 */
import type { Ingest } from '../ingest/index.js';
import { KeyLocks } from '../locks.js';
import type { Registry } from '../registry/index.js';
import type { DayKey, Mirror, MirroredAnswer, MirroredBody, RecordAnswer, RecordKey } from './index.js';
import { type LastAttempt, MirrorDays } from './mirror-days.js';
import { MirrorRecords, type PreparedRecord, type RecordParts } from './mirror-records.js';

/** What {@link createMirror} needs. */
export interface MirrorOptions extends RecordParts {
  readonly ingest: Pick<Ingest, 'inQueue' | 'prepareDay' | 'storeDay' | 'dropDay' | 'newFile' | 'store'>;
  /** Migrated. */
  readonly registry: Registry;
}

function keyOf({ accountId, report, scope, day }: DayKey): string {
  return `${accountId}\n${report}\n${scope}\n${day}`;
}

/** Batch id of the next attempt: that of the last one if it was of the same content and its end is not known. */
function attemptAt(where: string, last: LastAttempt | undefined, hash: string): string {
  if (last === undefined) return `${where}/0/${hash}`;
  const [, number = '0', tried] = /(\d+)\/([^/]*)$/.exec(last.batch) ?? [];
  if (last.stored === undefined && tried === hash) return last.batch;
  return `${where}/${Number(number) + 1}/${hash}`;
}

/** Wires ingestion and registry. Errors of the registry pass through. */
export function createMirror(options: MirrorOptions): Mirror {
  const { ingest, registry, clock } = options;
  const records = new MirrorRecords(options);
  const days = new MirrorDays(registry);
  const locks = new KeyLocks();

  /** Stores content of a day unless it is the newest. Tells under which batch it is. */
  async function store(
    key: DayKey,
    where: string,
    content: { readonly hash: string; readonly rows: number; readonly settled: boolean },
    write: (batch: string) => Promise<{ readonly seq: number }>,
  ): Promise<{ readonly batch: string; readonly duplicate: boolean }> {
    const last = await days.last(key);
    const { hash } = content;
    const same = last?.stored?.hash === hash ? last.stored : undefined;
    const batch = same?.batch ?? attemptAt(where, last, hash);
    if (same === undefined && batch !== last?.batch) await days.begin(key, batch);
    const { seq } = same ?? (await write(batch));
    await days.write(key, { ...content, seq, batch }, clock.now());
    return { batch, duplicate: same !== undefined };
  }

  async function putRecord(key: RecordKey, prepared: PreparedRecord): Promise<RecordAnswer> {
    const { accountId, report, scope, name } = key;
    const item: DayKey = { accountId, report, scope, day: name };
    return await locks.run(keyOf(item), async () => {
      const content = { hash: prepared.hash, rows: 1, settled: true };
      const stored = await store(item, `${report}/${scope}/${name}`, content, (batch) =>
        records.store(key, prepared, batch),
      );
      if (stored.duplicate) await records.drop(prepared);
      return { report, applicationId: scope === '' ? null : scope, id: name, ...stored };
    });
  }

  async function putDay({ settled, ...body }: MirroredBody): Promise<MirroredAnswer> {
    const { accountId, scope, day, table } = body;
    const key: DayKey = { accountId, report: table.report.name, scope, day };
    const prepared = await ingest.prepareDay(body);
    try {
      return await locks.run(keyOf(key), async () => {
        const { rows, hash, ignored } = prepared;
        const { batch, duplicate } = await store(key, `${scope}/${day}`, { hash, rows, settled }, (id) =>
          ingest.storeDay(prepared, id),
        );
        return {
          report: key.report,
          applicationId: scope === '' ? null : scope,
          day,
          state: rows === 0 ? 'empty' : settled ? 'settled' : 'read',
          rows,
          batch,
          duplicate,
          ignoredFields: ignored,
        };
      });
    } finally {
      await ingest.dropDay(prepared);
    }
  }

  return {
    putStack: (key, frames) => putRecord(key, records.stack(key, frames)),

    putFile: (key, body) =>
      ingest.inQueue(async () => await putRecord(key, await records.receive(key, body))),

    file: (accountId, fileId) => records.file(accountId, fileId),

    put: (body) => ingest.inQueue(() => putDay(body)),

    fail: (key, error) => locks.run(keyOf(key), () => days.fail(key, error, clock.now())),

    gone: (key, error) => locks.run(keyOf(key), () => days.gone(key, error, clock.now())),

    remember: (key, cursor) => days.remember(key, cursor, clock.now()),

    forget: (accountId) => days.forget(accountId),

    state: (question) => days.state(question),
  };
}
