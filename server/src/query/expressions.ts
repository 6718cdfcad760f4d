/**
 * Fields, filters and lookups as expressions and predicates on stored columns: what a plan is made of. Decides in
 * advance what needs no data. Nothing here depends on a report's name.
 */
import { datasets, type Field, type ReportEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { Filter, FilterValue } from './check-filter.js';
import { addDays, firstDay, lastDay } from './dates.js';
import type { LookupValue } from './lookups.js';
import type { Expression, Key, Predicate, Scope } from './plan.js';
import type { Question } from './validate.js';

const forEver = { day: '9999-12-31', time: '9999-12-31 23:59:59' } as const;

/** A row key of the plan. */
export function keyOf(field: Field, question: Question, scope: Scope): Key {
  return { name: field.name, type: field.type, expression: expressionOf(field, question, scope) };
}

/** The table's column with the time of an event. */
export function timeColumn(entry: ReportEntry): string {
  const tables = [...entry.sources, ...(entry.steps ?? []).map(({ source }) => source)];
  const column = datasets[tables[0]?.table ?? '']?.time;
  if (column === undefined) throw new TypeError(`the sources of ${entry.name} are no datasets`);
  return column;
}

function expressionOf(field: Field, question: Question, scope: Scope): Expression {
  const { origin } = field;
  const { entry } = question;
  const fixed = (column: string) => question.products.find((narrowed) => narrowed.column === column)?.product;
  switch (origin?.from) {
    case 'bucket':
      if (question.oneBucket) return { kind: 'nothing' };
      return { kind: 'bucket', level: question.level ?? 'day', time: timeColumn(entry) };
    case 'column': {
      // A product the whole question is narrowed to is no key to group by (engine notes: a literal is cheaper).
      const product = fixed(origin.column);
      if (product !== undefined) return { kind: 'bound', value: product.id };
      return field.type === 'time'
        ? { kind: 'second', column: origin.column, daysLater: 0 }
        : { kind: 'column', column: origin.column };
    }
    case 'constant':
      return { kind: 'bound', value: origin.value };
    case 'productName': {
      const product = fixed(origin.column);
      if (product !== undefined) return { kind: 'bound', value: product.name };
      const listed = scope.products.ofKind(productKind(entry, origin.column));
      return {
        kind: 'names',
        column: origin.column,
        ids: listed.map(({ id }) => id),
        names: listed.map((listedProduct) => listedProduct.name),
      };
    }
    case 'sellerId':
      return { kind: 'bound', value: scope.sellerId };
    case 'fileExpiry':
      return scope.files.days === 0
        ? { kind: 'bound', value: forEver.time }
        : { kind: 'second', column: timeColumn(entry), daysLater: scope.files.days };
    case 'fileAvailable':
      return scope.files.readable
        ? { kind: 'available', time: timeColumn(entry), since: goneThrough(scope) }
        : { kind: 'bound', value: false };
    case 'frame':
    case undefined:
      throw new TypeError(`field ${field.name} of ${entry.name} has no origin that a row key can have`);
  }
}

function productKind(entry: ReportEntry, column: 'applicationId' | 'inAppProductId') {
  const parameter = entry.identity.parameters.find(({ name }) => name === column);
  return parameter?.kind ?? (column === 'applicationId' ? 'app' : 'addon');
}

/** Time of the latest event whose file is past its time, as `yyyy-MM-dd HH:mm:ss.SSS`; undefined: none is. */
function goneThrough({ now, files: { days } }: Scope): string | undefined {
  if (days === 0) return undefined;
  return new Date(now - days * 86_400_000).toISOString().replace('T', ' ').replace('Z', '');
}

/** A filter as a predicate. */
export function predicate(filter: Filter, question: Question, scope: Scope): Predicate {
  if (filter.kind !== 'comparison') {
    return { kind: filter.kind, terms: filter.terms.map((term) => predicate(term, question, scope)) };
  }
  const { field, operator, value } = filter;
  if (value.type === 'day') return dayPredicate({ ...filter, value }, question, scope);
  const expression = expressionOf(field, question, scope);
  if (expression.kind === 'names' && value.type === 'text' && (operator === 'eq' || operator === 'ne')) {
    return nameEquals(expression, value.value, operator === 'eq');
  }
  return {
    kind: 'comparison',
    expression,
    operator,
    value,
    loose: field.comparison === 'loose',
    former: field.formerValues,
  };
}

/** A comparison with a day is one with the event's own UTC day, whatever bucket or second the row prints. */
function dayPredicate(
  {
    field,
    operator,
    value,
  }: Extract<Filter, { kind: 'comparison' }> & {
    readonly value: Extract<FilterValue, { type: 'day' }>;
  },
  question: Question,
  scope: Scope,
): Predicate {
  const printed = expressionOf(field, question, scope);
  if (printed.kind === 'bound') {
    return { kind: 'always', value: (operator === 'eq') === (value.value === forEver.day) };
  }
  const reachable = value.value >= firstDay && value.value <= lastDay;
  const day = reachable && printed.kind === 'second' ? addDays(value.value, -printed.daysLater) : value.value;
  if (!reachable || day < firstDay) return { kind: 'always', value: operator === 'ne' };
  const stored = printed.kind === 'column' ? printed.column : 'date';
  return {
    kind: 'comparison',
    expression: { kind: 'column', column: stored },
    operator,
    value: { type: 'day', value: day },
    loose: false,
    former: undefined,
  };
}

/**
 * A comparison with product names as one with ids: hundreds of terms that each bring the names of thousands of
 * products along would keep the engine busy for minutes. Products that are not registered have the name ''.
 */
function nameEquals(
  { column, ids, names }: Extract<Expression, { kind: 'names' }>,
  value: string,
  equal: boolean,
): Predicate {
  const wanted = asciiLower(value);
  if (wanted === '') return { kind: 'oneOf', column, ids, held: !equal };
  const named = ids.filter((_, index) => asciiLower(names[index] ?? '') === wanted);
  return named.length === 0
    ? { kind: 'always', value: !equal }
    : { kind: 'oneOf', column, ids: named, held: equal };
}

/**
 * A lookup as a predicate. Columns that senders cannot give are the server's own: it makes their values in lower
 * case, and comparing the column itself lets the table's indexes find them.
 */
export function lookupPredicate({ lookup, value }: LookupValue, entry: ReportEntry): Predicate {
  const given = entry.sources.some(({ table }) =>
    datasets[table]?.columns.some(({ name }) => name === lookup.column),
  );
  if (!given) return { kind: 'same', column: lookup.column, value: asciiLower(value) };
  return {
    kind: 'comparison',
    expression: { kind: 'column', column: lookup.column },
    operator: 'eq',
    value: { type: 'text', value },
    loose: false,
    former: lookup.formerValues,
  };
}
