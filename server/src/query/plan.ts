/**
 * A question to a plan: which rows of which tables, under which keys, in which total order. The account scope is a
 * required argument and the base of every condition. Plans are plain data; `sql.ts` writes them down. Nothing here
 * depends on a report's name, only on what its entry says.
 */
import type { Aggregate, Condition, FilterOperator, Level, ValueType } from '@storelens/contract';
import { datasets, type Field, type Source } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { AccountProducts } from '../products/index.js';
import { addDays, clampDay, type Day, firstDay, lastDay } from './dates.js';
import type { Filter, FilterValue, Question } from './validate.js';

/** Whose data a query may see. */
export interface Scope {
  readonly accountId: string;
  /** Rows with a greater commit number are invisible. */
  readonly snapshot: number;
  readonly products: AccountProducts;
}

/** How the value of a key is made from a source row. */
export type Expression =
  | { readonly kind: 'bucket'; readonly level: Level }
  | { readonly kind: 'column'; readonly column: string }
  /** The same value in every row. */
  | { readonly kind: 'bound'; readonly value: string }
  /** The present name of the product whose id stands in the column. */
  | {
      readonly kind: 'names';
      readonly column: string;
      readonly ids: readonly string[];
      readonly names: readonly string[];
    };

/** A row key: a field that is no measure. */
export interface Key {
  readonly name: string;
  readonly type: ValueType;
  readonly expression: Expression;
}

/** A condition on source rows. */
export type Predicate =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Predicate[] }
  | { readonly kind: 'always'; readonly value: boolean }
  /** The column holds one of the ids, or none of them. */
  | {
      readonly kind: 'oneOf';
      readonly column: string;
      readonly ids: readonly string[];
      readonly held: boolean;
    }
  | {
      readonly kind: 'comparison';
      readonly expression: Expression;
      readonly operator: FilterOperator;
      readonly value: FilterValue;
      /** Compare after dropping blanks and turning en dashes into hyphens. */
      readonly loose: boolean;
    };

/** One table that feeds the answer. */
export interface SourcePlan {
  readonly table: string;
  readonly where: readonly Condition[];
  /** By measure name; measures that the source does not feed are absent. */
  readonly measures: Readonly<Record<string, Aggregate>>;
  /** For replacing datasets: only the latest row per these columns counts. */
  readonly latestBy: readonly string[] | undefined;
}

/** What all kinds of plan share. */
interface Base {
  readonly accountId: string;
  readonly snapshot: number;
  readonly products: readonly { readonly column: string; readonly id: string }[];
  /** First and last day of the range, within the engine's reach. */
  readonly start: Day;
  readonly end: Day;
  readonly filter: Predicate | undefined;
}

/** A term of the total order; `key` undefined: a measure. */
export interface OrderPlan {
  readonly name: string;
  readonly key: Key | undefined;
  readonly descending: boolean;
}

/** Rows with keys: grouped and summed, or single records. */
export interface RowsPlan extends Base {
  readonly kind: 'grouped' | 'records';
  readonly keys: readonly Key[];
  /** Measures in printed order. */
  readonly measures: readonly { readonly name: string; readonly type: ValueType }[];
  /** Printed order of keys and measures. */
  readonly fields: readonly { readonly name: string; readonly type: ValueType }[];
  readonly order: readonly OrderPlan[];
  readonly sources: readonly SourcePlan[];
}

/** One row per step. */
export interface StepsPlan extends Base {
  readonly kind: 'steps';
  readonly fields: readonly [{ readonly name: string }, { readonly name: string }];
  readonly steps: readonly { readonly name: string; readonly source: SourcePlan }[];
}

/** Everything that `sql.ts` can write down. */
export type Plan = RowsPlan | StepsPlan;

/** Plans a question for one account at one snapshot. */
export function plan(question: Question, scope: Scope): Plan {
  switch (question.entry.kind) {
    case 'grouped':
      return planRows('grouped', question, scope);
    case 'records':
      return planRows('records', question, scope);
    case 'steps':
      return planSteps(question, scope);
    case 'frames':
    case 'file':
      throw new TypeError(`${question.entry.kind} reports are not planned yet`);
  }
}

function base(question: Question, scope: Scope): Base {
  // A range that the engine's days do not reach has no rows; its clamped ends alone would show an edge day.
  const unreachable = question.end < firstDay || question.start > lastDay;
  const filter = question.filter === undefined ? undefined : predicate(question.filter, question, scope);
  return {
    accountId: scope.accountId,
    snapshot: scope.snapshot,
    products: question.products.map(({ column, product }) => ({ column, id: product.id })),
    start: clampDay(question.start),
    end: clampDay(question.end),
    filter: unreachable ? { kind: 'always', value: false } : filter,
  };
}

function planRows(kind: RowsPlan['kind'], question: Question, scope: Scope): RowsPlan {
  const isKey = (field: Field) => kind === 'records' || field.role !== 'measure';
  const keys = question.row.filter(isKey).map((field) => keyOf(field, question, scope));
  return {
    ...base(question, scope),
    kind,
    keys,
    measures: question.row.filter((field) => !isKey(field)).map(({ name, type }) => ({ name, type })),
    fields: question.row.map(({ name, type }) => ({ name, type })),
    order: totalOrder(question, keys),
    sources: question.entry.sources.map(planSource),
  };
}

function planSteps(question: Question, scope: Scope): StepsPlan {
  const [name, count] = question.row;
  const { steps } = question.entry;
  if (name === undefined || count === undefined || steps === undefined) {
    throw new TypeError(`entry ${question.entry.name} is no complete steps report`);
  }
  return {
    ...base(question, scope),
    kind: 'steps',
    fields: [name, count],
    steps: steps.map((step) => ({
      name: step.name,
      source: planSource({ ...step.source, measures: { [count.name]: step.aggregate } }),
    })),
  };
}

function planSource(source: Source): SourcePlan {
  return { ...source, latestBy: datasets[source.table]?.replaces };
}

function keyOf(field: Field, question: Question, scope: Scope): Key {
  return { name: field.name, type: field.type, expression: expressionOf(field, question, scope) };
}

function expressionOf(field: Field, question: Question, scope: Scope): Expression {
  const { origin } = field;
  const fixed = (column: string) => question.products.find((narrowed) => narrowed.column === column)?.product;
  switch (origin?.from) {
    case 'bucket':
      return { kind: 'bucket', level: question.level ?? 'day' };
    case 'column': {
      // A product the whole question is narrowed to is no key to group by (engine notes: a literal is cheaper).
      const product = fixed(origin.column);
      return product === undefined
        ? { kind: 'column', column: origin.column }
        : { kind: 'bound', value: product.id };
    }
    case 'constant':
      return { kind: 'bound', value: origin.value };
    case 'productName': {
      const product = fixed(origin.column);
      if (product !== undefined) return { kind: 'bound', value: product.name };
      const listed = scope.products.ofKind(origin.column === 'applicationId' ? 'app' : 'addon');
      return {
        kind: 'names',
        column: origin.column,
        ids: listed.map(({ id }) => id),
        names: listed.map((listedProduct) => listedProduct.name),
      };
    }
    case 'sellerId':
    case 'fileExpiry':
    case 'fileAvailable':
    case 'frame':
      throw new TypeError(`origin ${origin.from} is not planned yet`);
    case undefined:
      throw new TypeError(`field ${field.name} of ${question.entry.name} has no origin`);
  }
}

function predicate(filter: Filter, question: Question, scope: Scope): Predicate {
  if (filter.kind !== 'comparison') {
    return { kind: filter.kind, terms: filter.terms.map((term) => predicate(term, question, scope)) };
  }
  const { field, operator, value } = filter;
  // A filter on the date means the event's own day, not the bucket's first.
  const expression: Expression =
    field.origin?.from === 'bucket'
      ? { kind: 'column', column: 'date' }
      : expressionOf(field, question, scope);
  if (value.type === 'day' && (value.value < firstDay || value.value > lastDay)) {
    return { kind: 'always', value: operator === 'ne' };
  }
  if (expression.kind === 'names' && value.type === 'text' && (operator === 'eq' || operator === 'ne')) {
    return nameEquals(expression, value.value, operator === 'eq');
  }
  return { kind: 'comparison', expression, operator, value, loose: field.comparison === 'loose' };
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

/** The asked order completed with the remaining row keys, so that no two rows are equal in it. */
function totalOrder(question: Question, keys: readonly Key[]): readonly OrderPlan[] {
  const byName = new Map(keys.map((key) => [key.name, key]));
  const order: OrderPlan[] = question.order.map(({ field, descending }) => ({
    name: field.name,
    key: byName.get(field.name),
    descending,
  }));
  if (order.length === 0) {
    const date = keys.find((key) => key.expression.kind === 'bucket');
    if (date !== undefined) order.push({ name: date.name, key: date, descending: true });
  }
  for (const key of keys) {
    if (!order.some(({ name }) => name === key.name)) order.push({ name: key.name, key, descending: false });
  }
  return order.filter(({ key }) => key?.expression.kind !== 'bound');
}

/** First and last day of the bucket that is labelled with `label`, cut to the range. */
export function bucketDays(level: Level, label: Day, start: Day, end: Day): { first: Day; last: Day } {
  const last = bucketEnd(level, label);
  return { first: label > start ? label : start, last: last < end ? last : end };
}

function bucketEnd(level: Level, day: Day): Day {
  switch (level) {
    case 'hour':
    case 'day':
      return day;
    case 'week': {
      const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
      return addDays(day, 6 - weekday);
    }
    case 'month': {
      const [year = 0, month = 0] = day.split('-').map(Number);
      return addDays(new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10), -1);
    }
  }
}
