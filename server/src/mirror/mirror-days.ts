/** The registry's tables of mirrored days and of what the copying command remembers. */
import type { Registry, RegistryRow, RegistryValue } from '../registry/index.js';
import type { DayKey, KnownDay, KnownReport, MirrorState, StateQuestion } from './index.js';

/** What a day can be. */
export const dayStates = ['empty', 'read', 'settled', 'failed', 'kept', 'without'] as const;

/** The newest stored content of a day. */
export interface StoredDay {
  readonly seq: number;
  readonly batch: string;
  readonly hash: string;
}

/** The last attempt to store content of a day: one that went well, or one whose end nobody heard of. */
export interface LastAttempt {
  readonly batch: string;
  /** Undefined: nobody knows whether it is stored. */
  readonly stored: StoredDay | undefined;
}

/** The state of a day in SQL. */
const state = `CASE WHEN failed_at IS NOT NULL THEN 'failed'
  WHEN gone_at IS NOT NULL THEN CASE WHEN row_count > 0 THEN 'kept' ELSE 'without' END
  WHEN row_count = 0 THEN 'empty' WHEN settled = 1 THEN 'settled' ELSE 'read' END`;

function text(value: RegistryValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function moment(value: RegistryValue | undefined): string | null {
  return value === null || value === undefined ? null : new Date(Number(value)).toISOString();
}

function scopeOf(row: RegistryRow): string | null {
  return row.scope === '' ? null : text(row.scope);
}

function dayOf(row: RegistryRow): KnownDay {
  const rows = row.row_count === null ? null : Number(row.row_count);
  return {
    applicationId: scopeOf(row),
    day: String(row.day),
    state: dayStates.find((one) => one === row.state) ?? 'failed',
    settled: Number(row.settled) === 1,
    rows,
    readAt: moment(row.read_at),
    error: text(row.error),
    failedAt: moment(row.failed_at),
    goneAt: moment(row.gone_at),
  };
}

const countedDays = `SELECT report, scope, min(day) AS first_day, max(day) AS last_day,
  ${dayStates.map((one) => `sum(CASE WHEN state = '${one}' THEN 1 ELSE 0 END) AS ${one}`).join(', ')}
FROM (SELECT report, scope, day, ${state} AS state FROM mirror_days`;

/** Reads and writes; errors of the registry pass through. */
export class MirrorDays {
  constructor(readonly registry: Registry) {}

  /** The last attempt at a day; undefined if there was none. */
  async last({ accountId, report, scope, day }: DayKey): Promise<LastAttempt | undefined> {
    const row = await this.registry.get(
      `SELECT seq, batch_id, content_hash FROM mirror_days
       WHERE account_id = $1 AND report = $2 AND scope = $3 AND day = $4 AND batch_id IS NOT NULL`,
      [accountId, report, scope, day],
    );
    if (row === undefined) return undefined;
    const [batch, hash] = [String(row.batch_id), String(row.content_hash)];
    const known = row.seq !== null && hash !== '';
    return { batch, stored: known ? { seq: Number(row.seq), batch, hash } : undefined };
  }

  /** Notes that other content of a day is about to be stored. Until it is written down nobody knows which is the newest. */
  async begin({ accountId, report, scope, day }: DayKey, batch: string): Promise<void> {
    await this.registry.all(
      `INSERT INTO mirror_days (account_id, report, scope, day, settled, batch_id, content_hash)
       VALUES ($1, $2, $3, $4, 0, $5, '')
       ON CONFLICT (account_id, report, scope, day) DO UPDATE SET batch_id = $5, content_hash = ''`,
      [accountId, report, scope, day, batch],
    );
  }

  /** Notes what is stored for a day; an earlier failure is over. `now` in milliseconds. */
  async write(
    { accountId, report, scope, day }: DayKey,
    stored: StoredDay & { readonly rows: number; readonly settled: boolean },
    now: number,
  ): Promise<void> {
    const { seq, batch, hash, rows, settled } = stored;
    await this.registry.all(
      `INSERT INTO mirror_days
         (account_id, report, scope, day, seq, batch_id, content_hash, row_count, settled, read_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       ON CONFLICT (account_id, report, scope, day) DO UPDATE SET
         seq = $5, batch_id = $6, content_hash = $7, row_count = $8, settled = $9, read_at = $10,
         error = NULL, failed_at = NULL, gone_at = NULL`,
      [accountId, report, scope, day, seq, batch, hash, rows, settled ? 1 : 0, now],
    );
  }

  /** Notes a failed attempt. */
  async fail({ accountId, report, scope, day }: DayKey, error: string, now: number): Promise<void> {
    await this.registry.all(
      `INSERT INTO mirror_days (account_id, report, scope, day, settled, error, failed_at)
       VALUES ($1, $2, $3, $4, 0, $5, $6)
       ON CONFLICT (account_id, report, scope, day) DO UPDATE SET error = $5, failed_at = $6, gone_at = NULL`,
      [accountId, report, scope, day, error, now],
    );
  }

  /** Notes that the source has nothing, or nothing more. */
  async gone({ accountId, report, scope, day }: DayKey, error: string, now: number): Promise<void> {
    await this.registry.all(
      `INSERT INTO mirror_days (account_id, report, scope, day, settled, error, gone_at)
       VALUES ($1, $2, $3, $4, 0, $5, $6)
       ON CONFLICT (account_id, report, scope, day) DO UPDATE SET error = $5, failed_at = NULL, gone_at = $6`,
      [accountId, report, scope, day, error, now],
    );
  }

  /** Remembers a cursor. */
  async remember(
    { accountId, report, scope }: Omit<DayKey, 'day'>,
    cursor: object,
    now: number,
  ): Promise<void> {
    await this.registry.all(
      `INSERT INTO mirror_cursors (account_id, report, scope, cursor_json, written_at)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (account_id, report, scope) DO UPDATE SET cursor_json = $4, written_at = $5`,
      [accountId, report, scope, JSON.stringify(cursor), now],
    );
  }

  /** Forgets an account. */
  async forget(accountId: string): Promise<void> {
    for (const table of ['mirror_days', 'mirror_cursors']) {
      await this.registry.all(`DELETE FROM ${table} WHERE account_id = $1`, [accountId]);
    }
  }

  /** What is known of the days and cursors in question. */
  async state({ accountId, report, scope, from, to }: StateQuestion): Promise<MirrorState> {
    const params: RegistryValue[] = [accountId];
    const bind = (value: string) => `$${params.push(value)}`;
    const which = [
      'account_id = $1',
      ...(report === undefined ? [] : [`report = ${bind(report)}`]),
      ...(scope === undefined ? [] : [`scope = ${bind(scope)}`]),
    ].join(' AND ');
    const cursors = await this.registry.all(
      `SELECT report, scope, cursor_json, written_at FROM mirror_cursors WHERE ${which}`,
      [...params],
    );
    const ranged = [
      which,
      // Of a first attempt that did not end nothing is known.
      '(seq IS NOT NULL OR failed_at IS NOT NULL OR gone_at IS NOT NULL)',
      ...(from === undefined ? [] : [`day >= ${bind(from)}`]),
      ...(to === undefined ? [] : [`day <= ${bind(to)}`]),
    ].join(' AND ');
    const counted = await this.registry.all(
      `${countedDays} WHERE ${ranged}) AS known GROUP BY report, scope`,
      params,
    );
    const reports = knownReports(counted, cursors);
    if (report === undefined) return { reports };
    const days = await this.registry.all(
      `SELECT scope, day, ${state} AS state, row_count, settled, read_at, error, failed_at, gone_at FROM mirror_days
       WHERE ${ranged} ORDER BY scope, day`,
      params,
    );
    return { reports, days: days.map(dayOf) };
  }
}

function knownReports(
  counted: readonly RegistryRow[],
  cursors: readonly RegistryRow[],
): readonly KnownReport[] {
  const known = new Map<string, { days?: RegistryRow; cursor?: RegistryRow }>();
  const at = ({ report, scope }: RegistryRow) => `${report}\n${scope}`;
  for (const days of counted) known.set(at(days), { days });
  for (const cursor of cursors) known.set(at(cursor), { ...known.get(at(cursor)), cursor });
  return [...known.keys()].sort().map((key) => {
    const { days, cursor } = known.get(key) ?? {};
    const [report = '', scope = ''] = key.split('\n');
    return {
      report,
      applicationId: scope === '' ? null : scope,
      first: text(days?.first_day),
      last: text(days?.last_day),
      days: Object.fromEntries(
        dayStates.map((one) => [one, Number(days?.[one] ?? 0)]),
      ) as KnownReport['days'],
      cursor: cursor === undefined ? null : (JSON.parse(String(cursor.cursor_json)) as unknown),
      cursorAt: moment(cursor?.written_at),
    };
  });
}
