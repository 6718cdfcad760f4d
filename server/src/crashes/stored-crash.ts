/** One stored failure as the detail answer shows it, read back by its cabIdHash. */
import type { Engine } from '../engine/index.js';
import type { Ledger } from '../ledger/index.js';
import type { CrashDetail } from './index.js';

/** Columns as the engine prints them. */
interface StoredRow extends Omit<CrashDetail, 'frames'> {
  readonly frames: readonly {
    readonly image: string;
    readonly function: string;
    readonly offset: string;
    readonly found: string;
    readonly file: string;
    readonly line: number;
  }[];
}

/** Reads a failure of an account as it stands now; undefined if there is none with this cabIdHash. */
export async function storedCrash(
  { engine, ledger }: { readonly engine: Pick<Engine, 'query'>; readonly ledger: Pick<Ledger, 'snapshot'> },
  accountId: string,
  cabIdHash: string,
): Promise<CrashDetail | undefined> {
  const bytes = await engine.query({
    account: accountId,
    sql: `SELECT cabId, cabIdHash, source, applicationId,
formatDateTime(timestamp, '%Y-%m-%dT%H:%i:%S.', 'UTC') || leftPad(toString(toUnixTimestamp64Milli(timestamp) % 1000), 3, '0') || 'Z' AS timestamp,
failureName, failureHash, formerHashes, symbol, exceptionCode, exceptionClass, toUInt32(namingVersion) AS namingVersion,
toFloat64(cabBytes) AS cabBytes, processed, frames
FROM failures
WHERE accountId = {account:String} AND cabIdHash = {cab:String} AND seq <= {snapshot:UInt64}
AND (supersededBy = 0 OR supersededBy > {snapshot:UInt64})
ORDER BY seq DESC LIMIT 1`,
    params: { account: accountId, cab: cabIdHash, snapshot: await ledger.snapshot(accountId) },
    format: 'JSONEachRow',
    settings: { output_format_json_named_tuples_as_objects: 1 },
  });
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (text === '') return undefined;
  const row = JSON.parse(text) as StoredRow;
  return {
    ...row,
    frames: row.frames.map(({ file, line, ...frame }, level) => ({
      level,
      ...frame,
      file: file === '' ? null : file,
      line: line === 0 ? null : line,
    })),
  };
}
