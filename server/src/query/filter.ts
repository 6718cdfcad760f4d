/**
 * The filter grammar: text to a tree. `and` binds tighter than `or`; a quote inside text is doubled; keywords and
 * names compare without regard to case; U+2018 and U+2019 count as quotes, for text copied from web pages. Knows
 * no report: names and literals are checked in `check-filter.ts`. Every error names the position, counted from 1.
 */
import type { FilterOperator } from '@storelens/contract';

/** A literal as written. */
export type Literal =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean };

/** A parsed filter. Positions are those of the field name and of the literal. */
export type FilterTree =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly FilterTree[] }
  | {
      readonly kind: 'comparison';
      readonly field: string;
      readonly position: number;
      readonly operator: FilterOperator;
      readonly literal: Literal;
      readonly literalPosition: number;
    };

/** A filter that cannot be read; the message is a complete sentence without the parameter's name. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

type Token =
  | { readonly kind: 'word' | 'number' | 'text'; readonly text: string; readonly position: number }
  | { readonly kind: '(' | ')' | ',' | 'end'; readonly text: string; readonly position: number };

const maximumDepth = 50;
const maximumTerms = 500;
const quotes = "'\u2018\u2019";
const comparisons = ['eq', 'ne', 'gt', 'lt', 'ge', 'le'] as const;

function fail(position: number, message: string): never {
  throw new FilterError(`at position ${position}: ${message}`);
}

/** Splits a filter into tokens, the end included. */
function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source.charAt(at);
    const position = at + 1;
    if (/[\s\u00a0\u202f]/.test(char)) {
      at += 1;
    } else if (char === '(' || char === ')' || char === ',') {
      tokens.push({ kind: char, text: char, position });
      at += 1;
    } else if (quotes.includes(char)) {
      const { text, next } = readText(source, at);
      tokens.push({ kind: 'text', text, position });
      at = next;
    } else {
      const word = /^[A-Za-z_][A-Za-z0-9_]*|^[-+]?\d+(?:\.\d+)?/.exec(source.slice(at))?.[0];
      if (word === undefined) fail(position, `unexpected '${char}'`);
      tokens.push({ kind: /^[A-Za-z_]/.test(word) ? 'word' : 'number', text: word, position });
      at += word.length;
    }
  }
  tokens.push({ kind: 'end', text: '', position: source.length + 1 });
  return tokens;
}

/** Reads quoted text that starts at `start`; two quotes in a row stand for the first of them. */
function readText(source: string, start: number): { text: string; next: number } {
  let text = '';
  let at = start + 1;
  while (at < source.length) {
    const char = source.charAt(at);
    if (!quotes.includes(char)) {
      text += char;
      at += 1;
    } else if (at + 1 < source.length && quotes.includes(source.charAt(at + 1))) {
      text += char;
      at += 2;
    } else {
      return { text, next: at + 1 };
    }
  }
  fail(start + 1, 'the text that starts here has no closing quote');
}

/** Parses a filter; throws {@link FilterError}. */
export function parseFilter(source: string): FilterTree {
  const parser = new Parser(tokenize(source));
  return parser.parse();
}

class Parser {
  private at = 0;
  private terms = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): FilterTree {
    const tree = this.expression('or', 0);
    const rest = this.next();
    if (rest.kind !== 'end') fail(rest.position, `expected and, or, or the end, got ${shown(rest)}`);
    return tree;
  }

  private next(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw new TypeError('read past the end of a filter');
    this.at += 1;
    return token;
  }

  private takeWord(word: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
    this.at += 1;
    return true;
  }

  private expression(joint: 'and' | 'or', depth: number): FilterTree {
    const part = () => (joint === 'or' ? this.expression('and', depth) : this.term(depth));
    const terms = [part()];
    while (this.takeWord(joint)) terms.push(part());
    const [only] = terms;
    return terms.length === 1 && only !== undefined ? only : { kind: joint, terms };
  }

  private term(depth: number): FilterTree {
    const token = this.next();
    if (token.kind === '(') {
      if (depth + 1 > maximumDepth) fail(token.position, `more than ${maximumDepth} levels of parentheses`);
      const inner = this.expression('or', depth + 1);
      this.expect(')', 'a closing parenthesis');
      return inner;
    }
    if (token.kind !== 'word') {
      fail(token.position, `expected a field name, got ${shown(token)}`);
    }
    this.terms += 1;
    if (this.terms > maximumTerms) fail(token.position, `more than ${maximumTerms} comparisons`);
    if (token.text.toLowerCase() === 'contains' && this.tokens[this.at]?.kind === '(') return this.call();
    return this.comparison(token);
  }

  private comparison(field: Token): FilterTree {
    const word = this.next();
    const operator = comparisons.find((name) => word.kind === 'word' && word.text.toLowerCase() === name);
    if (operator === undefined) {
      fail(
        word.position,
        `expected one of ${comparisons.join(', ')} after ${shown(field)}, got ${shown(word)}`,
      );
    }
    return this.finish(field, operator);
  }

  private call(): FilterTree {
    this.expect('(', 'an opening parenthesis');
    const field = this.next();
    if (field.kind !== 'word') fail(field.position, `expected a field name, got ${shown(field)}`);
    this.expect(',', 'a comma');
    const comparison = this.finish(field, 'contains');
    this.expect(')', 'a closing parenthesis');
    return comparison;
  }

  private finish(field: Token, operator: FilterOperator): FilterTree {
    const token = this.next();
    const literal = literalOf(token);
    if (literal === undefined) {
      fail(token.position, `expected a text in single quotes, a number, true or false, got ${shown(token)}`);
    }
    return {
      kind: 'comparison',
      field: field.text,
      position: field.position,
      operator,
      literal,
      literalPosition: token.position,
    };
  }

  private expect(kind: Token['kind'], what: string): void {
    const token = this.next();
    if (token.kind !== kind) fail(token.position, `expected ${what}, got ${shown(token)}`);
  }
}

/** A token for a message; long ones are cut. */
function shown(token: Token): string {
  if (token.kind === 'end') return 'the end';
  return token.text.length > 60 ? `'${token.text.slice(0, 60)}...'` : `'${token.text}'`;
}

function literalOf(token: Token): Literal | undefined {
  if (token.kind === 'text') return { kind: 'text', value: token.text };
  if (token.kind === 'number') return { kind: 'number', value: token.text };
  const word = token.kind === 'word' ? token.text.toLowerCase() : '';
  return word === 'true' || word === 'false' ? { kind: 'boolean', value: word === 'true' } : undefined;
}
