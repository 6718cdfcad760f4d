/**
 * The threads that read crash files and symbols: a few, each with one file at a time, with limits on time and memory. A
 * thread that passes one is ended and replaced when the next file comes. What a file says is `read-crash.ts`.
 */
import { EngineError, Queue } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { Log } from '../log.js';
import { GivenUp, ReaderThread } from './reader-thread.js';
import type { FindSymbols, Reading, ReadingAnswer, ReadingTask } from './reading.js';
import type { SymbolCheck } from './symbol-reading.js';

/** How files are read. */
export interface ReadersOptions {
  readonly threads: number;
  /** Files that may wait for a thread. */
  readonly queueLength: number;
  /** Longest that one file may take, in milliseconds. */
  readonly milliseconds: number;
  /** Hears of faults of ours, and of threads that were ended. */
  readonly log: Pick<Log, 'error' | 'warn'>;
}

/** What became of a file. */
export type ReadOutcome =
  | { readonly outcome: 'done'; readonly reading: Reading }
  /** The sender's fault: a sentence. */
  | { readonly outcome: 'refused'; readonly sentence: string }
  /** The file could not be read within the limits, or by a fault of ours: a sentence. */
  | { readonly outcome: 'given up'; readonly sentence: string };

/** Finds symbols for modules of a dump. */
export type FindFor = (modules: Parameters<FindSymbols>[1]) => ReturnType<FindSymbols>;

/** Reads crash files. Both throw Failure `unavailable` when too many files wait. */
export interface Readers {
  /** Reads a file; `find` tells which symbols there are for its modules, and is undefined if there are none at all. */
  read(task: ReadingTask, find: FindFor | undefined): Promise<ReadOutcome>;
  /** The facts of a symbol file. Throws Failure `invalid-symbols` for one that cannot be read within the limits. */
  check(path: string): Promise<SymbolCheck>;
  /** Waits for running readings and ends the threads. */
  close(): Promise<void>;
}

/** One conversation with a thread. */
interface Turn {
  readonly thread: ReaderThread;
  over: boolean;
}

/** Makes the readers; threads start when files come. */
export function createReaders({ threads, queueLength, milliseconds, log }: ReadersOptions): Readers {
  const all = Array.from({ length: threads }, () => new ReaderThread());
  const queue = new Queue(all, queueLength);
  const limit = milliseconds === 1000 ? '1 second' : `${milliseconds / 1000} seconds`;
  const tooLate = `Reading the file took longer than ${limit}.`;

  /** Runs a conversation within the time limit. Whatever it throws costs the thread. */
  async function limited<Result>(
    thread: ReaderThread,
    talk: (turn: Turn) => Promise<Result>,
  ): Promise<Result> {
    const turn = { thread, over: false };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new GivenUp(tooLate)), milliseconds);
    });
    try {
      return await Promise.race([talk(turn), late]);
    } catch (error) {
      turn.over = true;
      // Waiting for its end bounds the memory: there are never more threads than slots.
      await thread.end();
      throw error;
    } finally {
      turn.over = true;
      clearTimeout(timer);
    }
  }

  async function inTurn<Result>(talk: (turn: Turn) => Promise<Result>): Promise<Result> {
    try {
      return await queue.run((thread) => limited(thread, talk));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new Failure('unavailable', ['Too many crash files wait to be read.'], {
        retryAfter: 2,
        cause: error,
      });
    }
  }

  function outcomeOf(answer: ReadingAnswer): ReadOutcome {
    switch (answer.answer) {
      case 'done':
        return { outcome: 'done', reading: answer.reading };
      case 'refused':
        return { outcome: 'refused', sentence: answer.sentence };
      case 'failed':
        throw answer.error;
      case 'modules':
      case 'checked':
        throw new TypeError(`a reading thread answered '${answer.answer}' out of turn`);
    }
  }

  return {
    async read(task, find) {
      try {
        return await inTurn(async (turn) => {
          const opened = await turn.thread.ask({ ask: 'open', task, symbols: find !== undefined });
          if (opened.answer !== 'modules' || find === undefined) return outcomeOf(opened);
          const symbols = await find(opened.modules);
          // The search may have taken so long that the thread reads another file by now.
          if (turn.over) throw new TypeError('the turn of a reading is over');
          return outcomeOf(await turn.thread.ask({ ask: 'walk', symbols }));
        });
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (error instanceof GivenUp) log.warn(error.sentence);
        else log.error({ err: error }, 'a crash file could not be read');
        const sentence =
          error instanceof GivenUp
            ? error.sentence
            : 'Reading the file failed; the log of the server says why.';
        return { outcome: 'given up', sentence };
      }
    },

    async check(path) {
      try {
        return await inTurn(async ({ thread }) => {
          const answer = await thread.ask({ ask: 'check', path });
          if (answer.answer === 'checked') return answer.check;
          throw answer.answer === 'failed' ? answer.error : new TypeError('symbols were not checked');
        });
      } catch (error) {
        if (error instanceof GivenUp) throw new Failure('invalid-symbols', [error.sentence]);
        throw error;
      }
    },

    async close() {
      await queue.close();
      await Promise.all(all.map((thread) => thread.end()));
    },
  };
}
