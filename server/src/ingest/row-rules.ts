/**
 * Says in words what is wrong with a row: the same rules as the scanner, the completion and the engine's statement,
 * once more, for people. It only runs over batches that were refused; a property test holds the two against each
 * other.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { jsonTypeOf } from './json-language.js';
import type { Facts } from './rules.js';
import { type Entry, expected, shown, type Value, valueProblem } from './values.js';

/** Whether a value stands for nothing. */
function isMissing(value: Value | undefined): boolean {
  if (value === undefined || value.kind === 'null') return true;
  return value.text === '' && (value.kind === 'text' || value.kind === 'cell');
}

/** An empty text is no missing value where text is none at all. */
function takesText(column: Column): boolean {
  const type = jsonTypeOf(column);
  return type === 'text' || type === 'code';
}

type Columns = ReadonlyMap<string, Column>;

function byName(columns: readonly Column[]): Columns {
  return new Map(columns.map((column) => [column.name, column]));
}

/** Checks the rows of one dataset. */
export class RowRules {
  readonly #columns: Columns;
  readonly #facts: Facts;

  constructor(entry: DatasetEntry, facts: Facts) {
    this.#columns = byName(entry.columns);
    this.#facts = facts;
  }

  /** What is wrong with a row, as `field: problem`; empty if nothing is. */
  problems(row: readonly Entry[]): string[] {
    return this.#object(this.#columns, row, '');
  }

  /** Problems of an object's members, each behind the path to it. */
  #object(columns: Columns, members: readonly Entry[], path: string): string[] {
    const found: string[] = [];
    const given = new Map<string, Value>();
    for (const [key, value] of members) {
      if (!columns.has(key)) found.push(`${path}${shownKey(key)}: ${unknownKey(columns, key)}`);
      else if (given.has(key)) found.push(`${path}${key}: given twice`);
      else given.set(key, value);
    }
    for (const column of columns.values()) {
      found.push(...this.#value(column, given.get(column.name), given, `${path}${column.name}`));
    }
    return found;
  }

  #value(
    column: Column,
    value: Value | undefined,
    given: ReadonlyMap<string, Value>,
    path: string,
  ): string[] {
    const other = otherText(column, given);
    if (value === undefined || isMissing(value)) {
      if (value?.kind === 'text' && !takesText(column)) {
        return [`${path}: expected ${expected[jsonTypeOf(column)]}, got text`];
      }
      if (column.required) return [`${path}: missing`];
      const { depends } = column;
      const needed = other !== undefined && depends?.requiredFor.some((one) => asciiLower(one) === other);
      return needed === true ? [`${path}: missing; ${depends?.column} ${shown(other)} needs it`] : [];
    }
    const judged = judgedAs(column, other);
    const problem = judged === undefined ? undefined : valueProblem(judged, value, this.#facts);
    if (problem !== undefined) return [`${path}: ${problem}`];
    switch (column.type) {
      case 'object':
        return this.#object(byName(column.columns ?? []), value.members ?? [], `${path}.`);
      case 'list':
        return this.#list(column, value.items ?? [], path);
      default:
        return [];
    }
  }

  #list(column: Column, items: readonly Value[], path: string): string[] {
    const { most = Number.POSITIVE_INFINITY } = column;
    if (items.length > most) return [`${path}: ${items.length} entries; at most ${most}`];
    const columns = byName(column.columns ?? []);
    return items.flatMap(({ kind, members }, index) =>
      kind === 'object'
        ? this.#object(columns, members ?? [], `${path}[${index}].`)
        : [`${path}[${index}]: expected an object, got ${kind}`],
    );
  }
}

/** Text, in lower case, of the column that another one depends on; undefined if it is missing. */
function otherText({ depends }: Column, given: ReadonlyMap<string, Value>): string | undefined {
  if (depends === undefined) return undefined;
  const value = given.get(depends.column);
  return value === undefined || isMissing(value) ? undefined : asciiLower(value.text);
}

/**
 * The column as the value of the other one makes it; undefined if that is missing or none of its values. The other
 * one is required and has a closed list, so the row is bad then, and says so.
 */
function judgedAs(column: Column, other: string | undefined): Column | undefined {
  const { depends } = column;
  if (depends === undefined) return column;
  const kind = Object.entries(depends.kinds).find(([value]) => asciiLower(value) === other)?.[1];
  return kind === undefined ? undefined : { ...column, kind };
}

/** Why a key is not known; a key that differs in case only gets a hint. */
function unknownKey(columns: Columns, key: string): string {
  if (key.includes('\\')) return 'keys are taken as they are written, without escapes';
  const near = [...columns.keys()].find((name) => asciiLower(name) === asciiLower(key));
  return near === undefined ? 'unknown key' : `unknown key; did you mean ${near}`;
}

function shownKey(key: string): string {
  return /^[\w.-]{1,100}$/.test(key) ? key : shown(key);
}
