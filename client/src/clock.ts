/** Time and chance, as arguments: tests bring their own. */

/** The time, and waiting for it to pass. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after some milliseconds; rejects with the reason of the signal as soon as it aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Timers hold at most this many milliseconds, 24.8 days. */
const longest = 2 ** 31 - 1;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wait: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', stop);
          resolve();
        },
        Math.min(milliseconds, longest),
      );
      signal.addEventListener('abort', stop, { once: true });
    }),
};

/** A promise, unless the signal aborts first: then its reason. What the promise is about goes on. */
export async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise;
  let leave = () => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    if (signal.aborted) leave();
  });
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** A signal that ends work that makes no progress. */
export interface Watch {
  /** Aborts when the caller's signal does, or after `patience` milliseconds without a touch. */
  readonly signal: AbortSignal;
  /** Whether patience ran out. */
  readonly expired: boolean;
  /** Whether the caller's signal aborted. */
  readonly canceled: boolean;
  /** There was progress; patience begins anew. */
  touch(): void;
  /** Nothing is expected until the next touch. */
  pause(): void;
  /** The work is over. */
  end(): void;
}

/** Watches over work that should show progress every `patience` milliseconds. */
export function watch(clock: Clock, patience: number, caller: AbortSignal | undefined): Watch {
  const work = new AbortController();
  const follow = () => work.abort(caller?.reason);
  caller?.addEventListener('abort', follow, { once: true });
  if (caller?.aborted) follow();
  let expired = false;
  let timer = new AbortController();
  const touch = () => {
    timer.abort();
    timer = new AbortController();
    clock.wait(patience, timer.signal).then(
      () => {
        expired = true;
        work.abort();
      },
      () => undefined,
    );
  };
  touch();
  return {
    signal: work.signal,
    get expired() {
      return expired;
    },
    get canceled() {
      return caller?.aborted === true;
    },
    touch,
    pause: () => timer.abort(),
    end() {
      timer.abort();
      caller?.removeEventListener('abort', follow);
    },
  };
}
