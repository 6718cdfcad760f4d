/**
 * Puts a failure with a crash file of any content where ingestion puts them: a row in the table and a file in the
 * store. For tests of downloads, which need files that no reader of crash files would take.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crashFileKey } from '../../src/files/index.js';
import { newGuid, systemRandom } from '../../src/system.js';
import type { TestAccount, TestServer } from '../harness.js';

/** Where a stored crash can be asked for. */
export interface StoredCrash {
  readonly cabId: string;
  readonly cabIdHash: string;
  readonly key: string;
  /** Target of cabdownload. */
  readonly target: string;
}

/** Stores a crash of an app; `time` is its event's, in milliseconds since 1970. */
export async function storeCrash(
  server: TestServer,
  account: TestAccount,
  applicationId: string,
  time: number,
  content: Buffer,
): Promise<StoredCrash> {
  const { engine, files } = server.app.parts;
  const cabIdHash = newGuid(systemRandom);
  const cabId = `1${createHash('sha256').update(cabIdHash).digest().readUIntBE(0, 6) % 1e12}`.padEnd(13, '0');
  const day = new Date(time).toISOString().slice(0, 10);
  const key = crashFileKey(account.accountId, day, cabIdHash);
  const local = join(server.folder, `crash-${cabIdHash}`);
  await writeFile(local, content);
  await files.take(local, key);
  await engine.command({
    account: account.accountId,
    sql:
      'INSERT INTO failures (accountId, source, applicationId, date, timestamp, cabId, cabIdHash, cabBytes) SELECT ' +
      "{account:String}, 'app', {applicationId:String}, toDate({day:String}), " +
      'fromUnixTimestamp64Milli({time:Int64}), {cabId:String}, {cabIdHash:String}, {bytes:UInt64}',
    params: { account: account.accountId, applicationId, day, time, cabId, cabIdHash, bytes: content.length },
  });
  return {
    cabId,
    cabIdHash,
    key,
    target: `/v1.0/my/analytics/cabdownload?applicationId=${applicationId}&cabId=${cabId}`,
  };
}
