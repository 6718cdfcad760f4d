/**
 * A byte automaton as one small table: the way to look at every byte of a body at hundreds of megabytes a second.
 * Scanners build theirs once per dataset and run it over the chunks of a body; nothing is kept but the state.
 */

/** State of everything that may not follow; it is never left. */
export const refusedState = 0;

/** A run of bytes from the first to the last; a text stands for each of its bytes. */
export type Bytes = string | readonly [number, number];

/**
 * A finished automaton. A position is a state's number times `width`; the next position is
 * `next[position + classes[byte]]`. Bytes that no state tells apart share a class, which keeps the table small
 * enough for the fast caches.
 */
export interface Table {
  readonly width: number;
  readonly classes: Uint8Array;
  readonly next: Uint16Array | Uint32Array;
}

/** Builds a table. Whatever has no edge is refused. */
export class Automaton {
  readonly #rows: Uint16Array[] = [new Uint16Array(256)];

  /** A new state; numbers rise from 1, so that the first ones made can be told from the others by size. */
  state(): number {
    this.#rows.push(new Uint16Array(256));
    return this.#rows.length - 1;
  }

  /** Goes from one state to another on any of some bytes. */
  edge(from: number, bytes: Bytes, to: number): void {
    const row = this.#row(from);
    if (typeof bytes === 'string') for (const byte of Buffer.from(bytes)) row[byte] = to;
    else row.fill(to, bytes[0], bytes[1] + 1);
  }

  /** Gives a state the edges of another one in addition to its own. */
  also(from: number, other: number): void {
    const row = this.#row(from);
    this.#row(other).forEach((to, byte) => {
      if (to !== refusedState) row[byte] = to;
    });
  }

  /** The state after a byte; `refusedState` if there is no edge. */
  after(from: number, byte: number): number {
    return this.#row(from)[byte] ?? refusedState;
  }

  /** A path over the bytes of a text, through new states of its own. */
  word(from: number, text: string, to: number): void {
    const bytes = Buffer.from(text);
    let at = from;
    bytes.forEach((byte, index) => {
      const next = index === bytes.length - 1 ? to : this.state();
      this.edge(at, [byte, byte], next);
      at = next;
    });
  }

  /** Well-formed UTF-8 sequences of two to four bytes (Unicode, table 3-7) that start in `from` and end in `to`. */
  multibyte(from: number, to: number): void {
    const tail = (next: number, first = 0x80, last = 0xbf) => {
      const state = this.state();
      this.edge(state, [first, last], next);
      return state;
    };
    const one = tail(to);
    const two = tail(one);
    const three = tail(two);
    this.edge(from, [0xc2, 0xdf], one);
    this.edge(from, [0xe0, 0xe0], tail(one, 0xa0, 0xbf));
    this.edge(from, [0xe1, 0xec], two);
    this.edge(from, [0xed, 0xed], tail(one, 0x80, 0x9f));
    this.edge(from, [0xee, 0xef], two);
    this.edge(from, [0xf0, 0xf0], tail(two, 0x90, 0xbf));
    this.edge(from, [0xf1, 0xf3], three);
    this.edge(from, [0xf4, 0xf4], tail(two, 0x80, 0x8f));
  }

  /** The finished table. */
  table(): Table {
    const known = new Map<string, number>();
    const classes = new Uint8Array(256);
    const samples: number[] = [];
    for (let byte = 0; byte < 256; byte += 1) {
      const column = this.#rows.map((row) => row[byte]).join(' ');
      const index = known.get(column) ?? known.size;
      if (index === known.size) {
        known.set(column, index);
        samples.push(byte);
      }
      classes[byte] = index;
    }
    const width = known.size;
    const size = this.#rows.length * width;
    const next = size > 0xffff ? new Uint32Array(size) : new Uint16Array(size);
    this.#rows.forEach((row, state) => {
      samples.forEach((byte, index) => {
        next[state * width + index] = (row[byte] ?? refusedState) * width;
      });
    });
    return { width, classes, next };
  }

  #row(state: number): Uint16Array {
    const row = this.#rows[state];
    if (row === undefined) throw new TypeError(`the automaton has no state ${state}`);
    return row;
  }
}
