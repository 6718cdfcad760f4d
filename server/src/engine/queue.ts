/**
 * A bounded waiting line in front of a number of slots: so many calls run, so many wait, the rest are refused.
 * First come, first served.
 */
import { EngineError } from './index.js';

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

  /** Runs `work` on the next free slot. Throws EngineError `unavailable` when the line is full or closed. */
  async run<Result>(work: (slot: Slot) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new EngineError('unavailable', 'the engine is closed', undefined);
    const slot = this.#free.pop() ?? (await this.#wait());
    try {
      return await work(slot);
    } finally {
      this.#release(slot);
    }
  }

  /** Refuses new calls and waits until all accepted ones are done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#free.length === this.#slots) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wait(): Promise<Slot> {
    if (this.#waiting.length >= this.#length) {
      const full = `${this.#slots} calls are running and ${this.#waiting.length} waiting: the queue is full`;
      throw new EngineError('unavailable', full, undefined);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(slot);
      return;
    }
    this.#free.push(slot);
    if (this.#free.length < this.#slots) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
