/**
 * The filter grammar for the oracle: a recursive-descent reader that yields a predicate tree, and its evaluator over
 * one stored row. Written from the contract alone; shares nothing with the server. A filter that the contract does
 * not allow throws `BadRequest`.
 */
import type { Field, FilterOperator } from '@storelens/contract';
import { clamp, numberOf, readDay } from './dates.js';
import { millionths } from './decimal.js';

/** The request is not what the contract accepts: the answer is a 400. */
export class BadRequest extends Error {}

/** A stored or literal value: text, a whole number or an amount in millionths, a boolean, a day number. */
export type Cell = string | bigint | boolean;

/** A filter as a tree. `literal` has the type of the field it is compared with, numbers in millionths. */
export type Filter =
  | { readonly kind: 'and'; readonly terms: readonly Filter[] }
  | { readonly kind: 'or'; readonly terms: readonly Filter[] }
  | {
      readonly kind: 'compare';
      readonly field: Field;
      readonly operator: FilterOperator;
      readonly literal: Cell;
    };

const foldedTexts = new Map<string, string>();

/** ASCII letters in lower case, all others as they are. */
export function fold(text: string): string {
  const known = foldedTexts.get(text);
  if (known !== undefined) return known;
  const folded = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (foldedTexts.size > 20_000) foldedTexts.clear();
  foldedTexts.set(text, folded);
  return folded;
}

type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'word' | 'mark' | 'end'; readonly text: string };

const isQuote = (character: string | undefined): boolean =>
  character === "'" || character === '\u2018' || character === '\u2019';

function tokens(source: string): Token[] {
  const characters = [...source];
  const found: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] ?? '';
    if (/\s/.test(character)) at += 1;
    else if (isQuote(character)) {
      let text = '';
      at += 1;
      for (;;) {
        const next = characters[at];
        if (next === undefined) throw new BadRequest('text without closing quote');
        if (!isQuote(next)) {
          text += next;
          at += 1;
        } else if (isQuote(characters[at + 1])) {
          text += next;
          at += 2;
        } else break;
      }
      at += 1;
      found.push({ kind: 'text', text });
    } else if (character === '(' || character === ')' || character === ',') {
      found.push({ kind: 'mark', text: character });
      at += 1;
    } else {
      let word = '';
      for (let next = characters[at]; next !== undefined && !/[\s(),]/.test(next) && !isQuote(next); ) {
        word += next;
        at += 1;
        next = characters[at];
      }
      found.push({ kind: 'word', text: word });
    }
  }
  found.push({ kind: 'end', text: '' });
  return found;
}

const comparisons: readonly string[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le'];

/** Reads a filter over the given fields (those of the entry that have `filter`, and its query-only ones). */
export function readFilter(source: string, fields: readonly Field[]): Filter {
  const list = tokens(source);
  let at = 0;
  let terms = 0;
  const peek = (): Token => list[at] ?? { kind: 'end', text: '' };
  const take = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  const isWord = (word: string): boolean => peek().kind === 'word' && fold(peek().text) === word;
  const mark = (text: string): void => {
    const token = take();
    if (token.kind !== 'mark' || token.text !== text) throw new BadRequest(`expected ${text}`);
  };
  const field = (operator: FilterOperator, token: Token): Field => {
    const named = fields.find(({ name }) => token.kind === 'word' && fold(name) === fold(token.text));
    if (!named?.filter?.includes(operator)) throw new BadRequest(`${token.text} does not take ${operator}`);
    return named;
  };
  const term = (depth: number): Filter => {
    if (peek().kind === 'mark' && peek().text === '(') {
      if (depth >= 50) throw new BadRequest('more than 50 levels');
      take();
      const inner = expression(depth + 1);
      mark(')');
      return inner;
    }
    terms += 1;
    if (terms > 500) throw new BadRequest('more than 500 terms');
    const first = take();
    if (fold(first.text) === 'contains' && peek().kind === 'mark' && peek().text === '(') {
      take();
      const named = field('contains', take());
      mark(',');
      const text = take();
      if (text.kind !== 'text') throw new BadRequest('contains needs a text');
      mark(')');
      return { kind: 'compare', field: named, operator: 'contains', literal: text.text };
    }
    const operator = fold(take().text);
    if (!comparisons.includes(operator)) throw new BadRequest(`${operator} is no comparison`);
    const named = field(operator as FilterOperator, first);
    return {
      kind: 'compare',
      field: named,
      operator: operator as FilterOperator,
      literal: literal(named, take()),
    };
  };
  const chain = (word: 'and' | 'or', part: () => Filter): Filter => {
    const parts = [part()];
    while (isWord(word)) {
      take();
      parts.push(part());
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: word, terms: parts };
  };
  const expression = (depth: number): Filter => chain('or', () => chain('and', () => term(depth)));
  const whole = expression(0);
  if (peek().kind !== 'end') throw new BadRequest(`unexpected ${peek().text}`);
  return whole;
}

function literal(field: Field, token: Token): Cell {
  if (token.kind !== 'text' && token.kind !== 'word') throw new BadRequest('no literal');
  const quoted = token.kind === 'text';
  switch (field.type) {
    case 'text':
    case 'instant':
      if (!quoted) throw new BadRequest(`${field.name} needs a quoted text`);
      return token.text;
    case 'boolean': {
      const word = fold(token.text);
      if (word !== 'true' && word !== 'false') throw new BadRequest(`${field.name} needs true or false`);
      return word === 'true';
    }
    case 'date':
    case 'time': {
      const day = quoted ? readDay(token.text) : undefined;
      if (day === undefined) throw new BadRequest(`${field.name} needs a quoted date`);
      // A time may lie beyond all days, as that of a file that is kept for ever does.
      return BigInt(field.type === 'time' ? numberOf(day) : clamp(numberOf(day)));
    }
    case 'integer':
    case 'decimal':
      if (!/^-?\d+(\.\d+)?$/.test(token.text)) throw new BadRequest(`${field.name} needs a number`);
      return millionths(token.text);
  }
}

const loose = (text: string): string => text.replaceAll(' ', '').replaceAll('\u2013', '-');

/**
 * Whether a row passes; `value` gives the row's value of a field before bucketing, `former` says whether the field
 * had a value before.
 */
export function passes(
  filter: Filter,
  value: (field: Field) => Cell,
  former: (field: Field, literal: Cell) => boolean = () => false,
): boolean {
  if (filter.kind === 'and') return filter.terms.every((term) => passes(term, value, former));
  if (filter.kind === 'or') return filter.terms.some((term) => passes(term, value, former));
  let left = value(filter.field);
  let right = filter.literal;
  // Number literals are read in millionths: a whole number may be compared with 2.5.
  if (filter.field.type === 'integer' && typeof left === 'bigint') left *= 1_000_000n;
  if (typeof left === 'string' && typeof right === 'string') {
    if (filter.field.comparison === 'loose') [left, right] = [loose(left), loose(right)];
    [left, right] = [fold(left), fold(right)];
    if (filter.operator === 'contains') return left.includes(right);
  }
  if (typeof left !== typeof right)
    throw new Error(`${filter.field.name} holds another type than its literal`);
  switch (filter.operator) {
    case 'eq':
      return left === right || former(filter.field, filter.literal);
    case 'ne':
      return left !== right && !former(filter.field, filter.literal);
    case 'gt':
      return left > right;
    case 'lt':
      return left < right;
    case 'ge':
      return left >= right;
    case 'le':
      return left <= right;
    case 'contains':
      throw new Error(`${filter.field.name} is no text`);
  }
}
