/** Finds the row behind a stored crash file. */
import type { Engine } from '../engine/index.js';

/** What a download needs to know of a crash. */
export interface StoredCrashFile {
  /** UTC day of the event, part of the file's key. */
  readonly day: string;
  /** Time of the event in milliseconds since 1970. */
  readonly time: number;
}

/**
 * The crash with this id in lower case whose file is stored; undefined if the account has none. Which state of a
 * crash that was renamed later is found does not matter: id, time and file are the same.
 */
export async function findCrashFile(
  engine: Engine,
  accountId: string,
  cabIdHash: string,
): Promise<StoredCrashFile | undefined> {
  const bytes = await engine.query({
    account: accountId,
    sql:
      'SELECT toString(date) AS day, toString(toUnixTimestamp64Milli(timestamp)) AS time FROM failures ' +
      'WHERE accountId = {account:String} AND cabIdHash = {cabIdHash:String} AND cabBytes > 0 LIMIT 1',
    params: { account: accountId, cabIdHash },
    format: 'JSONEachRow',
  });
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (text === '') return undefined;
  const row = JSON.parse(text) as { readonly day: string; readonly time: string };
  return { day: row.day, time: Number(row.time) };
}
