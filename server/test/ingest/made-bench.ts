/**
 * Ingestion with real registry, engine and files in one process, for batches that are made rather than sent. With
 * STORELENS_TEST_CLICKHOUSE_URL set it runs on that ClickHouse server.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetEntry, datasets } from '@storelens/contract';
import { parseSettings } from '../../src/config.js';
import { completeFailures } from '../../src/crashes/complete-failures.js';
import { failureRow } from '../../src/crashes/failure-row.js';
import type { Engine } from '../../src/engine/index.js';
import { openFolder } from '../../src/files/folder.js';
import { crashFileKey, type Files } from '../../src/files/index.js';
import { createIngest, type Ingest, type MadeBatch } from '../../src/ingest/index.js';
import type { Ledger } from '../../src/ledger/index.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { Rollups } from '../../src/ledger/rollups.js';
import type { Registry } from '../../src/registry/index.js';
import { openLibsqlRegistry } from '../../src/registry/libsql.js';
import { migrateRegistry } from '../../src/registry/migrate.js';
import { systemRandom } from '../../src/system.js';
import { openEngine } from './shared-engine.js';

/** What a test may put between ingestion and the parts that it works with. */
export interface Faults {
  engine?(engine: Engine): Engine;
  ledger?(ledger: Ledger): Ledger;
  files?(files: Files): Files;
}

/** Ingestion and what it works with. */
export interface MadeBench {
  readonly folder: string;
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly warnings: readonly string[];
  readonly ingest: Ingest;
  /** Lets time go by. */
  pass(milliseconds: number): void;
  /** A new ingestion over what is there, as after the end of a process, some milliseconds later. */
  restart(later?: number): Promise<void>;
  close(): Promise<void>;
}

/** The dataset of all made batches. */
export const failures: DatasetEntry = (() => {
  const { failures: found } = datasets;
  if (found === undefined) throw new TypeError('there is no dataset failures');
  return found;
})();

/** Opens ingestion on a folder and settles what is left there; a given engine is used, and stays open. */
export async function openMade(folder: string, faults: Faults = {}, given?: Engine): Promise<MadeBench> {
  await mkdir(folder, { recursive: true });
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  const engine = given ?? (await openEngine(folder));
  let time = Date.UTC(2024, 1, 29, 12);
  const clock = { now: () => time };
  const ledger = createLedger(registry, clock);
  const files = await openFolder(join(folder, 'files'));
  const warnings: string[] = [];
  const create = async () => {
    const ingest = await createIngest({
      engine: faults.engine?.(engine) ?? engine,
      ledger: faults.ledger?.(ledger) ?? ledger,
      rollups: new Rollups(registry),
      files: faults.files?.(files) ?? files,
      clock,
      random: systemRandom,
      settings: parseSettings([], {}),
      folder,
      complete: { failure: completeFailures(systemRandom) },
      log: { warn: (_facts: unknown, message?: string) => warnings.push(message ?? '') },
    });
    await ingest.replay();
    return ingest;
  };
  let ingest = await create();
  return {
    folder,
    engine,
    ledger,
    registry,
    warnings,
    get ingest() {
      return ingest;
    },
    pass(milliseconds) {
      time += milliseconds;
    },
    async restart(later = 0) {
      time += later;
      ingest = await create();
    },
    async close() {
      await ingest.close();
      if (given === undefined) await engine.close();
      await registry.close();
    },
  };
}

/** A GUID out of a small number. */
export function guid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** A batch of one failure, with a file that holds the batch's id unless told otherwise. */
export async function crash(
  ingest: Ingest,
  number: number,
  options: { readonly file?: boolean; readonly supersedes?: readonly string[]; readonly name?: string } = {},
): Promise<MadeBatch> {
  const batchId = `batch-${number}${options.name ?? ''}`;
  const row = failureRow(
    {
      timestamp: '2024-02-29T10:00:00Z',
      source: 'app',
      applicationId: '9NBLGGGZ5QDR',
      deviceId: `device ${number}`,
      failureName: options.name ?? 'Name',
      frames: [{ image: 'Game.exe', function: 'f', offset: 1 }],
    },
    { cabId: '1000000000000', cabIdHash: guid(number), cabBytes: batchId.length },
  );
  const path = ingest.newFile();
  if (options.file !== false) await writeFile(path, batchId);
  return {
    accountId: 'a',
    dataset: failures,
    batchId,
    bodyHash: `hash of ${batchId}`,
    rows: [row],
    files: options.file === false ? [] : [{ path, key: crashFileKey('a', '2024-02-29', guid(number)) }],
    ...(options.supersedes === undefined ? {} : { supersedes: options.supersedes }),
  };
}

/** What lies in the store of files: the content of each, by the last part of its key. */
export async function storedFiles(folder: string): Promise<Record<string, string>> {
  const below = join(folder, 'files', 'crashes', 'a', '2024-02-29');
  const names = await readdir(below).catch(() => []);
  const entries = names.map(async (name) => [name, await readFile(join(below, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Devices of the failures that a reader at a snapshot sees, with the names of their failures, sorted. */
export async function seen(bench: Pick<MadeBench, 'engine'>, snapshot: number): Promise<string[]> {
  const bytes = await bench.engine.query({
    account: 'a',
    sql: `SELECT concat(deviceId, ' ', failureName) FROM failures
WHERE accountId = 'a' AND seq <= {snapshot:UInt64} AND (supersededBy = 0 OR supersededBy > {snapshot:UInt64}) ORDER BY 1`,
    params: { snapshot },
    format: 'TSV',
  });
  return Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
}
