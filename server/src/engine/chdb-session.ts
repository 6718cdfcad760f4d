/**
 * Statements on a session of the embedded engine, and the cleaning up after failed ones. It knows no pools; `chdb.ts` and
 * `chdb-stream.ts` decide which session does what.
 */
import type { Session } from 'chdb';

const unclean = new WeakSet<Session>();

/**
 * Does nothing unless the last statement failed. A session keeps what a failed query had answered so far, and puts it
 * before the answer of its next query (chdb 3.4.0), which may be another account's. So the answer that follows a failure
 * is thrown away before anybody asks; where that fails, this throws and nobody is answered. Remove this when a failed
 * query leaves nothing behind.
 */
export async function clean(session: Session): Promise<void> {
  if (!unclean.has(session)) return;
  await session.queryAsync('SELECT 1 FORMAT TSV');
  unclean.delete(session);
}

/** Runs a statement on a session that is clean. */
export async function ask(session: Session, text: string): ReturnType<Session['queryAsync']> {
  await clean(session);
  try {
    return await session.queryAsync(text);
  } catch (error) {
    unclean.add(session);
    throw error;
  }
}

/**
 * Makes a session clean whose stream failed or was not read to its end: until its next statement it keeps the query,
 * with all that this holds.
 */
export async function cleanse(session: Session): Promise<void> {
  unclean.add(session);
  await ask(session, 'SELECT 1 FORMAT Null');
}
