/**
 * Whole answers from the embedded engine, piece by piece, on sessions of their own, so that long answers and slow
 * readers hold up nobody who asks for a page. A piece is a block of rows (some megabytes); the next one is made when
 * it is asked for.
 *
 * The engine prints each block as a document of its own (chdb 3.4.0), which is right for rows and wrong for Parquet:
 * such an answer goes to a file first and is read from there. And between two blocks it cannot be interrupted by the
 * session itself: one more session kills the query of a reader that has gone.
 */
import { createReadStream } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Session } from 'chdb';
import { ask, clean, cleanse } from './chdb-session.js';
import { toEngineError } from './errors.js';
import { type Engine, EngineError, type EngineStream } from './index.js';
import { literalsOf } from './literals.js';
import { Queue } from './queue.js';
import { Shares } from './shares.js';
import { exportText, queryText, quoteText } from './statement.js';

/** Bytes of a file that are read at once. */
const fileChunk = 256 * 1024;

/** Half of the cores, so that pages get the others. */
const threads = Math.max(1, Math.floor(availableParallelism() / 2));

/** Milliseconds between two attempts to end a query. */
const killAgain = 200;

/** Streams over the first sessions; the last one kills. `folder` is emptied, and holds files while they are sent. */
export async function openStreams(
  sessions: readonly Session[],
  queueLength: number,
  folder: string,
): Promise<{ readonly stream: Engine['stream']; close(): Promise<void> }> {
  await rm(folder, { recursive: true, force: true });
  const slots = new Shares(sessions.slice(0, -1), queueLength);
  const killers = new Queue(sessions.slice(-1), queueLength);
  let count = 0;

  async function* blocks(session: Session, request: EngineStream, settings: Settings) {
    if (request.signal?.aborted === true) throw gone();
    // What failed here before may have been another account's, and the cleaning after it may have failed, too.
    await clean(session);
    const bind = literalsOf(request.params);
    // The query is known to the engine once this returns, so that it can be killed.
    const reading = session.queryStream(queryText({ ...request, settings }, bind), {
      format: request.format,
    });
    let ended = false;
    try {
      for await (const block of reading) yield block.raw();
      ended = true;
    } finally {
      if (!ended) await cleanse(session).catch(() => {});
    }
  }

  async function* document(session: Session, request: EngineStream, settings: Settings, name: string) {
    const file = join(folder, `${name}.parquet`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      const target = `file(${quoteText(file)}, 'Parquet')`;
      await ask(session, exportText({ ...request, settings }, target, literalsOf(request.params)));
      const written = await access(file).then(
        () => true,
        () => false,
      );
      // No rows, no file.
      if (written) yield* createReadStream(file, { highWaterMark: fileChunk }) as AsyncIterable<Uint8Array>;
      else
        yield (await ask(session, queryText({ ...request, settings }, literalsOf(request.params)))).bytes();
    } finally {
      await rm(file, { force: true });
    }
  }

  async function* stream(request: EngineStream): AsyncGenerator<Uint8Array> {
    const { signal } = request;
    const { slot: session, giveBack } = await slots.take(request.account, signal);
    count += 1;
    const name = `storelens-stream-${count}`;
    let over = false;
    const kill = async () => {
      // Again, because a query that is on its way to the engine is not known there yet.
      while (!over) {
        const statement = `KILL QUERY WHERE Settings['log_comment'] = '${name}' ASYNC FORMAT Null`;
        await killers.run((killer) => ask(killer, statement)).catch(() => {});
        await setTimeout(killAgain);
      }
    };
    signal?.addEventListener('abort', kill, { once: true });
    try {
      const settings = { max_threads: threads, ...request.settings, log_comment: name };
      const pieces =
        request.format === 'Parquet'
          ? document(session, request, settings, name)
          : blocks(session, request, settings);
      for await (const piece of pieces) {
        if (signal?.aborted === true) throw gone();
        yield piece;
      }
      if (signal?.aborted === true) throw gone();
    } catch (error) {
      throw signal?.aborted === true ? gone(error) : toEngineError(error, 'query');
    } finally {
      over = true;
      signal?.removeEventListener('abort', kill);
      giveBack();
    }
  }

  return {
    stream,
    async close() {
      await slots.close();
      await killers.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Settings = NonNullable<EngineStream['settings']>;

function gone(cause?: unknown): EngineError {
  return new EngineError('unavailable', 'nobody waits for the answer any longer', undefined, cause);
}
