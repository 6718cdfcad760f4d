/**
 * Expressions for the parameter `filter`. They know the grammar, quoting and precedence; whether a report lets a field
 * be compared in this way is checked by the compiler where the expression is handed to it: the type of an expression
 * lists the comparisons in it, such as `'market eq' | 'rating lt'`.
 */
import type { FilterableName } from './reports.js';

/** Comparison words of the grammar. */
export type FilterOperator = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'contains';

/** What a field can be compared with. Dates count as their UTC day. */
export type FilterValue = string | number | boolean | Date;

declare const comparisons: unique symbol;

/** An expression. Immutable; made by {@link field}. */
export class Filter<Comparisons extends string> {
  declare readonly [comparisons]: Comparisons;
  /** As the service takes it. */
  readonly text: string;
  readonly #isOr: boolean;

  constructor(text: string, isOr = false) {
    this.text = text;
    this.#isOr = isOr;
  }

  /** This and all the others. */
  and<Others extends string>(...others: readonly Filter<Others>[]): Filter<Comparisons | Others> {
    const parts: readonly Filter<string>[] = [this, ...others];
    // `and` binds tighter than `or`.
    return new Filter(parts.map((part) => (part.#isOr ? `(${part.text})` : part.text)).join(' and '));
  }

  /** This or any of the others. */
  or<Others extends string>(...others: readonly Filter<Others>[]): Filter<Comparisons | Others> {
    const parts: readonly Filter<string>[] = [this, ...others];
    return new Filter(parts.map((part) => part.text).join(' or '), parts.length > 1 || this.#isOr);
  }

  toString(): string {
    return this.text;
  }
}

/** A field that waits for its comparison. */
export type ComparableField<
  Name extends string,
  Operator extends FilterOperator = FilterOperator,
  Value = FilterValue,
> = {
  readonly [One in Operator]: (value: One extends 'contains' ? string : Value) => Filter<`${Name} ${One}`>;
};

/**
 * Names a field to compare: `field('market').eq('US').and(field('rating').lt(3))`. Text is quoted; a number that needs
 * an exponent, and an invalid date, are a TypeError.
 */
export function field<const Name extends FilterableName | (string & {})>(name: Name): ComparableField<Name> {
  const compare =
    <Operator extends FilterOperator>(operator: Operator) =>
    (value: FilterValue) =>
      new Filter<`${Name} ${Operator}`>(`${name} ${operator} ${literal(value)}`);
  return {
    eq: compare('eq'),
    ne: compare('ne'),
    gt: compare('gt'),
    lt: compare('lt'),
    ge: compare('ge'),
    le: compare('le'),
    contains: (text) => new Filter(`contains(${name},${literal(text)})`),
  };
}

function literal(value: FilterValue): string {
  if (value instanceof Date) return `'${value.toISOString().slice(0, 10)}'`;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  const text = String(value);
  if (/^(-?\d+(\.\d+)?|true|false)$/.test(text)) return text;
  throw new TypeError(`a filter cannot hold the number ${text}`);
}
