/**
 * Where the time of a report goes: a watch that runs for one request and always counts for exactly one stage. The
 * engine room enters `parse`, `plan` and `render` itself; engine calls made meanwhile, however deep and however many
 * at once, count for `engine` while one of them runs, and for `queue` while they wait for a session. The engine
 * learns which queries go on with a request that had its turn before. Whoever answers decides what to do with the
 * figures.
 *
 * The watch follows its request as asynchronous context, so that the functions between need not hand it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Engine } from '../engine/index.js';

const stages = ['parse', 'plan', 'queue', 'engine', 'render'] as const;

/** What a request can be busy with. */
export type Stage = (typeof stages)[number];

/** Milliseconds by stage, in the order in which they happen. */
export type Timings = Readonly<Record<Stage, number>>;

/** A watch for one request. */
class Watch {
  readonly timings: Record<Stage, number> = { parse: 0, plan: 0, queue: 0, engine: 0, render: 0 };
  /** Whether the request had a turn at the engine. */
  letIn = false;
  /** Engine calls that wait or run, and those of them that run. */
  calls = 0;
  running = 0;
  #entered: Stage = 'parse';
  #counting: Stage = 'parse';
  #since = performance.now();

  enter(stage: Stage): void {
    this.#entered = stage;
    this.look();
  }

  /** Counts up to now, then for what the request is busy with. */
  look(): void {
    const now = performance.now();
    this.timings[this.#counting] += now - this.#since;
    this.#since = now;
    this.#counting = this.running > 0 ? 'engine' : this.calls > 0 ? 'queue' : this.#entered;
  }
}

const watches = new AsyncLocalStorage<Watch>();
/** Requests under a watch. */
let watchedRequests = 0;

/** Does the work of one request under a watch that begins with `parse`, and adds the timings to its result. */
export function timed<Result>(work: () => Promise<Result>): Promise<Result & { readonly timings: Timings }> {
  const watch = new Watch();
  watchedRequests += 1;
  return watches.run(watch, async () => {
    try {
      const result = await work();
      watch.look();
      return { ...result, timings: watch.timings };
    } finally {
      watchedRequests -= 1;
      // As long as anything is followed, every promise of the process is: 30 microseconds of a repeated answer.
      if (watchedRequests === 0) watches.disable();
    }
  });
}

/** From now on the request counts for this stage. Without effect outside {@link timed}. */
export function enter(stage: Stage): void {
  watches.getStore()?.enter(stage);
}

/** The same engine, whose queries tell the watch of their request what they do. */
export function watched(engine: Engine): Engine {
  return {
    ...engine,
    async query(query) {
      const watch = watches.getStore();
      if (watch === undefined) return await engine.query(query);
      let running = 0;
      watch.calls += 1;
      watch.look();
      try {
        const begun = () => {
          running = 1;
          watch.running += 1;
          watch.letIn = true;
          watch.look();
          query.begun?.();
        };
        return await engine.query({ ...query, goesOn: watch.letIn, begun });
      } finally {
        watch.calls -= 1;
        watch.running -= running;
        watch.look();
      }
    },
  };
}
