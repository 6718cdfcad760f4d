/**
 * Inserts of a single commit: large batches and mirrored days have one of their own. It is kept from the moment its
 * files are durable until it is settled, so that a retry or housekeeping can repeat it.
 */
import { onDisk } from './answers.js';
import type { IncomingParts } from './received.js';
import type { Staged } from './spool.js';
import type { Outcome } from './store.js';

/**
 * Makes the files of an insert durable and keeps it. Throws Failure `unavailable` that names `what`; a commit that is
 * not taken over is then void.
 */
export async function stageOwn(
  { spool, ledger, kept }: Pick<IncomingParts, 'spool' | 'ledger' | 'kept'>,
  staged: Staged,
  takenOver: boolean,
  what: 'batch' | 'day',
): Promise<void> {
  await onDisk(spool.stage(staged), what, async () => {
    if (!takenOver) await ledger.abandon(staged.commits[0]);
  });
  kept.add(staged);
}

/**
 * Runs an insert; one that is settled is kept no longer and needs no files, but for those under the id `own`, which the
 * caller removes.
 */
export async function settleOwn(
  { store, kept, spool }: Pick<IncomingParts, 'store' | 'kept' | 'spool'>,
  staged: Staged,
  repeated: boolean,
  own: string,
): Promise<Outcome> {
  const result = await store.settle(staged, repeated);
  if (result.outcome === 'open') return result;
  kept.delete(staged);
  if (staged.id !== own) await spool.remove(staged.id);
  return result;
}
