/**
 * Stores complete rows of failures as commits of an account, with everything that ingestion and renaming would have
 * put into them. For tests of how reports read such rows; that ingestion makes them is shown elsewhere.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Parts } from '../../src/http/parts.js';
import { newGuid, systemRandom } from '../../src/system.js';
import type { TestAccount, TestServer } from '../harness.js';

/** A stored frame. */
export interface StoredFrame {
  readonly image: string;
  readonly function: string;
  readonly offset: string;
}

/** Columns of a stored failure; those that are left out are empty, 0 or as ingestion fills them in. */
export interface StoredFailure {
  /** `yyyy-MM-dd HH:mm:ss.SSS`. */
  readonly timestamp: string;
  readonly source?: 'app' | 'desktop' | 'driver' | 'ihvdriver' | 'hardware';
  readonly applicationId?: string;
  readonly deviceId?: string;
  readonly failureName?: string;
  readonly failureHash?: string;
  readonly formerHashes?: readonly string[];
  readonly market?: string;
  readonly osBuild?: string;
  readonly packageVersion?: string;
  readonly driverName?: string;
  readonly clientDeviceId?: string;
  readonly cabId?: string;
  readonly cabIdHash?: string;
  readonly cabBytes?: number;
  readonly frames?: readonly StoredFrame[];
}

const columns = {
  timestamp: "DateTime64(3, 'UTC')",
  source: 'String',
  applicationId: 'String',
  deviceId: 'String',
  failureName: 'String',
  failureHash: 'String',
  formerHashes: 'Array(String)',
  market: 'String',
  osBuild: 'String',
  packageVersion: 'String',
  driverName: 'String',
  clientDeviceId: 'String',
  cabId: 'String',
  cabIdHash: 'String',
  cabBytes: 'UInt64',
  frames:
    'Array(Tuple(image String, function String, offset String, found String, file String, line UInt32))',
} as const satisfies Record<keyof StoredFailure, string>;

let cabIds = 1_000_000_000_000;

/** What stores rows: a test's server, or the two parts of one. */
export interface Storing {
  readonly app: { readonly parts: Pick<Parts, 'engine' | 'ledger'> };
}

/** Stores rows as one commit; returns its number. */
export async function storeFailures(
  server: Storing,
  account: Pick<TestAccount, 'accountId'>,
  rows: readonly StoredFailure[],
): Promise<number> {
  const { engine, ledger } = server.app.parts;
  const { accountId } = account;
  const batchId = newGuid(systemRandom);
  const begun = await ledger.begin({
    accountId,
    dataset: 'failures',
    batchId,
    bodyHash: batchId,
    rows: rows.length,
  });
  if (begun.outcome !== 'open') throw new Error(`the commit is ${begun.outcome}`);
  const { seq, token } = begun.commit;
  const folder = await mkdtemp(join(tmpdir(), 'storelens-rows-'));
  try {
    const file = join(folder, 'rows.ndjson');
    await writeFile(file, rows.map((row) => JSON.stringify(complete(row))).join('\n'));
    const names = Object.keys(columns);
    await engine.insert({
      account: accountId,
      table: 'failures',
      columns: ['accountId', 'date', 'seq', ...names],
      expressions: [
        '{account:String}',
        'toDate(i.timestamp)',
        '{seq:UInt64}',
        ...names.map((name) => `i.${name}`),
      ],
      bad: 'false',
      params: { account: accountId, seq },
      file,
      format: 'JSONEachRow',
      structure: Object.entries(columns)
        .map(([name, type]) => `${name} ${type}`)
        .join(', '),
      token,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await ledger.finish(begun.commit, '2018-01-01', '2018-12-31');
  return seq;
}

/** Stores new states of failures that are known by their `cabIdHash`; returns the commit's number. */
export async function renameFailures(
  server: TestServer,
  account: TestAccount,
  rows: readonly (StoredFailure & { readonly cabIdHash: string })[],
): Promise<number> {
  const seq = await storeFailures(server, account, rows);
  await server.app.parts.engine.command({
    account: account.accountId,
    sql:
      'ALTER TABLE failures UPDATE supersededBy = {seq:UInt64} WHERE accountId = {account:String} ' +
      'AND cabIdHash IN {ids:Array(String)} AND supersededBy = 0 AND seq < {seq:UInt64}',
    params: { account: account.accountId, seq, ids: rows.map(({ cabIdHash }) => cabIdHash) },
    settings: { mutations_sync: 2 },
  });
  return seq;
}

function complete(row: StoredFailure): object {
  cabIds += 1;
  return {
    source: 'app',
    applicationId: '',
    deviceId: '',
    failureName: 'APPLICATION_FAULT_1_a.exe!b',
    failureHash: '00000000-0000-0000-0000-000000000001',
    formerHashes: [],
    market: 'Unknown',
    osBuild: '',
    packageVersion: '0.0.0.0',
    driverName: '',
    clientDeviceId: '',
    cabId: String(cabIds),
    cabIdHash: newGuid(systemRandom),
    cabBytes: 0,
    ...row,
    frames: (row.frames ?? []).map((frame) => ({ ...frame, found: 'trust', file: '', line: 0 })),
  };
}
