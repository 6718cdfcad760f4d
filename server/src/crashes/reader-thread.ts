/**
 * One thread that reads files, as the main thread sees it: it answers one request at a time, starts with the first one
 * and starts anew after an end. Time limits are the caller's.
 */
import { Worker } from 'node:worker_threads';
import type { ReadingAnswer, ReadingRequest } from './reading.js';

/** Most memory of a thread's objects, in MiB; bytes of files come on top and are limited by their sizes. */
const heap = { maxOldGenerationSizeMb: 768, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 } as const;

/** A reading that passed a limit: a sentence for the sender and the row. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';

  constructor(readonly sentence: string) {
    super(sentence);
  }
}

/** A reading thread. */
export class ReaderThread {
  #worker: Worker | undefined;
  #asked: { resolve(answer: ReadingAnswer): void; reject(error: unknown): void } | undefined;

  /** Asks the thread, which must not be busy. Throws GivenUp if it runs out of memory; others are faults of ours. */
  ask(request: ReadingRequest): Promise<ReadingAnswer> {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    });
  }

  /** Ends the thread, whatever it does; returns when it is gone. An open question is never answered. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#asked = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      name: 'crash reader',
      resourceLimits: heap,
      // Files from strangers are read there: the thread gets none of our secrets.
      env: {},
      argv: [],
    });
    // Events of a thread that was ended meanwhile are nobody's business.
    const gone = (error: unknown) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#asked?.reject(error);
    };
    worker.on('message', (answer: ReadingAnswer) => {
      if (this.#worker === worker) this.#asked?.resolve(answer);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      gone(memory ? new GivenUp('Reading the file took more memory than it may.') : error);
    });
    worker.on('exit', () => gone(new Error('a reading thread ended by itself')));
    return worker;
  }
}
