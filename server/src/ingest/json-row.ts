/**
 * Reads one row's JSON into keys and raw values, for the explanations. Values keep their literal, so that a number is
 * judged as it was written.
 */
import type { Entry, Value } from './values.js';

/** Objects and lists within each other that are looked into; more than any dataset has. */
const nestedLevels = 4;

/** A row as found: its entries, or what makes it unreadable. `lost` ends the search: no later row can be told. */
export type FoundRow =
  | { readonly entries: readonly Entry[] }
  | { readonly problem: string; readonly lost?: true };

const token =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false)|(null))/y;

/** Reads the tokens of one row's text. */
class Tokens {
  #match: RegExpExecArray | null = null;
  #at = 0;

  constructor(readonly text: string) {
    this.next();
  }

  /** Moves on by one token. */
  next(): void {
    token.lastIndex = this.#at;
    this.#match = token.exec(this.text);
    if (this.#match !== null) this.#at = token.lastIndex;
  }

  /** Takes a punctuation mark if it is next. */
  take(mark: string): boolean {
    if (this.#match?.[1] !== mark) return false;
    this.next();
    return true;
  }

  /** Takes a string if it is next, as it stands between its quotes. */
  takeKey(): string | undefined {
    const literal = this.#match?.[2];
    if (literal === undefined) return undefined;
    this.next();
    return literal.slice(1, -1);
  }

  /** Takes a string if it is next; its decoded text. */
  takeText(): string | undefined {
    const text = this.takeKey();
    return text?.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }

  /** Takes a value; objects and lists below the levels that datasets have are passed over whole. */
  takeValue(levels = nestedLevels): Value | undefined {
    const text = this.takeText();
    if (text !== undefined) return { kind: 'text', text };
    const [, mark, , number, boolean, nothing] = this.#match ?? [];
    if (mark === '{' || mark === '[') {
      const kind = mark === '{' ? 'object' : 'list';
      if (levels === 0) return this.#pass() ? { kind, text: '' } : undefined;
      if (mark === '{') {
        const members = this.takeMembers(levels - 1);
        return typeof members === 'string' ? undefined : { kind, text: '', members };
      }
      const items = this.#takeItems(levels - 1);
      return items === undefined ? undefined : { kind, text: '', items };
    }
    const literal = number ?? boolean ?? nothing;
    if (literal === undefined) return undefined;
    this.next();
    return {
      kind: number !== undefined ? 'number' : boolean !== undefined ? 'boolean' : 'null',
      text: literal,
    };
  }

  /** Takes an object whose brace is next; a sentence if it is none. */
  takeMembers(levels = nestedLevels): Entry[] | string {
    if (!this.take('{')) return 'not a JSON object';
    const members: Entry[] = [];
    if (this.take('}')) return members;
    for (;;) {
      const key = this.takeKey();
      if (key === undefined || !this.take(':')) return 'not JSON: a key in quotes and a colon were expected';
      const value = this.takeValue(levels);
      if (value === undefined) return `not JSON: the value of "${key.slice(0, 98)}" cannot be read`;
      members.push([key, value]);
      if (this.take('}')) return members;
      if (!this.take(',')) return 'not JSON: a comma or a closing brace was expected';
    }
  }

  #takeItems(levels: number): Value[] | undefined {
    this.next();
    const items: Value[] = [];
    if (this.take(']')) return items;
    for (;;) {
      const item = this.takeValue(levels);
      if (item === undefined) return undefined;
      items.push(item);
      if (this.take(']')) return items;
      if (!this.take(',')) return undefined;
    }
  }

  /** Whether nothing but blanks is left. */
  get ended(): boolean {
    return this.#match === null && /^[ \t\r\n]*$/.test(this.text.slice(this.#at));
  }

  #pass(): boolean {
    let depth = 0;
    do {
      if (this.#match === null) return false;
      const mark = this.#match[1];
      if (mark === '{' || mark === '[') depth += 1;
      if (mark === '}' || mark === ']') depth -= 1;
      this.next();
    } while (depth > 0);
    return true;
  }
}

/** Reads one row's text. */
export function parseRow(text: string): FoundRow {
  const tokens = new Tokens(text);
  const entries = tokens.takeMembers();
  if (typeof entries === 'string') return { problem: entries };
  return tokens.ended ? { entries } : { problem: 'not JSON: something follows the object' };
}
