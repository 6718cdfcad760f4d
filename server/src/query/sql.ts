/**
 * A plan to SQL text and typed parameters. Values become `{name:Type}` placeholders, identifiers come from the
 * contract's entries, operators and aggregates from the closed maps below; there is no other way into the text.
 * Column references are qualified with `t.`, so that aliases never shadow columns.
 */
import type { Aggregate, Condition, FilterOperator, Level, ValueType } from '@storelens/contract';
import type { EngineValue } from '../engine/index.js';
import type { Expression, Key, OrderPlan, Plan, Predicate, RowsPlan, SourcePlan, StepsPlan } from './plan.js';

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

const bucketStart: Record<Level, (day: string) => string> = {
  hour: (day) => day,
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

const operators: Record<Exclude<FilterOperator, 'contains'>, string> = {
  eq: '=',
  ne: '!=',
  gt: '>',
  lt: '<',
  ge: '>=',
  le: '<=',
};

/** Writes the parts of one statement. */
class Writer {
  readonly params = new Parameters();

  constructor(private readonly plan: Plan) {}

  statement(sql: string): Statement {
    return { sql, params: this.params.values };
  }

  expression(expression: Expression): string {
    switch (expression.kind) {
      case 'bucket': {
        const start = bucketStart[expression.level]('t.date');
        // The first bucket is cut at the start of the range and labelled with it; a day needs no cut.
        return start === 't.date'
          ? start
          : `greatest(${start}, ${this.params.bind(this.plan.start, 'Date')})`;
      }
      case 'column':
        return `t.${expression.column}`;
      case 'bound':
        return this.params.bind(expression.value, 'String');
      case 'names': {
        const ids = this.params.bind(expression.ids, 'Array(String)');
        const names = this.params.bind(expression.names, 'Array(String)');
        return `transform(toString(t.${expression.column}), ${ids}, ${names}, '')`;
      }
    }
  }

  condition(condition: Condition): string {
    if ('is' in condition) return `t.${condition.column} ${condition.is === 'empty' ? '=' : '!='} ''`;
    const { equals } = condition;
    const type = { string: 'String', number: 'Int64', boolean: 'Bool' }[
      typeof equals as 'string' | 'number' | 'boolean'
    ];
    return `t.${condition.column} = ${this.params.bind(equals, type)}`;
  }

  aggregate(aggregate: Aggregate): string {
    const condition = (aggregate.where ?? []).map((part) => this.condition(part)).join(' AND ');
    const suffix = condition === '' ? '' : 'If';
    const last = condition === '' ? '' : `, ${condition}`;
    switch (aggregate.aggregate) {
      case 'sum':
        return `sum${suffix}(t.${aggregate.column}${last})`;
      case 'count':
        return `count${suffix}(${condition})`;
      case 'distinct':
        return `uniqExact${suffix}(t.${aggregate.column}${last})`;
    }
  }

  predicate(predicate: Predicate): string {
    switch (predicate.kind) {
      case 'and':
      case 'or':
        return `(${predicate.terms.map((term) => this.predicate(term)).join(` ${predicate.kind.toUpperCase()} `)})`;
      case 'always':
        return predicate.value ? '1' : '0';
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
  }: Extract<Predicate, { kind: 'comparison' }>): string {
    const left = this.expression(expression);
    switch (value.type) {
      case 'text': {
        const folded = (text: string) =>
          loose ? `lower(replaceAll(replaceAll(${text}, ' ', ''), '\u2013', '-'))` : `lower(${text})`;
        const right = this.params.bind(value.value, 'String');
        if (operator === 'contains') return `position(${folded(left)}, ${folded(right)}) > 0`;
        return `${folded(left)} ${operators[operator]} ${folded(right)}`;
      }
      case 'number':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Decimal(38, 9)')}`;
      case 'boolean':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Bool')}`;
      case 'day':
        return `${left} ${comparator(operator)} ${this.params.bind(value.value, 'Date')}`;
    }
  }

  /** Conditions that every row of an account's table meets, whatever else is asked. */
  private scope(alias: string): string[] {
    return [
      `${alias}.accountId = ${this.params.bind(this.plan.accountId, 'String')}`,
      `${alias}.seq <= ${this.params.bind(this.plan.snapshot, 'UInt64')}`,
      ...this.plan.products.map(({ column, id }) => `${alias}.${column} = ${this.params.bind(id, 'String')}`),
    ];
  }

  private range(alias: string): string {
    const { start, end } = this.plan;
    return `${alias}.date BETWEEN ${this.params.bind(start, 'Date')} AND ${this.params.bind(end, 'Date')}`;
  }

  /** `FROM ... WHERE ...` of a source, with every condition of the plan and the given further ones. */
  from(source: SourcePlan, columns: readonly string[], further: readonly string[], ranged = true): string {
    const rest = [
      ...(ranged ? [this.range('t')] : []),
      ...source.where.map((condition) => this.condition(condition)),
      ...(ranged && this.plan.filter !== undefined ? [this.predicate(this.plan.filter)] : []),
      ...further,
    ];
    if (source.latestBy === undefined) {
      return `FROM ${source.table} AS t WHERE ${[...this.scope('t'), ...rest].join(' AND ')}`;
    }
    const where = rest.length === 0 ? '' : ` WHERE ${rest.join(' AND ')}`;
    return `FROM (${this.latest(source.table, source.latestBy, columns, ranged)}) AS t${where}`;
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
    if (key.expression.kind === 'bucket') {
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

function comparator(operator: FilterOperator): string {
  if (operator === 'contains') throw new TypeError('contains applies to text only');
  return operators[operator];
}

/** Columns of a source that keys, measures, fixed conditions and the filter read. */
function columnsOf(plan: Plan, source: SourcePlan): readonly string[] {
  const columns = ['date', ...source.where.map(({ column }) => column)];
  const fromExpression = (expression: Expression) => {
    if (expression.kind === 'column' || expression.kind === 'names') columns.push(expression.column);
  };
  const fromPredicate = (predicate: Predicate): void => {
    if (predicate.kind === 'comparison') fromExpression(predicate.expression);
    else if (predicate.kind === 'oneOf') columns.push(predicate.column);
    else if (predicate.kind !== 'always') predicate.terms.forEach(fromPredicate);
  };
  if (plan.kind !== 'steps') for (const key of plan.keys) fromExpression(key.expression);
  if (plan.filter !== undefined) fromPredicate(plan.filter);
  for (const aggregate of Object.values(source.measures)) {
    if ('column' in aggregate) columns.push(aggregate.column);
    for (const { column } of aggregate.where ?? []) columns.push(column);
  }
  return columns;
}

function groupingKeys(plan: RowsPlan): readonly Key[] {
  return plan.keys.filter(({ expression }) => expression.kind !== 'bound');
}

function orderBy(order: readonly OrderPlan[]): string {
  const terms = order.map(({ name, descending }) => `${name}${descending ? ' DESC' : ''}`);
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

/** Rows of the page, rendered by {@link rowTemplate}'s columns; `window` must hold them all. */
export function pageStatement(plan: RowsPlan, limit: number, offset: number, window?: Window): Statement {
  const writer = new Writer(plan);
  const [lead] = plan.order;
  const further = lead?.key === undefined ? [] : writer.window(lead.key, window);
  const rows =
    plan.kind === 'records' ? recordRows(writer, plan, further) : groupedRows(writer, plan, further);
  const shown = plan.fields.map(({ name, type }) => {
    const key = plan.keys.find((candidate) => candidate.name === name);
    if (key?.expression.kind === 'bound') return `${writer.expression(key.expression)} AS ${name}`;
    if (type !== 'decimal') return `g.${name} AS ${name}`;
    return `if(position(toString(g.${name}), '.') = 0, concat(toString(g.${name}), '.0'), toString(g.${name})) AS ${name}`;
  });
  const cut = `LIMIT ${writer.params.bind(limit, 'UInt64')} OFFSET ${writer.params.bind(offset, 'UInt64')}`;
  // Ordered and cut inside, so that only the page's rows are rendered.
  return writer.statement(`SELECT ${shown.join(', ')} FROM (${rows}${orderBy(plan.order)} ${cut}) AS g`);
}

function recordRows(writer: Writer, plan: RowsPlan, further: readonly string[]): string {
  const [source] = plan.sources;
  if (source === undefined) throw new TypeError('a records plan needs a source');
  const columns = groupingKeys(plan).map((key) => `${writer.expression(key.expression)} AS ${key.name}`);
  return `SELECT ${columns.join(', ')} ${writer.from(source, columnsOf(plan, source), further)}`;
}

function groupedRows(writer: Writer, plan: RowsPlan, further: readonly string[]): string {
  const keys = groupingKeys(plan);
  const names = keys.map(({ name }) => name);
  // Without keys there is one group, which must not show when it is empty.
  const grouping = keys.length === 0 ? ' HAVING count() > 0' : ` GROUP BY ${names.join(', ')}`;
  const perSource = plan.sources.map((source) => {
    const columns = [
      ...keys.map((key) => `${writer.expression(key.expression)} AS ${key.name}`),
      ...plan.measures.map(({ name }) => {
        const aggregate = source.measures[name];
        return `${aggregate === undefined ? '0' : writer.aggregate(aggregate)} AS ${name}`;
      }),
    ];
    return `SELECT ${columns.join(', ')} ${writer.from(source, columnsOf(plan, source), further)}${grouping}`;
  });
  const [only] = perSource;
  if (perSource.length === 1 && only !== undefined) return only;
  const sums = plan.measures.map(({ name }) => `sum(u.${name}) AS ${name}`);
  const all = [...names.map((name) => `u.${name} AS ${name}`), ...sums].join(', ');
  return `SELECT ${all} FROM (${perSource.join(' UNION ALL ')}) AS u${grouping}`;
}

/** Columns and row text of the page for the engine's `Template` format. */
export function rowTemplate(fields: readonly { readonly name: string; readonly type?: ValueType }[]): string {
  const members = fields.map(
    ({ name, type }) => `"${name}":\${${name}:${type === 'decimal' ? 'Raw' : 'JSON'}}`,
  );
  return `{${members.join(',')}}`;
}

/** Rows per value of the order's first key, in that order: `[value, rows]`, at most `limit` of them. */
export function indexStatement(
  plan: RowsPlan,
  lead: OrderPlan & { readonly key: Key },
  limit: number,
): Statement {
  const writer = new Writer(plan);
  const others = groupingKeys(plan).filter(({ name }) => name !== lead.name);
  const value = `${writer.expression(lead.key.expression)} AS ${lead.name}`;
  const tail = `GROUP BY ${lead.name} ORDER BY ${lead.name}${lead.descending ? ' DESC' : ''} LIMIT ${writer.params.bind(limit, 'UInt64')}`;
  if (plan.kind === 'records') {
    return writer.statement(
      `SELECT ${lead.name}, count() AS n FROM (${recordLead(writer, plan, value)}) ${tail}`,
    );
  }
  return writer.statement(
    `SELECT ${lead.name}, ${distinctRows(others)} AS n FROM (${keyRows(writer, plan, [lead.key, ...others])}) ${tail}`,
  );
}

function recordLead(writer: Writer, plan: RowsPlan, value: string): string {
  const [source] = plan.sources;
  if (source === undefined) throw new TypeError('a records plan needs a source');
  return `SELECT ${value} ${writer.from(source, columnsOf(plan, source), [])}`;
}

function distinctRows(keys: readonly Key[]): string {
  return keys.length === 0 ? 'toUInt64(1)' : `uniqExact(${keys.map(({ name }) => name).join(', ')})`;
}

/** The keys of every source row, ungrouped. */
function keyRows(writer: Writer, plan: RowsPlan, keys: readonly Key[]): string {
  const columns =
    keys.length === 0
      ? '1'
      : keys.map((key) => `${writer.expression(key.expression)} AS ${key.name}`).join(', ');
  return plan.sources
    .map((source) => `SELECT ${columns} ${writer.from(source, columnsOf(plan, source), [])}`)
    .join(' UNION ALL ');
}

/** The number of answer rows. */
export function totalStatement(plan: RowsPlan): Statement {
  const writer = new Writer(plan);
  const keys = plan.kind === 'records' ? [] : groupingKeys(plan);
  const counted =
    plan.kind === 'records' ? 'count()' : keys.length === 0 ? 'least(count(), 1)' : distinctRows(keys);
  return writer.statement(`SELECT ${counted} AS n FROM (${keyRows(writer, plan, keys)})`);
}

/** Rows of a steps report: the step's number orders, the fields print. */
export function stepsStatement(plan: StepsPlan): Statement {
  const writer = new Writer(plan);
  const [nameField, countField] = plan.fields;
  const steps = plan.steps.map(({ name, source }, index) => {
    const aggregate = source.measures[countField.name];
    if (aggregate === undefined) throw new TypeError(`step ${name} has no aggregate`);
    const from = writer.from(source, columnsOf(plan, source), []);
    return `SELECT ${index} AS step, ${writer.params.bind(name, 'String')} AS ${nameField.name}, ${writer.aggregate(aggregate)} AS ${countField.name} ${from}`;
  });
  return writer.statement(
    `SELECT ${nameField.name}, ${countField.name} FROM (${steps.join(' UNION ALL ')}) ORDER BY step`,
  );
}

/** First and last day of the data in scope, whatever the range and the filter: `[first, last, rows]`. */
export function extentStatement(plan: Plan): Statement {
  const writer = new Writer(plan);
  const sources = plan.kind === 'steps' ? plan.steps.map(({ source }) => source) : plan.sources;
  const days = sources.map(
    (source) =>
      `SELECT t.date AS day ${writer.from(source, ['date'].concat(source.where.map(({ column }) => column)), [], false)}`,
  );
  return writer.statement(`SELECT min(day), max(day), count() FROM (${days.join(' UNION ALL ')})`);
}
