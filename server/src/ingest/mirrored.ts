/**
 * Mirrored days: rows that another server of the API answered for one day, stored in the table of their report's mirror
 * by one insert under one commit. The steps are those of a large batch (`received.ts`), with rows rewritten instead of
 * checked by the engine. Which commit of a day is the newest, who calls knows.
 */
import type { MirrorTable } from '@storelens/contract';
import { Failure } from '../failure.js';
import { busy, conflict } from './answers.js';
import type { IncomingDay, PreparedDay, StoredBatch } from './index.js';
import { batchKey } from './kept.js';
import { BodyLimits } from './limits.js';
import { readMedia } from './media.js';
import { type MirroredDay, writeDay } from './mirrored-rows.js';
import { settleOwn, stageOwn } from './own-insert.js';
import { receive } from './receive.js';
import type { IncomingParts } from './received.js';
import type { Scanner } from './scanner.js';
import type { Staged } from './spool.js';
import type { Statement } from './statement.js';
import { RefusedRows } from './store.js';

/** Rows are looked at when they are rewritten. */
const unseen: Scanner = { push: () => undefined, end: () => ({ rows: 0 }) };

const storedTypes: Readonly<Record<MirrorTable['columns'][number]['type'], string>> = {
  text: 'String',
  integer: 'Int64',
  amount: 'Decimal(38, 18)',
  boolean: 'Bool',
  time: "DateTime64(3, 'UTC')",
};

/** The statement that stores a day; rows are its own, so none is bad. `now` in milliseconds. */
function dayStatement(
  { table, scope, day, level, grouping }: MirroredDay,
  { accountId, seq }: { readonly accountId: string; readonly seq: number },
  now: number,
): Statement {
  const own = [
    { name: 'isDay', type: 'Bool' },
    { name: 'dayRows', type: 'UInt64' },
    ...table.columns.map(({ name, type }) => ({ name, type: storedTypes[type] })),
  ];
  const same = [
    ['accountId', 'String', accountId],
    ['seq', 'UInt64', seq],
    ['scope', 'String', scope],
    ['date', 'Date', day],
    ['level', 'String', level],
    ['grouping', 'String', grouping],
    ['storedAt', 'UInt32', Math.floor(now / 1000)],
  ] as const;
  return {
    table: table.name,
    columns: [...same.map(([name]) => name), ...own.map(({ name }) => name)],
    expressions: [...same.map(([name, type]) => `{${name}:${type}}`), ...own.map(({ name }) => `i.${name}`)],
    bad: 'false',
    params: Object.fromEntries(same.map(([name, , value]) => [name, value])),
    format: 'JSONEachRow',
    structure: own.map(({ name, type }) => `${name} ${type}`).join(', '),
    settings: { input_format_json_ignore_unnecessary_fields: 0, date_time_input_format: 'basic' },
  };
}

/** Takes mirrored days in. */
export class MirroredDays {
  constructor(readonly parts: IncomingParts) {}

  /** The body into the spool, rewritten. Throws Failure as `Ingest.prepareDay` says. */
  async prepare(request: IncomingDay): Promise<PreparedDay> {
    const { spool, settings } = this.parts;
    const { body, contentType, contentEncoding, contentLength, products, accountId, ...day } = request;
    const media = readMedia(contentType, contentEncoding);
    if (media.format !== 'lines' && media.format !== 'array') {
      throw new Failure('unsupported-media-type', [
        'Mirrored rows are application/x-ndjson, or application/json with an array.',
      ]);
    }
    const limits = new BodyLimits(settings);
    limits.announced(contentLength);
    const id = spool.newId();
    try {
      await receive(body, media, limits, unseen, spool.rowsFile(id));
      const [from, to] = [spool.rowsFile(id), spool.rowsFile(id, 'complete')];
      const written = await writeDay(from, to, media.format, day, products);
      limits.rows(written.rows);
      await spool.drop([spool.nameOf(from)]);
      return { id, accountId, day, ...written };
    } catch (error) {
      await spool.remove(id);
      throw error;
    }
  }

  /** Stores a prepared day under a batch id, once. Throws Failure `unavailable`, and whatever else the engine says. */
  async store(prepared: PreparedDay, batchId: string): Promise<StoredBatch> {
    const dataset = prepared.day.table.name;
    const { accountId } = prepared;
    return await this.parts.locks.run(batchKey({ accountId, dataset, batchId }), () =>
      this.parts.store.inTurn(() => this.#store(prepared, dataset, batchId)),
    );
  }

  /** Removes what is left of a prepared day, unless its insert is kept for repetition. */
  async drop({ id }: PreparedDay): Promise<void> {
    if (!this.parts.kept.holds(id)) await this.parts.spool.remove(id);
  }

  async #store(prepared: PreparedDay, dataset: string, batchId: string): Promise<StoredBatch> {
    const { ledger, kept, clock } = this.parts;
    const { id, accountId, day, hash: bodyHash } = prepared;
    const begun = await ledger.begin({ accountId, dataset, batchId, bodyHash, rows: prepared.rows + 1 });
    switch (begun.outcome) {
      case 'duplicate':
        return { seq: begun.seq, duplicate: true };
      case 'conflict':
        throw conflict(batchId, dataset);
      case 'closing':
        throw busy('An earlier attempt of this day is being removed.');
    }
    const { commit, takenOver } = begun;
    const { seq } = commit;
    const fresh: Staged = {
      id,
      commits: [commit],
      token: commit.token,
      statement: dayStatement(day, commit, clock.now()),
      reads: 'complete',
      group: false,
      files: [],
      supersedes: [],
    };
    const staged = (takenOver ? kept.of(commit) : undefined) ?? fresh;
    if (staged === fresh) await stageOwn(this.parts, fresh, takenOver, 'day');
    const result = await settleOwn(this.parts, staged, takenOver, id);
    if (result.outcome === 'done') return { seq, duplicate: false };
    const { error } = result;
    if (!(error instanceof RefusedRows)) throw error;
    const row = error.row === undefined ? 'A row' : `row ${error.row}:`;
    throw new Failure('invalid-rows', [`${row} cannot be stored; its text is not valid.`], { cause: error });
  }
}
