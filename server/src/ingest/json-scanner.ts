/**
 * The scanner of JSON bodies: an automaton of the exact language of a dataset's rows. It knows the keys and the
 * JSON type of each, so it refuses unknown keys, text given as a number and the other way round, more than six
 * decimals and numbers that do not fit, besides everything that is no JSON or no UTF-8. The engine's own parser is
 * lenient in all of these (it reads "5" as 5 and wraps what is too long). What a value means is not looked at here.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { Automaton, refusedState, type Table } from './automaton.js';
import { amountDigits } from './rules.js';
import { maxRowBytes, type Scan, type Scanner, unreadable } from './scanner.js';

/** How rows follow each other: one object a line, or one array of objects. */
export type Framing = 'lines' | 'array';

/** JSON type that a column takes, besides null. */
export type JsonType = 'text' | 'integer' | 'amount' | 'boolean';

/** JSON type of a column. */
export function jsonTypeOf(column: Column): JsonType {
  switch (column.type) {
    case 'integer':
    case 'amount':
    case 'boolean':
      return column.type;
    default:
      return 'text';
  }
}

/** Digits of a whole number that surely fit the engine's Int64. */
export const integerDigits = 18;

/**
 * A finished automaton. States 1 and 2 are entered exactly at the start and at the end of each row; state 3 is the
 * inside of a text, where most bytes change nothing.
 */
interface Machine {
  readonly table: Table;
  readonly start: number;
  readonly accepting: ReadonlySet<number>;
}

const rowStart = 1;
const rowEnd = 2;
const insideText = 3;
const digits = '0123456789';
const hex = '0123456789abcdefABCDEF';

/** Edges of the inside of a string after its opening quote; leads to `after` behind the closing quote. */
function textInside(automaton: Automaton, after: number): void {
  const inside = insideText;
  automaton.edge(inside, [0x20, 0x7f], inside);
  automaton.edge(inside, '"', after);
  automaton.multibyte(inside, inside);
  const escaped = automaton.state();
  automaton.edge(inside, '\\', escaped);
  automaton.edge(escaped, '"\\/bfnrt', inside);
  // \uXXXX but for NUL, and surrogates in pairs only: neither can be stored as text.
  const state = () => automaton.state();
  const [h1, h2, h3, h4] = [state(), state(), state(), state()];
  automaton.edge(escaped, 'u', h1);
  automaton.edge(h1, hex, h2);
  automaton.edge(h2, hex, h3);
  automaton.edge(h3, hex, h4);
  automaton.edge(h4, hex, inside);
  const [zero2, zero3, zero4] = [state(), state(), state()];
  automaton.edge(h1, '0', zero2);
  automaton.edge(zero2, hex, h3);
  automaton.edge(zero2, '0', zero3);
  automaton.edge(zero3, hex, h4);
  automaton.edge(zero3, '0', zero4);
  automaton.edge(zero4, hex, inside);
  automaton.edge(zero4, '0', refusedState);
  const [d2, high3, high4, lowEscape, lowU, low1, low2, low3, low4] = Array.from({ length: 9 }, state) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  automaton.edge(h1, 'dD', d2);
  automaton.edge(d2, '01234567', h3);
  automaton.edge(d2, '89abAB', high3);
  automaton.edge(high3, hex, high4);
  automaton.edge(high4, hex, lowEscape);
  automaton.edge(lowEscape, '\\', lowU);
  automaton.edge(lowU, 'u', low1);
  automaton.edge(low1, 'dD', low2);
  automaton.edge(low2, 'cdefCDEF', low3);
  automaton.edge(low3, hex, low4);
  automaton.edge(low4, hex, inside);
}

/** Edges of a whole number from a state before it: no leading zeros, no more digits than allowed. */
function wholeNumber(automaton: Automaton, from: number, most: number): readonly number[] {
  const zero = automaton.state();
  const minus = automaton.state();
  const counted = Array.from({ length: most }, () => automaton.state());
  for (const start of [from, minus]) {
    automaton.edge(start, '0', zero);
    automaton.edge(start, '123456789', counted[0] ?? refusedState);
  }
  automaton.edge(from, '-', minus);
  counted.forEach((state, index) => {
    automaton.edge(state, digits, counted[index + 1] ?? refusedState);
  });
  return [zero, ...counted];
}

/** The state behind the `e` of a number whose decimal point may move left by so many places, at most nine. */
function negativeExponent(automaton: Automaton, most: number, after: number): number {
  if (most === 0) return refusedState;
  const [sign, first, second, end] = [
    automaton.state(),
    automaton.state(),
    automaton.state(),
    automaton.state(),
  ];
  automaton.edge(sign, '-', first);
  automaton.edge(first, '0', second);
  for (const state of [first, second]) automaton.edge(state, [0x31, 0x30 + most], end);
  automaton.also(end, after);
  return sign;
}

/** The state before a value of a JSON type or null, given the one after it. */
function stateBeforeValue(automaton: Automaton, type: JsonType, blanks: string, after: number): number {
  const before = automaton.state();
  automaton.edge(before, blanks, before);
  automaton.word(before, 'null', after);
  switch (type) {
    case 'text':
      automaton.edge(before, '"', insideText);
      break;
    case 'boolean':
      automaton.word(before, 'true', after);
      automaton.word(before, 'false', after);
      break;
    case 'integer':
      for (const state of wholeNumber(automaton, before, integerDigits)) automaton.also(state, after);
      break;
    case 'amount': {
      const point = automaton.state();
      const fraction = Array.from({ length: amountDigits.fraction }, () => automaton.state());
      automaton.edge(point, digits, fraction[0] ?? refusedState);
      fraction.forEach((state, index) => {
        automaton.edge(state, digits, fraction[index + 1] ?? refusedState);
        automaton.edge(state, 'eE', negativeExponent(automaton, fraction.length - index - 1, after));
        automaton.also(state, after);
      });
      const exponent = negativeExponent(automaton, fraction.length, after);
      for (const state of wholeNumber(automaton, before, amountDigits.whole)) {
        automaton.edge(state, '.', point);
        automaton.edge(state, 'eE', exponent);
        automaton.also(state, after);
      }
      break;
    }
  }
  return before;
}

function machineOf(entry: DatasetEntry, framing: Framing): Machine {
  const automaton = new Automaton();
  for (const state of [rowStart, rowEnd, insideText]) {
    if (automaton.state() !== state) throw new TypeError(`state ${state} has a meaning of its own`);
  }
  const blanks = framing === 'lines' ? ' \t\r' : ' \t\r\n';

  // Inside a row: `{`, keys with their values, `}`.
  const afterValue = automaton.state();
  automaton.edge(afterValue, blanks, afterValue);
  automaton.edge(afterValue, '}', rowEnd);
  textInside(automaton, afterValue);
  const key = automaton.state();
  const firstKey = automaton.state();
  const nextKey = automaton.state();
  automaton.edge(rowStart, blanks, firstKey);
  automaton.edge(firstKey, blanks, firstKey);
  for (const state of [rowStart, firstKey]) automaton.edge(state, '}', rowEnd);
  automaton.edge(nextKey, blanks, nextKey);
  for (const state of [rowStart, firstKey, nextKey]) automaton.edge(state, '"', key);
  automaton.edge(afterValue, ',', nextKey);
  const afterKey = new Map<JsonType, number>();
  for (const column of entry.columns) {
    const type = jsonTypeOf(column);
    let after = afterKey.get(type);
    if (after === undefined) {
      after = automaton.state();
      automaton.edge(after, blanks, after);
      automaton.edge(after, ':', stateBeforeValue(automaton, type, blanks, afterValue));
      afterKey.set(type, after);
    }
    let at = key;
    for (const byte of Buffer.from(column.name)) {
      const known = automaton.after(at, byte);
      const next = known === refusedState ? automaton.state() : known;
      automaton.edge(at, [byte, byte], next);
      at = next;
    }
    automaton.edge(at, '"', after);
  }

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
    return { table: automaton.table(), start, accepting: new Set([start, between, rowEnd, afterRow]) };
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
  return { table: automaton.table(), start, accepting: new Set([closed]) };
}

const machines: Record<Framing, WeakMap<DatasetEntry, Machine>> = {
  lines: new WeakMap(),
  array: new WeakMap(),
};

/** Bytes of a text that mean themselves: printable ASCII but for the quote and the backslash. */
const plain = new Uint8Array(256).fill(1, 0x20, 0x80);
plain[0x22] = 0;
plain[0x5c] = 0;

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

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#at = machine.start * machine.table.width;
  }

  push(chunk: Uint8Array): void {
    if (this.#problem !== undefined) return;
    // Local variables stay in registers; this loop sees every byte.
    const { width, classes, next } = this.#machine.table;
    const insideAt = insideText * width;
    const { length } = chunk;
    let at = this.#at;
    for (let index = 0; index < length; index += 1) {
      at = next[at + (classes[chunk[index] as number] as number)] as number;
      if (at > insideAt) continue;
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
    return this.#problem === undefined ? { rows: this.#rows } : { rows: this.#rows, problem: this.#problem };
  }

  /** Notes the start or the end of a row; false after a problem. */
  #event(state: number, offset: number): boolean {
    if (state === rowStart) {
      this.#begun = offset;
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

/** A scanner for one body of rows of a dataset. */
export function jsonScanner(entry: DatasetEntry, framing: Framing): Scanner {
  let machine = machines[framing].get(entry);
  if (machine === undefined) {
    machine = machineOf(entry, framing);
    machines[framing].set(entry, machine);
  }
  return new JsonScanner(machine);
}
