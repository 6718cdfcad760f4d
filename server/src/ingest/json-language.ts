/**
 * The language of a dataset's rows as edges of an automaton: objects with the dataset's keys alone, and values of the
 * JSON type of each key, nested ones included. It knows nothing of how rows follow each other.
 */
import type { Column } from '@storelens/contract';
import { type Automaton, refusedState } from './automaton.js';
import { amountDigits } from './rules.js';

/** JSON type that a column takes, besides null; `code` is text or a whole number. */
export type JsonType = 'text' | 'integer' | 'amount' | 'boolean' | 'code' | 'object' | 'list';

/** JSON type of a column. */
export function jsonTypeOf(column: Column): JsonType {
  switch (column.type) {
    case 'integer':
    case 'amount':
    case 'boolean':
    case 'code':
    case 'object':
    case 'list':
      return column.type;
    default:
      return 'text';
  }
}

/** Digits of a whole number that surely fit the engine's Int64. */
export const integerDigits = 18;

const digits = '0123456789';
const hex = '0123456789abcdefABCDEF';

/** Edges of the inside of a string behind its opening quote; lead to `after` behind the closing quote. */
function textInside(automaton: Automaton, inside: number, after: number): void {
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

/** Edges of an amount that begins behind `before`. */
function amount(automaton: Automaton, before: number, after: number): void {
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
}

/** One object's place in the automaton: the bytes that count as blank, and its states. */
interface Place {
  readonly automaton: Automaton;
  readonly blanks: string;
  /** Inside of the texts that are values of this object. */
  readonly insideText: number;
  /** Behind a value. */
  readonly afterValue: number;
}

/** The state before a value of a column or null. */
function beforeValue(place: Place, column: Column): number {
  const { automaton, blanks, insideText, afterValue } = place;
  const before = automaton.state();
  automaton.edge(before, blanks, before);
  automaton.word(before, 'null', afterValue);
  const type = jsonTypeOf(column);
  switch (type) {
    case 'text':
      automaton.edge(before, '"', insideText);
      break;
    case 'boolean':
      automaton.word(before, 'true', afterValue);
      automaton.word(before, 'false', afterValue);
      break;
    case 'code':
    case 'integer':
      for (const state of wholeNumber(automaton, before, integerDigits)) automaton.also(state, afterValue);
      if (type === 'code') automaton.edge(before, '"', insideText);
      break;
    case 'amount':
      amount(automaton, before, afterValue);
      break;
    case 'object': {
      const opened = automaton.state();
      automaton.edge(before, '{', opened);
      nestedObject(place, column, opened, afterValue);
      break;
    }
    case 'list': {
      const [opened, entry, afterEntry, nextEntry] = [
        automaton.state(),
        automaton.state(),
        automaton.state(),
        automaton.state(),
      ];
      for (const state of [opened, afterEntry, nextEntry]) automaton.edge(state, blanks, state);
      automaton.edge(before, '[', opened);
      for (const state of [opened, afterEntry]) automaton.edge(state, ']', afterValue);
      for (const state of [opened, nextEntry]) automaton.edge(state, '{', entry);
      automaton.edge(afterEntry, ',', nextEntry);
      nestedObject(place, column, entry, afterEntry);
      break;
    }
  }
  return before;
}

function nestedObject({ automaton, blanks }: Place, column: Column, opened: number, closed: number): void {
  const nested = { automaton, blanks, insideText: automaton.state(), afterValue: automaton.state() };
  objectInside(nested, column.columns ?? [], opened, closed);
}

/**
 * Edges of the inside of an object, from `opened` behind its brace to `closed` behind the other one. `named` are states
 * that are entered where the key of a column ends, and nowhere else.
 */
export function objectInside(
  place: Place,
  columns: readonly Column[],
  opened: number,
  closed: number,
  named: readonly number[] = columns.map(() => place.automaton.state()),
): void {
  const { automaton, blanks, insideText, afterValue } = place;
  automaton.edge(afterValue, blanks, afterValue);
  automaton.edge(afterValue, '}', closed);
  textInside(automaton, insideText, afterValue);
  const key = automaton.state();
  const firstKey = automaton.state();
  const nextKey = automaton.state();
  automaton.edge(opened, blanks, firstKey);
  automaton.edge(firstKey, blanks, firstKey);
  for (const state of [opened, firstKey]) automaton.edge(state, '}', closed);
  automaton.edge(nextKey, blanks, nextKey);
  for (const state of [opened, firstKey, nextKey]) automaton.edge(state, '"', key);
  automaton.edge(afterValue, ',', nextKey);
  const afterKey = new Map<JsonType, number>();
  for (const [index, column] of columns.entries()) {
    const type = jsonTypeOf(column);
    let after = afterKey.get(type);
    if (after === undefined) {
      after = automaton.state();
      automaton.edge(after, blanks, after);
      automaton.edge(after, ':', beforeValue(place, column));
      // Values of a scalar type are alike; nested ones have keys of their own.
      if (type !== 'object' && type !== 'list') afterKey.set(type, after);
    }
    let at = key;
    for (const byte of Buffer.from(column.name)) {
      const known = automaton.after(at, byte);
      const next = known === refusedState ? automaton.state() : known;
      automaton.edge(at, [byte, byte], next);
      at = next;
    }
    const end = named[index] ?? refusedState;
    automaton.also(end, after);
    automaton.edge(at, '"', end);
  }
}
