/** A progress bar on one line of a terminal. Where standard error is no terminal, nothing is shown. */
import type { Context } from './command.js';
import { harmlessLines } from './output.js';

const barWidth = 30;
/** Milliseconds between two drawings. */
const pause = 100;

/** How far some work has come. */
export class Progress {
  readonly #context: Context;
  readonly #total: number | undefined;
  #done = 0;
  #text = '';
  #drawnAt = 0;
  #shown = false;

  /** `total` is the amount of the whole, in any unit; undefined if nobody knows. */
  constructor(context: Context, total: number | undefined) {
    this.#context = context;
    this.#total = total;
  }

  /** So much more was done; `text` stands behind the bar from now on. */
  add(amount: number, text = this.#text): void {
    this.#done += amount;
    this.#text = text;
    const now = this.#context.now();
    if (this.#context.err.isTTY !== true || now - this.#drawnAt < pause) return;
    this.#drawnAt = now;
    this.#shown = true;
    this.#context.err.write(`\r\x1b[K${this.#line()}`);
  }

  /** A line of its own, above the bar. */
  note(text: string): void {
    this.end();
    this.#context.err.write(`${harmlessLines(text)}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#shown) this.#context.err.write('\r\x1b[K');
    this.#shown = false;
    this.#drawnAt = 0;
  }

  #line(): string {
    const { err, environment } = this.#context;
    const part = this.#total === undefined ? undefined : Math.min(1, this.#done / Math.max(1, this.#total));
    const [full, empty] = environment.plain ? ['#', '.'] : ['█', '░'];
    const length = Math.round((part ?? 0) * barWidth);
    const bar =
      part === undefined
        ? ''
        : `${full.repeat(length)}${empty.repeat(barWidth - length)} ${String(Math.floor(part * 100)).padStart(3)}%  `;
    return `${bar}${this.#text}`.slice(0, Math.max(10, (err.columns ?? 80) - 1));
  }
}
