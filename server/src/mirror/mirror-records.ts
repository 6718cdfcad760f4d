/**
 * Stacks and crash files of single failures that were copied from another server: a commit each, under the identifier
 * that the source gives. A file joins the store of files with its row and is counted against a quota of its own.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { mirrorCrashes } from '@storelens/contract';
import type { Settings } from '../config.js';
import type { Engine } from '../engine/index.js';
import { Failure } from '../failure.js';
import { crashFileKey } from '../files/index.js';
import type { Ingest, StoredBatch } from '../ingest/index.js';
import { type Clock, guidOf, utcDay } from '../system.js';
import type { MirroredFrame, RecordKey, StoredFile } from './index.js';

const mib = 1024 * 1024;

/** What is needed to store them. */
export interface RecordParts {
  readonly engine: Pick<Engine, 'query'>;
  readonly ingest: Pick<Ingest, 'newFile' | 'store'>;
  readonly settings: Pick<Settings, 'max-crash-mib' | 'crash-quota-mib' | 'crash-file-days'>;
  readonly clock: Clock;
}

/** A stack or file that is ready to be stored. */
export interface PreparedRecord {
  readonly kind: 'stack' | 'file';
  /** SHA-256 of the content and the day, hex. */
  readonly hash: string;
  readonly stack: string;
  /** Of a file: its bytes and where they lie. */
  readonly file?: { readonly path: string; readonly bytes: number };
}

/** Id under which the store of files has a copied file: a GUID that its names give. */
function fileIdOf({ accountId, programme, scope, name }: Omit<RecordKey, 'day' | 'report'>): string {
  const names = [accountId, programme, scope, name].join('\n');
  return guidOf(createHash('sha256').update(names).digest().subarray(0, 16));
}

/** Stores stacks and files, and finds them. */
export class MirrorRecords {
  constructor(readonly parts: RecordParts) {}

  /** A stack as it is stored. */
  stack({ day }: RecordKey, frames: readonly MirroredFrame[]): PreparedRecord {
    const stack = JSON.stringify(frames);
    return { kind: 'stack', hash: hashOf(day).update(stack).digest('hex'), stack };
  }

  /** Receives a file; it is to be stored or dropped. Throws Failure `too-large` and `invalid-body`. */
  async receive({ day }: RecordKey, body: Readable): Promise<PreparedRecord> {
    const path = this.parts.ingest.newFile();
    const hash = hashOf(day);
    const file = await open(path, 'wx', 0o600);
    try {
      const bytes = await write(file, body, hash, this.parts.settings['max-crash-mib']);
      if (bytes === 0) throw new Failure('invalid-body', ['The file is empty.']);
      await file.datasync();
      return { kind: 'file', hash: hash.digest('hex'), stack: '', file: { path, bytes } };
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Removes a received file that is not needed. */
  async drop({ file }: PreparedRecord): Promise<void> {
    if (file !== undefined) await rm(file.path, { force: true });
  }

  /**
   * Stores what was prepared, once per batch id; its file is used up, whatever comes of it. Throws Failure `too-large`
   * beyond the quota.
   */
  async store(key: RecordKey, prepared: PreparedRecord, batchId: string): Promise<StoredBatch> {
    const { accountId, programme, scope, name, day } = key;
    const { kind, hash, stack, file } = prepared;
    try {
      if (file !== undefined) await this.#checkQuota(key, file.bytes);
    } catch (error) {
      await this.drop(prepared);
      throw error;
    }
    const fileId = file === undefined ? '' : fileIdOf(key);
    return await this.parts.ingest.store({
      accountId,
      dataset: mirrorCrashes,
      batchId,
      bodyHash: hash,
      rows: [{ programme, scope, kind, name, date: day, stack, cabBytes: file?.bytes ?? 0, fileId }],
      files: file === undefined ? [] : [{ path: file.path, key: crashFileKey(accountId, day, fileId) }],
    });
  }

  /** The newest file under an id. */
  async file(accountId: string, fileId: string): Promise<StoredFile | undefined> {
    const [found] = await this.#rows(
      accountId,
      `SELECT toString(date) AS day FROM ${mirrorCrashes.name}
WHERE accountId = {account:String} AND kind = 'file' AND fileId = {fileId:String} ORDER BY seq DESC LIMIT 1`,
      { fileId },
    );
    if (found === undefined) return undefined;
    return { day: String(found.day), time: Date.parse(`${String(found.day)}T00:00:00Z`) };
  }

  async #checkQuota({ accountId, programme, scope, name }: RecordKey, bytes: number): Promise<void> {
    const { 'crash-quota-mib': most, 'crash-file-days': days } = this.parts.settings;
    if (most === 0) return;
    const [found] = await this.#rows(
      accountId,
      `SELECT sum(bytes) AS taken FROM (SELECT argMax(cabBytes, seq) AS bytes FROM ${mirrorCrashes.name}
WHERE accountId = {account:String} AND programme = {programme:String} AND kind = 'file' AND scope = {scope:String}
  AND name != {name:String} AND date >= {since:Date} GROUP BY name)`,
      {
        ...{ programme, scope, name },
        since: days === 0 ? '1970-01-01' : utcDay(this.parts.clock.now() - days * 86_400_000),
      },
    );
    const taken = Number(found?.taken ?? 0);
    if (taken + bytes <= most * mib) return;
    const whose = scope === '' ? `without product (${programme})` : `of '${scope}'`;
    throw new Failure('too-large', [
      `The mirrored crash files ${whose} take ${Math.ceil(taken / mib)} MiB; together they may take ${most} MiB (crash-quota-mib).`,
    ]);
  }

  async #rows(
    accountId: string,
    sql: string,
    params: Readonly<Record<string, string>>,
  ): Promise<readonly Record<string, unknown>[]> {
    const bytes = await this.parts.engine.query({
      account: accountId,
      sql,
      params: { account: accountId, ...params },
      format: 'JSONEachRow',
    });
    const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

function hashOf(day: string) {
  return createHash('sha256').update(`${day}\n`);
}

async function write(
  file: FileHandle,
  body: Readable,
  hash: ReturnType<typeof createHash>,
  most: number,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most * mib)
        throw new Failure('too-large', [`A crash file may have ${most} MiB (max-crash-mib).`]);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (cause) {
    if (cause instanceof Failure || !body.destroyed) throw cause;
    throw new Failure('invalid-body', ['The connection ended before the body was complete.'], { cause });
  }
  return bytes;
}
