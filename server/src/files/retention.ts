/** How long crash files are kept. Days are whole for the sweep; what a single file's time is, its event decides. */
import type { Clock } from '../system.js';
import type { FileKey, Files } from './index.js';

const dayMilliseconds = 86_400_000;

/** When the file of an event goes, in milliseconds since 1970; undefined if it is kept for ever (`days` of 0). */
export function crashFileExpiry(eventTime: number, days: number): number | undefined {
  return days === 0 ? undefined : eventTime + days * dayMilliseconds;
}

/** Removes all crash files of an account; returns how many. */
export async function removeCrashFiles(files: Files, accountId: string): Promise<number> {
  let removed = 0;
  const folder = `crashes/${accountId}`;
  for (const day of await files.list(folder)) {
    if (day.endsWith('/')) removed += await removeDay(files, `${folder}/${day.slice(0, -1)}`);
  }
  return removed;
}

async function removeDay(files: Files, key: FileKey): Promise<number> {
  const names = (await files.list(key)).filter((name) => !name.endsWith('/'));
  for (const name of names) await files.remove(`${key}/${name}`);
  return names.length;
}

/** Removes the crash files of days whose last moment is `days` days ago; returns how many. 0 keeps all. */
export async function sweepCrashFiles(files: Files, days: number, clock: Clock): Promise<number> {
  if (days === 0) return 0;
  let removed = 0;
  for (const account of await files.list('crashes')) {
    if (!account.endsWith('/')) continue;
    const accountKey = `crashes/${account.slice(0, -1)}`;
    for (const day of await files.list(accountKey)) {
      if (!/^\d{4}-\d\d-\d\d\/$/.test(day)) continue;
      const end = Date.parse(`${day.slice(0, -1)}T00:00:00Z`) + dayMilliseconds;
      // Not a number for a day that no calendar has: no key of ours.
      if (!((crashFileExpiry(end, days) ?? Number.NaN) <= clock.now())) continue;
      removed += await removeDay(files, `${accountKey}/${day.slice(0, -1)}`);
    }
  }
  return removed;
}
