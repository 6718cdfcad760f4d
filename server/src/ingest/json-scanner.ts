/**
 * The scanner of JSON bodies: an automaton of the exact language of a dataset's rows. It knows the keys and the
 * JSON type of each, so it refuses unknown keys, text given as a number and the other way round, more than six
 * decimals and numbers that do not fit, besides everything that is no JSON or no UTF-8. The engine's own parser is
 * lenient in all of these (it reads "5" as 5 and wraps what is too long). What a value means is not looked at here.
 */
import type { DatasetEntry } from '@storelens/contract';
import { Automaton, type Table } from './automaton.js';
import { objectInside } from './json-language.js';
import { maxRowBytes, type Scan, type Scanner, unreadable } from './scanner.js';

/** How rows follow each other: one object a line, or one array of objects. */
export type Framing = 'lines' | 'array';

/**
 * A finished automaton. States 1 and 2 are entered exactly at the start and at the end of each row; state 3 is the
 * inside of a text, where most bytes change nothing. The following ones are entered at the end of each key, in the order
 * of the columns.
 */
interface Machine {
  readonly table: Table;
  readonly columns: number;
  readonly start: number;
  readonly accepting: ReadonlySet<number>;
}

const rowStart = 1;
const rowEnd = 2;
const insideText = 3;
const firstNamed = 4;

function machineOf(entry: DatasetEntry, framing: Framing): Machine {
  const automaton = new Automaton();
  for (const state of [rowStart, rowEnd, insideText]) {
    if (automaton.state() !== state) throw new TypeError(`state ${state} has a meaning of its own`);
  }
  const blanks = framing === 'lines' ? ' \t\r' : ' \t\r\n';

  const named = entry.columns.map(() => automaton.state());
  const columns = named.length;
  const afterValue = automaton.state();
  objectInside({ automaton, blanks, insideText, afterValue }, entry.columns, rowStart, rowEnd, named);

  // Between rows. A byte order mark may stand first.
  const start = automaton.state();
  const between = automaton.state();
  automaton.word(start, '\ufeff', between);
  automaton.edge(between, ' \t\r\n', between);
  const afterRow = automaton.state();
  automaton.edge(afterRow, blanks, afterRow);
  if (framing === 'lines') {
    automaton.edge(between, '{', rowStart);
    automaton.also(start, between);
    automaton.edge(afterRow, '\n', between);
    automaton.also(rowEnd, afterRow);
    const accepting = new Set([start, between, rowEnd, afterRow]);
    return { table: automaton.table(), columns, start, accepting };
  }
  const [opened, nextRow, closed] = [automaton.state(), automaton.state(), automaton.state()];
  for (const state of [opened, nextRow, closed]) automaton.edge(state, blanks, state);
  automaton.edge(between, '[', opened);
  automaton.also(start, between);
  automaton.edge(opened, ']', closed);
  for (const state of [opened, nextRow]) automaton.edge(state, '{', rowStart);
  automaton.edge(afterRow, ',', nextRow);
  automaton.edge(afterRow, ']', closed);
  automaton.also(rowEnd, afterRow);
  return { table: automaton.table(), columns, start, accepting: new Set([closed]) };
}

const machines: Record<Framing, WeakMap<DatasetEntry, Machine>> = {
  lines: new WeakMap(),
  array: new WeakMap(),
};

/** Bytes of a text that mean themselves: printable ASCII but for the quote and the backslash. */
const plain = new Uint8Array(256).fill(1, 0x20, 0x80);
plain[0x22] = 0;
plain[0x5c] = 0;

/** Numbers that become more. */
class Notes {
  #numbers = new Int32Array(1024);
  #count = 0;

  add(number: number): void {
    if (this.#count === this.#numbers.length) {
      const more = new Int32Array(2 * this.#count);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count++] = number;
  }

  all(): Int32Array {
    return this.#numbers.subarray(0, this.#count);
  }
}

/** The scan of one body. */
class JsonScanner implements Scanner {
  readonly #machine: Machine;
  /** Position in the table. */
  #at: number;
  #rows = 0;
  /** Offsets in the body: of the present chunk, and of the row or gap that was begun last. */
  #base = 0;
  #begun = 0;
  #problem: Scan['problem'];
  readonly #mostNoted: number;
  #notes: Notes | undefined;

  constructor(machine: Machine, mostNoted: number) {
    this.#machine = machine;
    this.#mostNoted = mostNoted;
    this.#notes = mostNoted > 0 ? new Notes() : undefined;
    this.#at = machine.start * machine.table.width;
  }

  push(chunk: Uint8Array): void {
    if (this.#problem !== undefined) return;
    // Local variables stay in registers; this loop sees every byte.
    const { width, classes, next } = this.#machine.table;
    const insideAt = insideText * width;
    const { length } = chunk;
    if (this.#base + length > this.#mostNoted) this.#notes = undefined;
    const lastAt = this.#notes === undefined ? insideAt : (insideText + this.#machine.columns) * width;
    let at = this.#at;
    for (let index = 0; index < length; index += 1) {
      at = next[at + (classes[chunk[index] as number] as number)] as number;
      if (at > lastAt) continue;
      if (at === insideAt) {
        while (index + 1 < length && plain[chunk[index + 1] as number] === 1) index += 1;
      } else if (!this.#event(at / width, this.#base + index)) return;
    }
    this.#at = at;
    this.#base += length;
  }

  end(): Scan {
    if (this.#problem === undefined && !this.#machine.accepting.has(this.#at / this.#machine.table.width)) {
      this.#problem = { row: this.#rows + 1, text: 'not JSON: the body ends too early' };
    }
    if (this.#problem !== undefined) return { rows: this.#rows, problem: this.#problem };
    return this.#notes === undefined ? { rows: this.#rows } : { rows: this.#rows, notes: this.#notes.all() };
  }

  /** Notes the end of a key, or the start or the end of a row; false after a problem. */
  #event(state: number, offset: number): boolean {
    if (state >= firstNamed) {
      this.#notes?.add(offset * 256 + state - insideText);
      return true;
    }
    if (state === rowStart) {
      this.#begun = offset;
      this.#notes?.add(offset * 256);
      return true;
    }
    if (state === rowEnd && offset - this.#begun < maxRowBytes) {
      this.#rows += 1;
      this.#begun = offset + 1;
      return true;
    }
    const text =
      state === rowEnd ? `longer than ${maxRowBytes} bytes` : unreadable('JSON', offset - this.#begun + 1);
    this.#problem = { row: this.#rows + 1, text };
    return false;
  }
}

/**
 * A scanner for one body of rows of a dataset. What it finds in a body of at most `mostNoted` bytes, fewer than eight
 * million, has its notes.
 */
export function jsonScanner(entry: DatasetEntry, framing: Framing, mostNoted = 0): Scanner {
  let machine = machines[framing].get(entry);
  if (machine === undefined) {
    machine = machineOf(entry, framing);
    machines[framing].set(entry, machine);
  }
  return new JsonScanner(machine, mostNoted);
}
