/**
 * Days that were copied from another server, in the answers of their reports: of a scope and day that has a mirrored
 * commit under the snapshot, the rows of its newest one count; of every other the report's own sources do. Measures of
 * mirrored rows add up. A distinct count cannot be told from sums where an answer puts rows of the source together:
 * it is then an upper bound, which the answer says.
 */
import {
  type Field,
  type MirrorTable,
  mirrorCrashes,
  mirrorTables,
  programmeOf,
  type ReportEntry,
} from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { Plan, RowsPlan, SourcePlan } from './plan.js';
import type { Question } from './validate.js';
import { type Bind, type Visible, visibleRows } from './visible-rows.js';

/** What a source has to do with a mirror. */
export interface MirrorPart {
  readonly table: string;
  readonly scope: MirrorTable['scope'];
  /** The rows of mirrored days, or a source's own of all other days. */
  readonly shows: 'mirrored' | 'others';
  /** Rows that no filter applies to, because they have nothing to filter by. */
  readonly unfiltered?: true;
  /** Where the files of its records are looked for: under what a column holds. */
  readonly files?: { readonly programme: string; readonly column: string };
}

/** The mirror of a report; undefined if its rows have no days. */
export function mirrorOf(entry: ReportEntry): MirrorTable | undefined {
  return Object.hasOwn(mirrorTables, entry.name) ? mirrorTables[entry.name] : undefined;
}

/** The sources of a report of an account that has mirrored days of it. Hours of a mirrored day are not known. */
export function withMirror(
  sources: readonly SourcePlan[],
  { entry, level }: Pick<Question, 'entry' | 'level'>,
): readonly SourcePlan[] {
  const mirror = mirrorOf(entry);
  if (mirror === undefined) return sources;
  const { name: table, scope, columns } = mirror;
  const own = sources.map((source): SourcePlan => ({ ...source, mirror: { table, scope, shows: 'others' } }));
  if (level === 'hour') return own;
  const measures = columns.filter(({ measure }) => measure);
  const mirrored: SourcePlan = {
    table,
    where: [],
    measures: Object.fromEntries(measures.map(({ name }) => [name, { aggregate: 'sum', column: name }])),
    latestBy: undefined,
    supersedable: false,
    mirror: { table, scope, shows: 'mirrored', ...filesOf(mirror) },
  };
  return [...own, mirrored];
}

/** The sources of a step of an account that has mirrored days of the report. */
export function stepWithMirror(
  source: SourcePlan,
  { entry }: Pick<Question, 'entry'>,
  step: string,
): { readonly source: SourcePlan; readonly mirrored: SourcePlan | undefined } {
  const mirror = mirrorOf(entry);
  const [name, count] = mirror?.columns ?? [];
  if (mirror === undefined || name === undefined || count === undefined)
    return { source, mirrored: undefined };
  const part = { table: mirror.name, scope: mirror.scope } as const;
  return {
    source: { ...source, mirror: { ...part, shows: 'others' } },
    mirrored: {
      table: mirror.name,
      where: [{ column: name.name, equals: step }],
      measures: { [count.name]: { aggregate: 'sum', column: count.name } },
      latestBy: undefined,
      supersedable: false,
      mirror: { ...part, shows: 'mirrored', unfiltered: true },
    },
  };
}

function filesOf({ report, columns }: MirrorTable): Pick<MirrorPart, 'files'> {
  const column = columns.find(({ name }) => name === 'cabId' || name === 'cabIdHash')?.name;
  return column === undefined ? {} : { files: { programme: programmeOf(report), column } };
}

/** SQL that is true for a record of `t` whose file was mirrored, too. */
export function hasMirroredFile(
  plan: Visible,
  { programme, column }: NonNullable<MirrorPart['files']>,
  bind: Bind,
): string {
  const conditions = [
    ...visibleRows(plan, 'm', bind),
    `m.programme = ${bind(programme, 'String')}`,
    `m.kind = 'file'`,
  ];
  return `lower(t.${column}) IN (SELECT m.name FROM ${mirrorCrashes.name} AS m WHERE ${conditions.join(' AND ')})`;
}

/** The one copied stack or file that a question asks for. */
export interface CopiedRecord {
  readonly programme: string;
  readonly kind: 'stack' | 'file';
  /** In lower case. */
  readonly name: string;
}

/** What a question about a single failure asks for, among what was copied. */
export function copiedOf({ entry, lookups }: Question): CopiedRecord | undefined {
  const [lookup] = lookups;
  if (lookup === undefined) return undefined;
  return {
    programme: programmeOf(entry),
    kind: entry.kind === 'file' ? 'file' : 'stack',
    name: asciiLower(lookup.value),
  };
}

/** `FROM ... WHERE ...` of the copied stack or file that is asked for, under all its commits. */
export function copiedRecord(
  plan: Scoped & Pick<Plan, 'start' | 'end'>,
  copied: CopiedRecord,
  bind: Bind,
): string {
  const { programme, kind, name } = copied;
  const product = productOf(plan);
  const conditions = [
    ...visibleRows(plan, 'm', bind),
    `m.programme = ${bind(programme, 'String')}`,
    `m.kind = ${bind(kind, 'String')}`,
    `m.name = ${bind(name, 'String')}`,
    `m.date BETWEEN ${bind(plan.start, 'Date')} AND ${bind(plan.end, 'Date')}`,
    ...(product === undefined ? [] : [`m.scope = ${bind(product, 'String')}`]),
  ];
  return `FROM ${mirrorCrashes.name} AS m WHERE ${conditions.join(' AND ')}`;
}

/** The table with what was copied for a report of stacks or files; undefined for other reports. */
export function mirrorTableOf(entry: ReportEntry): string | undefined {
  if (entry.kind === 'frames' || entry.kind === 'file') return mirrorCrashes.name;
  return mirrorOf(entry)?.name;
}

/** Whether measures of different tables are added up, whose types the engine would not put together by itself. */
export function isMixed({ sources }: Pick<RowsPlan, 'sources'>): boolean {
  return sources.some(({ mirror }) => mirror?.shows === 'mirrored');
}

/** What conditions are written with: a placeholder for a value, and the range's condition on a table's date. */
export interface MirrorWriting {
  readonly bind: Bind;
  /** Undefined: all days. */
  readonly range: ((alias: string) => string) | undefined;
}

type Scoped = Visible & Pick<Plan, 'products'>;

/** Id of the product that a question is about, as scopes name it. */
function productOf({ products }: Scoped): string | undefined {
  return products.find(({ column }) => column === 'applicationId')?.id;
}

/** `FROM ... WHERE ...` of the rows that say which days are mirrored, in the question's scope. */
function knownDays(plan: Scoped, { table, scope }: MirrorPart, { bind, range }: MirrorWriting): string {
  const product = scope === 'account' ? '' : productOf(plan);
  const conditions = [
    ...visibleRows(plan, 'm', bind),
    ...(product === undefined ? [] : [`m.scope = ${bind(product, 'String')}`]),
    'm.isDay',
    ...(range === undefined ? [] : [range('m')]),
  ];
  return `FROM ${table} AS m WHERE ${conditions.join(' AND ')}`;
}

/** Conditions that keep the rows of `t` which a source may show. */
export function mirrorConditions(
  plan: Scoped,
  part: MirrorPart | undefined,
  writing: MirrorWriting,
): readonly string[] {
  if (part === undefined) return [];
  const days = knownDays(plan, part, writing);
  const { scope, shows } = part;
  if (shows === 'others') {
    return scope === 'account'
      ? [`t.date NOT IN (SELECT m.date ${days})`]
      : [`(t.applicationId, t.date) NOT IN (SELECT m.scope, m.date ${days})`];
  }
  const product = scope === 'account' ? '' : productOf(plan);
  return [
    // The table's order begins with both.
    ...(product === undefined ? [] : [`t.scope = ${writing.bind(product, 'String')}`]),
    'NOT t.isDay',
    `(t.scope, t.date, t.seq) IN (SELECT m.scope, m.date, max(m.seq) ${days} GROUP BY m.scope, m.date)`,
  ];
}

/** SQL of the groupings of the newest commits of the mirrored days, a row each. */
export function groupingsOf(plan: Scoped, part: MirrorPart, writing: MirrorWriting): string {
  const days = knownDays(plan, part, writing);
  const newest = `SELECT argMax(m.grouping, m.seq) AS grouping ${days} GROUP BY m.scope, m.date`;
  return `SELECT DISTINCT grouping FROM (${newest})`;
}

/** Whether a notice hangs on the mirrored days of the range: then `noticesOf` wants their groupings. */
export function hasBounds(question: Question): boolean {
  const { entry, row, level } = question;
  if (entry.kind === 'steps') return stepNotices(question).length > 0;
  return level === 'hour' || distinctOf(entry, row).length > 0 || ungroupedIn(question).length > 0;
}

/** Whether rows that a filter leaves out may belong to an answer: what it asks for is not known of days by groups. */
export function mayMiss({ filter }: Question): boolean {
  return filteredBy(filter).some(isUngrouped);
}

/** Whether rows of groups lack a field, though the answer may have it. */
function isUngrouped({ origin, groupby, alwaysReturned, role }: Field): boolean {
  return origin?.from === 'column' && !groupby && !alwaysReturned && role !== 'date' && role !== 'id';
}

function filteredBy(filter: Question['filter']): readonly Field[] {
  if (filter === undefined) return [];
  return filter.kind === 'comparison' ? [filter.field] : filter.terms.flatMap(filteredBy);
}

/** Names of the fields that a question prints or filters by, and rows of groups lack. */
function ungroupedIn({ entry, row, filter }: Question): readonly string[] {
  if (entry.kind !== 'grouped') return [];
  return [...new Set([...row, ...filteredBy(filter)].filter(isUngrouped).map(({ name }) => name))];
}

function distinctOf({ sources }: ReportEntry, row: Question['row']): readonly string[] {
  const distinct = (name: string) => sources.some(({ measures }) => measures[name]?.aggregate === 'distinct');
  return row.map(({ name }) => name).filter(distinct);
}

/** Users of a day are known; who came on several is not, nor what a filter asks of them. */
function stepNotices({ row, filter, start, end }: Question): readonly string[] {
  const count = row.find(({ role }) => role === 'measure')?.name;
  if (filter !== undefined) {
    return [`${count} is an upper bound where days were mirrored: they are added up without the filter`];
  }
  return start === end
    ? []
    : [`${count} is an upper bound where days were mirrored: their users are added up`];
}

/** What is to be said of an answer, by the groupings of the mirrored days in its range. */
export function noticesOf(question: Question, groupings: readonly string[]): readonly string[] {
  if (groupings.length === 0) return [];
  const { entry, row, level, oneBucket, start, end } = question;
  if (entry.kind === 'steps') return stepNotices(question);
  if (level === 'hour') return ['days that were mirrored have no hours and are left out'];
  const daily = oneBucket ? start === end : level === 'day' || start === end;
  const keys = new Set(row.filter(({ role }) => role !== 'measure').map(({ name }) => name));
  const stored = entry.fields.filter(({ origin, role }) => origin?.from === 'column' && role !== 'id');
  const isExact = (grouping: string) => {
    const named = new Set(grouping.split(','));
    return stored.every(({ name }) => keys.has(name) || (grouping !== '' && !named.has(name)));
  };
  // Rows with groups lack it in some reports, and then nothing was stored.
  const grouped = groupings.some((grouping) => grouping !== '');
  const notices = grouped
    ? ungroupedIn(question).map((name) => `${name} is not known where days were mirrored by groups`)
    : [];
  for (const name of distinctOf(entry, row)) {
    const atMost = mirrorOf(entry)?.columns.find((column) => column.field === name)?.atMost;
    if (grouped && atMost !== undefined) {
      notices.push(`${name} is an upper bound where days were mirrored by groups: there it is ${atMost}`);
    } else if (!daily || !groupings.every(isExact)) {
      notices.push(`${name} is an upper bound where days were mirrored: their rows are added up`);
    }
  }
  return notices;
}
