/**
 * A plan of rows to SQL text and typed parameters: the page, its index and its total, the steps, the extent of the
 * data. What all statements share stands in `sql-writer.ts`.
 */
import type { ValueType } from '@storelens/contract';
import { distinctRows } from '../sums/index.js';
import { groupingOf } from './group-digest.js';
import { isMixed, type MirrorPart } from './mirrored.js';
import {
  type FramesPlan,
  isConstant,
  type Key,
  type OrderPlan,
  type Plan,
  type RowsPlan,
  type SourcePlan,
  type StepsPlan,
} from './plan.js';
import { frameRows } from './record-sql.js';
import { printed } from './row-text.js';
import { usualBlocks } from './short-blocks.js';
import {
  type Columns,
  columnsOf,
  isIndexedByDay,
  type Statement,
  type Window,
  Writer,
} from './sql-writer.js';

/** The keys that differ from row to row. */
export function groupingKeys(plan: RowsPlan): readonly Key[] {
  return plan.keys.filter(({ expression }) => !isConstant(expression));
}

function orderBy(order: readonly OrderPlan[], of = ''): string {
  const terms = order.map(({ name, descending }) => `${of}${name}${descending ? ' DESC' : ''}`);
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

/** Rows of the page, printed as `row-text.ts` says; `window` must hold them all. */
export function pageStatement(plan: RowsPlan, limit: number, offset: number, window?: Window): Statement {
  const writer = new Writer(plan);
  const [lead] = plan.order;
  const further = lead?.key === undefined ? [] : writer.window(lead.key, window);
  const rows =
    plan.kind === 'records' ? recordRows(writer, plan, further) : groupedRows(writer, plan, further);
  const shown = shownColumns(writer, plan, jsonColumns);
  const cut = `LIMIT ${writer.params.bind(limit, 'UInt64')} OFFSET ${writer.params.bind(offset, 'UInt64')}`;
  // Ordered and cut inside, so that only the page's rows are rendered.
  return writer.statement(`SELECT ${shown} FROM (${rows}${orderBy(plan.order)} ${cut}) AS g`);
}

/** Prints values as pages do. */
export const jsonColumns: Columns = ({ type, nullable, whole }, value) =>
  printed(value, { type: type === 'hour' ? 'date' : type, nullable, whole });

/** Whether a measure counts rows or values, and only so. */
function isCount({ sources }: RowsPlan, measure: string): boolean {
  const [only, ...others] = sources;
  const aggregate = only?.measures[measure]?.aggregate;
  return others.length === 0 && (aggregate === 'count' || aggregate === 'distinct');
}

/** The printed members of a row; `shownAs` writes those that are no constants. */
export function shownColumns(
  writer: Writer,
  plan: RowsPlan | StepsPlan | FramesPlan,
  columns: Columns,
  shownAs: (name: string) => string = (name) => `g.${name}`,
): string {
  const shown = plan.fields.map(({ name, type, nullable }) => {
    const expression =
      'keys' in plan ? plan.keys.find((candidate) => candidate.name === name)?.expression : undefined;
    const constant = expression !== undefined && isConstant(expression);
    const hourly = expression?.kind === 'bucket' && expression.level === 'hour';
    const value = constant ? writer.expression(expression) : shownAs(name);
    const whole = 'measures' in plan && isCount(plan, name);
    return `${columns({ type: hourly ? 'hour' : type, nullable, whole }, value)} AS ${name}`;
  });
  return shown.join(', ');
}

/** Part of a whole result. */
export interface Cut {
  /** Most rows; undefined: all. */
  readonly limit: number | undefined;
  readonly offset: number;
}

/** All rows in their order, or those of a cut; `columns` prints values, if missing as pages do. */
export function wholeStatement(
  plan: RowsPlan | StepsPlan | FramesPlan,
  cut: Cut,
  columns: Columns = jsonColumns,
): Statement {
  const writer = new Writer(plan);
  const shown = shownColumns(writer, plan, columns);
  // The order stands outside: the engine drops one that is not followed by a limit inside.
  const { rows, order } = wholeRows(writer, plan);
  const limit = cut.limit === undefined ? '' : ` LIMIT ${writer.params.bind(cut.limit, 'UInt64')}`;
  const offset = cut.offset === 0 ? '' : ` OFFSET ${writer.params.bind(cut.offset, 'UInt64')}`;
  return writer.statement(`SELECT ${shown} FROM (${rows}) AS g${order}${limit}${offset}`);
}

function wholeRows(writer: Writer, plan: RowsPlan | StepsPlan | FramesPlan): { rows: string; order: string } {
  switch (plan.kind) {
    case 'steps':
      return { rows: stepRows(writer, plan), order: ' ORDER BY g.step' };
    case 'frames':
      return { rows: frameRows(writer, plan), order: ' ORDER BY g.number' };
    case 'grouped':
    case 'records': {
      const rows = plan.kind === 'records' ? recordRows(writer, plan, []) : groupedRows(writer, plan, []);
      return { rows, order: orderBy(plan.order, 'g.') };
    }
  }
}

function recordRows(writer: Writer, plan: RowsPlan, further: readonly string[]): string {
  const rowsOf = (source: SourcePlan) => {
    const columns = groupingKeys(plan).map(
      ({ name, expression }) => `${writer.valueIn(source, expression)} AS ${name}`,
    );
    return `SELECT ${columns.join(', ')} ${writer.from(source, columnsOf(plan, source), further)}`;
  };
  const [only, ...others] = plan.sources.map(rowsOf);
  if (only === undefined) throw new TypeError('a records plan needs a source');
  // Whatever follows is said of all of them.
  return others.length === 0 ? only : `SELECT * FROM (${[only, ...others].join(' UNION ALL ')})`;
}

function groupedRows(writer: Writer, plan: RowsPlan, further: readonly string[]): string {
  const keys = groupingKeys(plan);
  const names = keys.map(({ name }) => name);
  // Without keys there is one group, which must not show when it is empty.
  const groupBy = (by: string) => (keys.length === 0 ? ' HAVING count() > 0' : ` GROUP BY ${by}`);
  const grouping = groupingOf(keys, writer);
  const mixed = isMixed(plan);
  const perSource = plan.sources.map((source) => {
    const columns = [
      ...grouping.columns,
      ...plan.measures.map(({ name, type }) => {
        const aggregate = source.measures[name];
        const value = aggregate === undefined ? '0' : writer.aggregate(aggregate, source);
        return `${mixed ? ofOneType(value, type) : value} AS ${name}`;
      }),
    ];
    return `SELECT ${columns.join(', ')} ${writer.from(source, columnsOf(plan, source), further)}${groupBy(grouping.groupBy)}`;
  });
  const [only] = perSource;
  if (perSource.length === 1 && only !== undefined) return only;
  const sums = plan.measures.map(({ name }) => `sum(u.${name}) AS ${name}`);
  const all = [...names.map((name) => `u.${name} AS ${name}`), ...sums].join(', ');
  return `SELECT ${all} FROM (${perSource.join(' UNION ALL ')}) AS u${groupBy(names.join(', '))}`;
}

/** A measure in a type that those of all tables fit in. */
function ofOneType(value: string, type: ValueType): string {
  return type === 'decimal' ? `toDecimal128(${value}, 18)` : `toInt64(${value})`;
}

/**
 * Rows per value of the order's first key, in that order: `[value, rows]`, at most `limit` of them. With `above` only of
 * days that have rows of commits above it.
 */
export function indexStatement(
  plan: RowsPlan,
  lead: OrderPlan & { readonly key: Key },
  limit: number,
  above?: number,
): Statement {
  const writer = new Writer(plan);
  const others = groupingKeys(plan).filter(({ name }) => name !== lead.name);
  const counted = isIndexedByDay(plan, lead.key) ? 't.date' : writer.expression(lead.key.expression);
  const value = `${counted} AS ${lead.name}`;
  const tail = `GROUP BY ${lead.name} ORDER BY ${lead.name}${lead.descending ? ' DESC' : ''} LIMIT ${writer.params.bind(limit, 'UInt64')}`;
  if (plan.kind === 'records') {
    return writer.statement(
      `SELECT ${lead.name}, count() AS n FROM (${recordLead(writer, plan, value)}) ${tail}`,
    );
  }
  return writer.statement(
    `SELECT ${lead.name}, ${distinctRows(others)} AS n FROM (${keyRows(writer, plan, [lead.key, ...others], above)}) ${tail}`,
  );
}

function recordLead(writer: Writer, plan: RowsPlan, value: string): string {
  return plan.sources
    .map((source) => `SELECT ${value} ${writer.from(source, columnsOf(plan, source), [])}${usualBlocks}`)
    .join(' UNION ALL ');
}

/** The keys of every source row, ungrouped; with `above` of days that have rows of commits above it. */
function keyRows(writer: Writer, plan: RowsPlan, keys: readonly Key[], above?: number): string {
  const further = (source: SourcePlan) => (above === undefined ? [] : [writer.dayOfCommits(source, above)]);
  const columns =
    keys.length === 0
      ? '1'
      : keys.map((key) => `${writer.expression(key.expression)} AS ${key.name}`).join(', ');
  return plan.sources
    .map(
      (source) =>
        `SELECT ${columns} ${writer.from(source, columnsOf(plan, source), further(source))}${usualBlocks}`,
    )
    .join(' UNION ALL ');
}

/** The number of answer rows. */
export function totalStatement(plan: RowsPlan): Statement {
  const writer = new Writer(plan);
  const keys = plan.kind === 'records' ? [] : groupingKeys(plan);
  const counted = plan.kind === 'records' ? 'count()' : distinctRows(keys);
  return writer.statement(`SELECT ${counted} AS n FROM (${keyRows(writer, plan, keys)})`);
}

/** Rows of a steps report: the step's number orders, the fields print. */
export function stepsStatement(plan: StepsPlan): Statement {
  const writer = new Writer(plan);
  const shown = plan.fields.map((field) => `${printed(`s.${field.name}`, field)} AS ${field.name}`);
  return writer.statement(`SELECT ${shown.join(', ')} FROM (${stepRows(writer, plan)}) AS s ORDER BY step`);
}

function stepRows(writer: Writer, plan: StepsPlan): string {
  const [nameField, countField] = plan.fields;
  const steps = plan.steps.map(({ name, source, mirrored }, index) => {
    const countOf = (one: SourcePlan) => {
      const aggregate = one.measures[countField.name];
      if (aggregate === undefined) throw new TypeError(`step ${name} has no aggregate`);
      return [writer.aggregate(aggregate, one), writer.from(one, columnsOf(plan, one), [])] as const;
    };
    const [count, from] = countOf(source);
    const head = `SELECT ${index} AS step, ${writer.params.bind(name, 'String')} AS ${nameField.name}`;
    if (mirrored === undefined) return `${head}, ${count} AS ${countField.name} ${from}`;
    const [copied, fromCopies] = countOf(mirrored);
    const both = `SELECT toInt64(${count}) AS n ${from} UNION ALL SELECT toInt64(${copied}) AS n ${fromCopies}`;
    return `${head}, sum(n) AS ${countField.name} FROM (${both})`;
  });
  return steps.join(' UNION ALL ');
}

function sourcesOf(plan: Plan): readonly SourcePlan[] {
  if (plan.kind === 'steps')
    return plan.steps.flatMap(({ source, mirrored }) => [source, ...(mirrored ? [mirrored] : [])]);
  return 'source' in plan ? [plan.source] : plan.sources;
}

/**
 * First and last day of the data in scope: `[first, last, rows]`. Whatever the range and the filter, unless `ranged`.
 */
export function extentStatement(plan: Plan, ranged = false): Statement {
  const writer = new Writer(plan);
  const sources = sourcesOf(plan);
  const days = sources.map((source) => {
    const columns = ranged ? columnsOf(plan, source) : ['date', ...source.where.map(({ column }) => column)];
    return `SELECT t.date AS day ${writer.from(source, columns, [], ranged)}`;
  });
  return writer.statement(`SELECT min(day), max(day), count() FROM (${days.join(' UNION ALL ')})`);
}

/** The groupings of the mirrored days in the plan's range, a row each. */
export function mirrorGroupingsStatement(plan: RowsPlan | StepsPlan, part: MirrorPart): Statement {
  const writer = new Writer(plan);
  return writer.statement(writer.mirrorGroupings(part));
}
