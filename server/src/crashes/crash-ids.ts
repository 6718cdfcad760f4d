/**
 * Ids of crashes: a cabId and a cabIdHash that tell nothing of how many there are, and that are the same when the same
 * crash comes again under the same batch id, so that it replaces its file instead of leaving a second one. Batch ids
 * are forgotten after a time, and a client may then use one for another crash: what it sends decides, too.
 */
import { createHmac } from 'node:crypto';
import type { Registry } from '../registry/index.js';
import { guidOf, type Random } from '../system.js';
import { cabIdOf } from './failure-row.js';

/** Ids of one crash. */
export interface CrashIds {
  /** 13 digits. */
  readonly cabId: string;
  /** A GUID in lower case. */
  readonly cabIdHash: string;
}

/** Makes the ids of a batch of an account; the hash is that of everything that was sent. */
export type MakeCrashIds = (accountId: string, batchId: string, bodyHash: string) => CrashIds;

/** Reads the installation's key of crash ids, or makes it at first start. */
export async function openCrashIds(registry: Registry, random: Random): Promise<MakeCrashIds> {
  const value = await registry.transaction(async (queries) => {
    const row = await queries.get("SELECT value FROM installation WHERE name = 'crash-ids'");
    if (row !== undefined) return String(row.value);
    const made = random.bytes(32).toString('hex');
    await queries.all("INSERT INTO installation (name, value) VALUES ('crash-ids', $1)", [made]);
    return made;
  });
  const key = Buffer.from(value, 'hex');
  return (accountId, batchId, bodyHash) => {
    const digest = createHmac('sha256', key).update(`${accountId}\n${batchId}\n${bodyHash}`, 'utf8').digest();
    return { cabId: cabIdOf(digest.subarray(0, 16)), cabIdHash: guidOf(digest.subarray(16)) };
  };
}
