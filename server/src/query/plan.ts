/**
 * A question to a plan: which rows of which tables, under which keys, in which total order. The account scope is a
 * required argument and the base of every condition. Plans are plain data; `sql.ts` writes them down. Nothing here
 * depends on a report's name, only on what its entry says.
 */
import type { Aggregate, Condition, FilterOperator, Level, ValueType } from '@storelens/contract';
import { datasets, type Field, type Source } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import type { FilterValue } from './check-filter.js';
import { addDays, clampDay, type Day, firstDay, lastDay } from './dates.js';
import { keyOf, lookupPredicate, predicate, timeColumn } from './expressions.js';
import { type CopiedRecord, copiedOf, type MirrorPart, stepWithMirror, withMirror } from './mirrored.js';
import { hourText } from './range.js';
import { type Reach, within } from './reach.js';
import type { OrderTerm, Question } from './validate.js';

/** Whose data a query may see, and when it asks. */
export interface Scope {
  readonly accountId: string;
  readonly sellerId: string;
  /** Rows with a greater commit number are invisible. */
  readonly snapshot: number;
  /** Rows of commits up to this one may be read as sums; 0: none. */
  readonly summedTo: number;
  /** The sums hold every row that the snapshot sees. */
  readonly allSummed?: boolean;
  readonly products: AccountProducts;
  /** Milliseconds. */
  readonly now: number;
  /** Crash files: days that they are kept, 0 for ever, and whether the caller may have them. */
  readonly files: { readonly days: number; readonly readable: boolean };
  /** What is older is not answered. */
  readonly reach: Reach | undefined;
  /** The account has mirrored days of the report. */
  readonly mirrored?: boolean;
}

/** How the value of a key is made from a source row. */
export type Expression =
  /** First day of the bucket, cut to the range; at hour level the hour of the column `time`. */
  | { readonly kind: 'bucket'; readonly level: Level; readonly time: string }
  | { readonly kind: 'column'; readonly column: string }
  /** Null in every row: the date of a bucket that is the whole range. */
  | { readonly kind: 'nothing' }
  /** The same value in every row. */
  | { readonly kind: 'bound'; readonly value: string | boolean }
  /** A time some days after the one in the column, to the second. */
  | { readonly kind: 'second'; readonly column: string; readonly daysLater: number }
  /** Whether the row has a file, and its time is after `since`. */
  | { readonly kind: 'available'; readonly time: string; readonly since: string | undefined }
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

/** A printed member of a row. */
export interface Printed {
  readonly name: string;
  readonly type: ValueType;
  /** Printed as null when it is the empty text. */
  readonly nullable: boolean;
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
  /** The column holds this very text. */
  | { readonly kind: 'same'; readonly column: string; readonly value: string }
  | {
      readonly kind: 'comparison';
      readonly expression: Expression;
      readonly operator: FilterOperator;
      readonly value: FilterValue;
      /** Compare after dropping blanks and turning en dashes into hyphens. */
      readonly loose: boolean;
      /** Array column with earlier values in lower case, for texts that are equal or not. */
      readonly former: string | undefined;
    };

/** One table that feeds the answer. */
export interface SourcePlan {
  readonly table: string;
  readonly where: readonly Condition[];
  /** By measure name; measures that the source does not feed are absent. */
  readonly measures: Readonly<Record<string, Aggregate>>;
  /** For replacing datasets: only the latest row per these columns counts. */
  readonly latestBy: readonly string[] | undefined;
  /** Rows may have been superseded by a later commit. */
  readonly supersedable: boolean;
  /** Absent: the account has no mirrored days of the report. */
  readonly mirror?: MirrorPart;
}

/** What all kinds of plan share. */
interface Base {
  readonly accountId: string;
  /** Rows of commits with a greater number do not count. */
  readonly snapshot: number;
  /** There are no such rows, so that none need be kept out; only `newest-rows.ts` can say so. */
  readonly unbounded?: true;
  /** Rows of commits up to this one may be read as sums; 0: none. */
  readonly summedTo: number;
  /** The sums hold every row that the snapshot sees. */
  readonly allSummed: boolean;
  readonly products: readonly { readonly column: string; readonly id: string }[];
  /** First and last day of the range, within the engine's reach. */
  readonly start: Day;
  readonly end: Day;
  /** At hour level: the first and the last moment of the range in the column `time`. */
  readonly moments: { readonly time: string; readonly first: string; readonly last: string } | undefined;
  /** What singles out records, whatever the range. */
  readonly lookups: readonly Predicate[];
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
  /** Those of the row, then those that only order records. */
  readonly keys: readonly Key[];
  /** Measures in printed order. */
  readonly measures: readonly { readonly name: string; readonly type: ValueType }[];
  /** Printed order of keys and measures. */
  readonly fields: readonly Printed[];
  readonly order: readonly OrderPlan[];
  readonly sources: readonly SourcePlan[];
  /** Rows are single records or of full grain: nearly as many as there are stored ones. */
  readonly fullGrain: boolean;
}

/** One row per step. */
export interface StepsPlan extends Base {
  readonly kind: 'steps';
  readonly fields: readonly [Printed, Printed];
  readonly steps: readonly {
    readonly name: string;
    readonly source: SourcePlan;
    /** Present where the account has mirrored days. */
    readonly mirrored?: SourcePlan | undefined;
  }[];
}

/** Member of a stored frame, or its number. */
export type FrameMember = 'level' | 'image' | 'function' | 'offset';

/** One row per frame of the newest record. */
export interface FramesPlan extends Base {
  readonly kind: 'frames';
  readonly fields: readonly (Printed & { readonly member: FrameMember })[];
  readonly source: SourcePlan;
  /** Copied stacks count as well. */
  readonly copied?: CopiedRecord | undefined;
}

/** The file of the newest record. */
export interface FilePlan extends Base {
  readonly kind: 'file';
  readonly fields: readonly [];
  readonly source: SourcePlan;
  /** Copied files count as well. */
  readonly copied?: CopiedRecord | undefined;
  /** Column with the time of the event. */
  readonly time: string;
}

/** Everything that can be written down as SQL. */
export type Plan = RowsPlan | StepsPlan | FramesPlan | FilePlan;

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
      return planFrames(question, scope);
    case 'file':
      return planFile(question, scope);
  }
}

function base(question: Question, scope: Scope): Base {
  const { entry } = question;
  const reached = within(question, scope.reach);
  const { start, end, hours } = reached ?? question;
  // A range that the engine's days do not reach has no rows; its clamped ends alone would show an edge day.
  const unreachable = reached === undefined || end < firstDay || start > lastDay;
  const filter = question.filter === undefined ? undefined : predicate(question.filter, question, scope);
  const moments = hours && {
    time: timeColumn(entry),
    first: hourText(clampDay(start), start < firstDay ? 0 : hours.first),
    last: hourText(clampDay(end), hours.last).replace(':00:00', ':59:59.999'),
  };
  return {
    accountId: scope.accountId,
    snapshot: scope.snapshot,
    summedTo: scope.summedTo,
    allSummed: scope.allSummed === true,
    products: question.products.map(({ column, product }) => ({ column, id: product.id })),
    start: clampDay(start),
    end: clampDay(end),
    moments,
    lookups: question.lookups.map((lookup) => lookupPredicate(lookup, entry)),
    filter: unreachable ? { kind: 'always', value: false } : filter,
  };
}

function printed({ name, type, nullWhenEmpty }: Field): Printed {
  return { name, type, nullable: nullWhenEmpty === true };
}

function planRows(kind: RowsPlan['kind'], question: Question, scope: Scope): RowsPlan {
  const { row, order, entry } = question;
  const sources = entry.sources.map(planSource);
  const isKey = (field: Field) => kind === 'records' || field.role !== 'measure';
  const hidden = order.map(({ field }) => field).filter((field) => !row.includes(field));
  const keys = [...row.filter(isKey), ...hidden].map((field) => keyOf(field, question, scope));
  return {
    ...base(question, scope),
    kind,
    keys,
    measures: row.filter((field) => !isKey(field)).map(({ name, type }) => ({ name, type })),
    fields: row.map(printed),
    order: totalOrder(order, keys),
    sources: scope.mirrored ? withMirror(sources, question) : sources,
    fullGrain: kind === 'records' || (question.groupby === undefined && !question.oneBucket),
  };
}

function planFrames(question: Question, scope: Scope): FramesPlan {
  const fields = question.row.map((field) => {
    if (field.origin?.from !== 'frame') throw new TypeError(`${field.name} is no member of a frame`);
    return { ...printed(field), member: field.origin.member };
  });
  const copied = scope.mirrored ? copiedOf(question) : undefined;
  return { ...base(question, scope), kind: 'frames', fields, source: onlySource(question), copied };
}

function planFile(question: Question, scope: Scope): FilePlan {
  return {
    ...base(question, scope),
    kind: 'file',
    fields: [],
    source: onlySource(question),
    copied: scope.mirrored ? copiedOf(question) : undefined,
    time: timeColumn(question.entry),
  };
}

function onlySource({ entry }: Question): SourcePlan {
  const [source] = entry.sources;
  if (source === undefined) throw new TypeError(`entry ${entry.name} has no source`);
  return planSource(source);
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
    fields: [printed(name), printed(count)],
    steps: steps.map((step) => {
      const source = planSource({ ...step.source, measures: { [count.name]: step.aggregate } });
      return {
        name: step.name,
        ...(scope.mirrored ? stepWithMirror(source, question, step.name) : { source }),
      };
    }),
  };
}

function planSource(source: Source): SourcePlan {
  const dataset = datasets[source.table];
  return { ...source, latestBy: dataset?.replaces, supersedable: dataset?.supersedable === true };
}

/** The asked order completed with the remaining row keys, so that no two rows are equal in it. */
function totalOrder(asked: readonly OrderTerm[], keys: readonly Key[]): readonly OrderPlan[] {
  const byName = new Map(keys.map((key) => [key.name, key]));
  const order: OrderPlan[] = asked.map(({ field, descending }) => ({
    name: field.name,
    key: byName.get(field.name),
    descending,
  }));
  if (order.length === 0) {
    const date = keys.find(({ expression }) => isTime(expression));
    if (date !== undefined) order.push({ name: date.name, key: date, descending: true });
  }
  for (const key of keys) {
    if (!order.some(({ name }) => name === key.name)) order.push({ name: key.name, key, descending: false });
  }
  return order.filter(({ key }) => key === undefined || !isConstant(key.expression));
}

/** Whether the value is the same in every row, so that nothing need be grouped or sorted by it. */
export function isConstant({ kind }: Expression): boolean {
  return kind === 'bound' || kind === 'nothing';
}

/** Whether the value is the time of the event. */
function isTime(expression: Expression): boolean {
  return expression.kind === 'bucket' || (expression.kind === 'second' && expression.daysLater === 0);
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
