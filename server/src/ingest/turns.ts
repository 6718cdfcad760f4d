/** Long work in slices: whoever else waits for the event loop gets a turn in between. */
import { setImmediate } from 'node:timers/promises';

/** Longest slice of work, in milliseconds. */
const sliceMilliseconds = 4;

/** Measures the slices of one piece of work. */
export class Turns {
  #until = performance.now() + sliceMilliseconds;

  /** To be called between small steps; lets others have their turn once the slice is over. */
  async give(): Promise<void> {
    if (performance.now() < this.#until) return;
    await setImmediate();
    this.#until = performance.now() + sliceMilliseconds;
  }
}
