/**
 * A bounded waiting line in front of a number of slots: so many calls run, so many wait, the rest are refused.
 * First come, first served, but for calls that go on with work already let in: refusing those late would waste what
 * was done for them. Who has gone meanwhile leaves the line.
 */
import { EngineError } from './index.js';

function gone(): EngineError {
  return new EngineError('unavailable', 'nobody waits for the answer any longer', undefined);
}

/** How a call stands in the line. */
export interface Turn {
  /** Whoever aborts before the work began leaves the line. */
  readonly signal?: AbortSignal | undefined;
  /** Goes on with work that had a slot before: it is next, and never refused for a full line. */
  readonly goesOn?: boolean | undefined;
}

/** Runs calls on slots of type `Slot`; each slot serves one call at a time. */
export class Queue<Slot> {
  readonly #free: Slot[];
  readonly #slots: number;
  readonly #length: number;
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #closed = false;
  readonly #idle: (() => void)[] = [];

  /** Takes the slots and how many calls may wait for one. */
  constructor(slots: readonly Slot[], length: number) {
    this.#free = [...slots];
    this.#slots = slots.length;
    this.#length = length;
  }

  /**
   * Runs `work` on the next free slot and tells it how many calls wait behind it. Throws EngineError `unavailable` when
   * the line is full or closed, or when the signal aborts before the work began.
   */
  async run<Result>(
    work: (slot: Slot, waiting: number) => Promise<Result>,
    turn: Turn = {},
  ): Promise<Result> {
    if (this.#closed) throw new EngineError('unavailable', 'the engine is closed', undefined);
    if (turn.signal?.aborted === true) throw gone();
    const slot = this.#free.pop() ?? (await this.#wait(turn));
    let failed = true;
    try {
      const result = await work(slot, this.#waiting.length);
      failed = false;
      return result;
    } finally {
      this.#release(slot, failed);
    }
  }

  /** Refuses new calls and waits until all accepted ones are done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#free.length === this.#slots) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wait({ signal, goesOn = false }: Turn): Promise<Slot> {
    if (!goesOn && this.#waiting.length >= this.#length) {
      const full = `${this.#slots} calls are running and ${this.#waiting.length} waiting: the queue is full`;
      throw new EngineError('unavailable', full, undefined);
    }
    return new Promise((resolve, reject) => {
      const start = (slot: Slot) => {
        signal?.removeEventListener('abort', leave);
        resolve(slot);
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(gone());
      };
      signal?.addEventListener('abort', leave, { once: true });
      if (goesOn) this.#waiting.unshift(start);
      else this.#waiting.push(start);
    });
  }

  /** The slot used last is used first, but after a failure last: it may have to be cleaned, which takes time. */
  #release(slot: Slot, failed: boolean): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(slot);
      return;
    }
    if (failed) this.#free.unshift(slot);
    else this.#free.push(slot);
    if (this.#free.length < this.#slots) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
