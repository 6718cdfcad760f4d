/**
 * The parts of SQL text that all statements share: placeholders, expressions, conditions, the rows of a source. Values
 * become `{name:Type}` placeholders, identifiers come from the contract's entries, operators and aggregates from the
 * closed maps below; there is no other way into the text. Column references are qualified with `t.`, so that aliases
 * never shadow columns.
 */
import type { Aggregate, Condition, FilterOperator, Level, ValueType } from '@storelens/contract';
import type { EngineValue } from '../engine/index.js';
import { countedColumns, distinctValues } from './distinct-values.js';
import { groupingsOf, hasMirroredFile, type MirrorPart, mirrorConditions } from './mirrored.js';
import type { Expression, Key, Plan, Predicate, SourcePlan } from './plan.js';
import { besideSums, hits, sumsOf, unionOf } from './summed-rows.js';
import { currentRows, type Visible, visibleRows } from './visible-rows.js';

/** A statement for the engine port. */
export interface Statement {
  readonly sql: string;
  readonly params: Readonly<Record<string, EngineValue>>;
}

/** Part of the rows, by the value of the first key of the order: both ends count. */
export interface Window {
  readonly low: string;
  readonly high: string;
}

/** What a value is printed as: the type of its field, but for the date of a row at hour level. */
export interface Shown {
  readonly type: ValueType | 'hour';
  /** Printed as null when it is the empty text. */
  readonly nullable: boolean;
  /** Whether its SQL is of an integer type, although its field may have fractions. */
  readonly whole: boolean;
}

/** SQL that prints a value; `value` is the SQL of the value, `NULL` for a date of the whole range. */
export type Columns = (shown: Shown, value: string) => string;

class Parameters {
  readonly values: Record<string, EngineValue> = {};
  private readonly names = new Map<string, string>();

  /** A placeholder for a value; equal values of one type share it. */
  bind(value: EngineValue, type: string): string {
    const known = `${type}\n${JSON.stringify(value)}`;
    let name = this.names.get(known);
    if (name === undefined) {
      name = `p${this.names.size}`;
      this.names.set(known, name);
      this.values[name] = value;
    }
    return `{${name}:${type}}`;
  }
}

const bucketStart: Record<Exclude<Level, 'hour'>, (day: string) => string> = {
  day: (day) => day,
  week: (day) => `toStartOfWeek(${day}, 1)`,
  month: (day) => `toStartOfMonth(${day})`,
};

const columnTypes: Record<ValueType, string> = {
  text: 'String',
  instant: 'String',
  integer: 'Int64',
  decimal: 'Decimal(38, 6)',
  boolean: 'Bool',
  date: 'Date',
  time: "DateTime64(0, 'UTC')",
};

const moment = "DateTime64(3, 'UTC')";

/** Whether buckets of a level are wider than the days that a range is cut at. */
function isCut(level: Level): boolean {
  return level === 'week' || level === 'month';
}

/** Column with the size of a record's stored file, 0 without one. */
export const fileBytes = 'cabBytes';

const operators: Record<Exclude<FilterOperator, 'contains'>, string> = {
  eq: '=',
  ne: '!=',
  gt: '>',
  lt: '<',
  ge: '>=',
  le: '<=',
};

/** Writes the parts of one statement. */
export class Writer {
  readonly params = new Parameters();
  /** A placeholder for a value. */
  readonly bind = (value: string | number, type: string) => this.params.bind(value, type);

  constructor(private readonly plan: Plan) {}

  statement(sql: string): Statement {
    return { sql, params: this.params.values };
  }

  /** A key's value out of the columns of a row, or out of what `pick` makes of them. */
  expression(expression: Expression, pick: (column: string) => string = (column) => column): string {
    switch (expression.kind) {
      case 'bucket': {
        const start = this.bucket(expression, pick);
        // The first bucket is cut at the start of the range and labelled with it; a day needs no cut.
        return isCut(expression.level)
          ? `greatest(${start}, ${this.params.bind(this.plan.start, 'Date')})`
          : start;
      }
      case 'column':
        return pick(`t.${expression.column}`);
      case 'nothing':
        return 'NULL';
      case 'bound':
        return this.params.bind(expression.value, typeof expression.value === 'boolean' ? 'Bool' : 'String');
      case 'second': {
        const { column, daysLater } = expression;
        const stored = pick(`t.${column}`);
        const time =
          daysLater === 0 ? stored : `addDays(${stored}, ${this.params.bind(daysLater, 'UInt32')})`;
        return `toDateTime64(${time}, 0, 'UTC')`;
      }
      case 'available': {
        const { time, since } = expression;
        const kept =
          since === undefined ? '' : ` AND ${pick(`t.${time}`)} > ${this.params.bind(since, moment)}`;
        return `toBool(${pick(`t.${fileBytes}`)} > 0${kept})`;
      }
      case 'names': {
        const ids = this.params.bind(expression.ids, 'Array(String)');
        const names = this.params.bind(expression.names, 'Array(String)');
        return `transform(toString(${pick(`t.${expression.column}`)}), ${ids}, ${names}, '')`;
      }
    }
  }

  /** What rows are grouped by: equal where the key's values are, and cheaper, for it is made of every row. */
  groupedBy(expression: Expression): string {
    return expression.kind === 'bucket'
      ? this.bucket(expression, (column) => column)
      : this.expression(expression);
  }

  private bucket(
    { level, time }: Extract<Expression, { kind: 'bucket' }>,
    pick: (column: string) => string,
  ): string {
    return level === 'hour' ? `toStartOfHour(${pick(`t.${time}`)})` : bucketStart[level](pick('t.date'));
  }

  /** An expression on rows of a source. */
  valueIn({ mirror }: SourcePlan, expression: Expression): string {
    if (expression.kind !== 'available' || mirror?.files === undefined) return this.expression(expression);
    const { time, since } = expression;
    const { bind } = this.mirrorWriting(false);
    const kept = since === undefined ? '' : ` AND t.${time} > ${bind(since, moment)}`;
    return `toBool(${hasMirroredFile(this.plan, mirror.files, bind)}${kept})`;
  }

  condition(condition: Condition): string {
    if ('is' in condition) return `t.${condition.column} ${condition.is === 'empty' ? '=' : '!='} ''`;
    const { equals } = condition;
    const type = { string: 'String', number: 'Int64', boolean: 'Bool' }[
      typeof equals as 'string' | 'number' | 'boolean'
    ];
    return `t.${condition.column} = ${this.params.bind(equals, type)}`;
  }

  aggregate(aggregate: Aggregate, source: SourcePlan): string {
    const condition = (aggregate.where ?? []).map((part) => this.condition(part)).join(' AND ');
    const suffix = condition === '' ? '' : 'If';
    const last = condition === '' ? '' : `, ${condition}`;
    switch (aggregate.aggregate) {
      case 'sum':
        return `sum${suffix}(t.${aggregate.column}${last})`;
      case 'count':
        return sumsOf(this.plan, source, columnsOf(this.plan, source)) === undefined
          ? `count${suffix}(${condition})`
          : `sum${suffix}(t.${hits}${last})`;
      case 'distinct':
        return distinctValues(source.table, aggregate, (part) => this.condition(part));
    }
  }

  predicate(predicate: Predicate): string {
    switch (predicate.kind) {
      case 'and':
      case 'or':
        return `(${predicate.terms.map((term) => this.predicate(term)).join(` ${predicate.kind.toUpperCase()} `)})`;
      case 'always':
        return predicate.value ? '1' : '0';
      case 'same':
        return `t.${predicate.column} = ${this.params.bind(predicate.value, 'String')}`;
      case 'oneOf':
        return `t.${predicate.column} ${predicate.held ? 'IN' : 'NOT IN'} ${this.params.bind(predicate.ids, 'Array(String)')}`;
      case 'comparison':
        return this.comparison(predicate);
    }
  }

  private comparison({
    expression,
    operator,
    value,
    loose,
    former,
  }: Extract<Predicate, { kind: 'comparison' }>): string {
    const left = this.expression(expression);
    switch (value.type) {
      case 'text': {
        const folded = (text: string) =>
          loose ? `lower(replaceAll(replaceAll(${text}, ' ', ''), '\u2013', '-'))` : `lower(${text})`;
        const right = this.params.bind(value.value, 'String');
        if (operator === 'contains') return `position(${folded(left)}, ${folded(right)}) > 0`;
        const compared = `${folded(left)} ${operators[operator]} ${folded(right)}`;
        if (former === undefined || (operator !== 'eq' && operator !== 'ne')) return compared;
        const had = `has(t.${former}, lower(${right}))`;
        return operator === 'eq' ? `(${compared} OR ${had})` : `(${compared} AND NOT ${had})`;
      }
      case 'number':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Decimal(38, 9)')}`;
      case 'boolean':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Bool')}`;
      case 'day':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Date')}`;
    }
  }

  /** Conditions that every row of a source meets, whatever else is asked. */
  private scope(alias: string, visible: Visible = this.plan): string[] {
    return [
      ...visibleRows(visible, alias, this.bind),
      ...this.plan.products.map(({ column, id }) => `${alias}.${column} = ${this.params.bind(id, 'String')}`),
    ];
  }

  private range(alias: string): string {
    const { start, end } = this.plan;
    return `${alias}.date BETWEEN ${this.params.bind(start, 'Date')} AND ${this.params.bind(end, 'Date')}`;
  }

  /** Conditions that the range puts on the rows of `t`. */
  private ranged(): string[] {
    const { moments } = this.plan;
    if (moments === undefined) return [this.range('t')];
    const { time, first, last } = moments;
    const between = `BETWEEN ${this.params.bind(first, moment)} AND ${this.params.bind(last, moment)}`;
    // The days as well, which the table is sorted by.
    return [this.range('t'), `t.${time} ${between}`];
  }

  /** `FROM ... WHERE ...` of a source, with every condition of the plan and the given further ones. */
  from(source: SourcePlan, columns: readonly string[], further: readonly string[], ranged = true): string {
    const rest = (stored: readonly string[]) => [
      ...(ranged ? this.ranged() : []),
      ...source.where.map((condition) => this.condition(condition)),
      ...stored,
      ...mirrorConditions(this.plan, source.mirror, this.mirrorWriting(ranged)),
      ...this.plan.lookups.map((lookup) => this.predicate(lookup)),
      ...(ranged && this.plan.filter !== undefined && source.mirror?.unfiltered !== true
        ? [this.predicate(this.plan.filter)]
        : []),
      ...further,
    ];
    const all = (stored: readonly string[], visible?: Visible) => [
      ...this.scope('t', visible),
      ...rest(stored),
    ];
    const current = () => (source.supersedable ? [currentRows(this.plan, 't', this.bind)] : []);
    const sums = ranged ? sumsOf(this.plan, source, columns) : undefined;
    if (sums !== undefined) {
      const { accountId, summedTo, allSummed } = this.plan;
      const summed = all([], { accountId, snapshot: summedTo });
      if (allSummed) return `FROM ${sums.table} AS t WHERE ${summed.join(' AND ')}`;
      const beside = besideSums(this.params.bind(summedTo, 'UInt64'));
      return `FROM ${unionOf(
        aggregatedColumns(this.plan, source),
        { table: sums.table, where: summed },
        { table: source.table, where: all([...current(), beside]) },
      )} AS t`;
    }
    if (source.latestBy === undefined) {
      return `FROM ${source.table} AS t WHERE ${all(current()).join(' AND ')}`;
    }
    const conditions = rest(current());
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    return `FROM (${this.latest(source.table, source.latestBy, columns, ranged)}) AS t${where}`;
  }

  /** Condition on rows of `t` whose day has rows of commits above one, whatever else they are. */
  dayOfCommits({ table }: SourcePlan, above: number): string {
    const { accountId, products } = this.plan;
    const conditions = [
      `r.accountId = ${this.params.bind(accountId, 'String')}`,
      ...products.map(({ column, id }) => `r.${column} = ${this.params.bind(id, 'String')}`),
      this.range('r'),
      `r.seq > ${this.params.bind(above, 'UInt64')}`,
    ];
    return `t.date IN (SELECT r.date FROM ${table} AS r WHERE ${conditions.join(' AND ')})`;
  }

  private mirrorWriting(ranged: boolean) {
    return {
      bind: this.bind,
      range: ranged ? (alias: string) => this.range(alias) : undefined,
    };
  }

  /** The groupings of the mirrored days in the range. */
  mirrorGroupings(part: MirrorPart): string {
    return groupingsOf(this.plan, part, this.mirrorWriting(true));
  }

  /** The latest row per `by` under the snapshot, with the columns that are needed. */
  private latest(table: string, by: readonly string[], columns: readonly string[], ranged: boolean): string {
    const others = [...new Set(columns)].filter((column) => !by.includes(column));
    const picked = others.map((column, index) => `, latest.${index + 1} AS ${column}`).join('');
    const latest =
      others.length === 0
        ? ''
        : `, argMax(tuple(${others.map((column) => `r.${column}`).join(', ')}), tuple(r.seq, r.line)) AS latest`;
    const where = [...this.scope('r'), ...(ranged && by.includes('date') ? [this.range('r')] : [])].join(
      ' AND ',
    );
    const keys = by.map((column) => `r.${column}`).join(', ');
    const named = by.map((column) => `r.${column} AS ${column}`).join(', ');
    return `SELECT ${by.join(', ')}${picked} FROM (SELECT ${named}${latest} FROM ${table} AS r WHERE ${where} GROUP BY ${keys})`;
  }

  /** Conditions that keep the rows of a window. */
  window(key: Key, window: Window | undefined): string[] {
    if (window === undefined) return [];
    if (key.expression.kind === 'bucket' && key.expression.level === 'hour') {
      const day = (hour: string) => this.params.bind(hour.slice(0, 10), 'Date');
      const hour = (text: string) => this.params.bind(text, "DateTime('UTC')");
      // The days again, which the table is sorted by.
      return [
        `t.date BETWEEN ${day(window.low)} AND ${day(window.high)}`,
        `${this.expression(key.expression)} BETWEEN ${hour(window.low)} AND ${hour(window.high)}`,
      ];
    }
    if (key.expression.kind === 'bucket' || isIndexedByDay(this.plan, key)) {
      const low = this.params.bind(window.low, 'Date');
      const high = this.params.bind(window.high, 'Date');
      return [`t.date BETWEEN ${low} AND ${high}`];
    }
    const type = columnTypes[key.type];
    const value = (text: string) => this.params.bind(key.type === 'boolean' ? text === 'true' : text, type);
    const expression = this.expression(key.expression);
    return [`${expression} >= ${value(window.low)}`, `${expression} <= ${value(window.high)}`];
  }
}

/** Whether the page index counts the key's days instead of its values, which are about as many as there are rows. */
export function isIndexedByDay(plan: Plan, key: Key): boolean {
  return plan.kind === 'records' && key.expression.kind === 'second';
}

function comparator(operator: FilterOperator): string {
  if (operator === 'contains') throw new TypeError('contains applies to text only');
  return operators[operator];
}

function columnsOfExpression(expression: Expression): readonly string[] {
  // Of wider buckets the day tells.
  if (expression.kind === 'bucket' && expression.level !== 'hour') return ['date'];
  return [
    ...('column' in expression ? [expression.column] : []),
    ...('time' in expression ? [expression.time] : []),
    ...(expression.kind === 'available' ? [fileBytes] : []),
  ];
}

function columnsOfPredicate(predicate: Predicate): readonly string[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.terms.flatMap(columnsOfPredicate);
    case 'always':
      return [];
    case 'same':
    case 'oneOf':
      return [predicate.column];
    case 'comparison':
      return [
        ...columnsOfExpression(predicate.expression),
        ...(predicate.former === undefined ? [] : [predicate.former]),
      ];
  }
}

/** Columns of a source that keys and measures read, and the day. */
function aggregatedColumns(plan: Plan, source: SourcePlan): readonly string[] {
  const keys = 'keys' in plan ? plan.keys : [];
  const measures = Object.values(source.measures).flatMap((aggregate) => {
    if (aggregate.aggregate === 'distinct') return countedColumns(source.table, aggregate);
    const conditions = (aggregate.where ?? []).map(({ column }) => column);
    return 'column' in aggregate ? [aggregate.column, ...conditions] : conditions;
  });
  return [
    ...new Set(['date', ...keys.flatMap(({ expression }) => columnsOfExpression(expression)), ...measures]),
  ];
}

/** Columns of a source that keys, measures, fixed conditions and the filter read. */
export function columnsOf(plan: Plan, source: SourcePlan): readonly string[] {
  const { lookups, filter } = plan;
  const predicates = filter === undefined ? lookups : [...lookups, filter];
  return [
    ...aggregatedColumns(plan, source),
    ...source.where.map(({ column }) => column),
    ...predicates.flatMap(columnsOfPredicate),
  ];
}
