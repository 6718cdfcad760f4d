/**
 * The filter against a report entry: names become fields, literals values of their types. Every refusal says what is
 * accepted instead, with the position. Knows no SQL.
 */
import type { Field, FilterOperator, ReportEntry } from '@storelens/contract';
import { type Day, dateForms, parseDate } from './dates.js';
import { FilterError, type FilterTree, type Literal, parseFilter } from './filter.js';
import { filterFields, printable } from './parse.js';
import { findField, type Problems, unknownField } from './problems.js';

/** A value to compare with. Numbers are exact decimal text. */
export type FilterValue =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'number'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'day'; readonly value: Day };

/** A checked filter. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Filter[] }
  | {
      readonly kind: 'comparison';
      readonly field: Field;
      readonly operator: FilterOperator;
      readonly value: FilterValue;
    };

/** Reads a filter; what is wrong with it goes to the problems. */
export function readFilter(entry: ReportEntry, text: string, problems: Problems): Filter | undefined {
  try {
    return checkFilter(entry, parseFilter(text));
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return problems.add(`filter parameter '${printable(text)}' is not valid ${error.message}`);
  }
}

function checkFilter(entry: ReportEntry, tree: FilterTree): Filter {
  if (tree.kind !== 'comparison') {
    return { kind: tree.kind, terms: tree.terms.map((term) => checkFilter(entry, term)) };
  }
  const fields = filterFields(entry);
  const field = findField(fields, tree.field);
  if (field?.filter === undefined) {
    throw new FilterError(
      `at position ${tree.position}: ${unknownField(entry, tree.field, 'filtered', fields)}`,
    );
  }
  if (!field.filter.includes(tree.operator)) {
    throw new FilterError(
      `at position ${tree.position}: '${field.name}' takes ${field.filter.join(', ')}, not ${tree.operator}`,
    );
  }
  const value = literalValue(field, tree.literal);
  if (typeof value === 'string') throw new FilterError(`at position ${tree.literalPosition}: ${value}`);
  return { kind: 'comparison', field, operator: tree.operator, value };
}

// Eighteen digits before and nine after the point fit the engine's Decimal(38, 9).
const numberPattern = /^[-+]?\d{1,18}(?:\.\d{1,9})?$/;

/** The literal as the field's type, or a sentence that says what is expected. */
function literalValue(field: Field, literal: Literal): FilterValue | string {
  const written = String(literal.value);
  switch (field.type) {
    case 'text':
    case 'instant':
      if (literal.kind === 'text')
        return { type: 'text', value: field.type === 'instant' ? instantText(written) : written };
      return `'${field.name}' is compared with a text in single quotes, got ${written}`;
    case 'date':
    case 'time': {
      const day = literal.kind === 'text' ? parseDate(written)?.day : undefined;
      return day === undefined
        ? `'${field.name}' is compared with a date in single quotes (${dateForms}), got ${printable(written)}`
        : { type: 'day', value: day };
    }
    case 'boolean': {
      const word = written.toLowerCase();
      return literal.kind !== 'number' && (word === 'true' || word === 'false')
        ? { type: 'boolean', value: word === 'true' }
        : `'${field.name}' is compared with true or false, got ${printable(written)}`;
    }
    case 'integer':
    case 'decimal':
      return literal.kind !== 'boolean' && numberPattern.test(written)
        ? { type: 'number', value: written.replace(/^\+/, '') }
        : `'${field.name}' is compared with a number (at most 18 digits and 9 decimals), got ${printable(written)}`;
  }
}

/** An ISO instant in the stored form with seven fraction digits; any other text as it is. */
function instantText(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,7}))?Z$/i.exec(text.trim());
  return match === null ? text : `${match[1]?.toUpperCase()}.${(match[2] ?? '').padEnd(7, '0')}Z`;
}
