/**
 * Parameters against a report entry: what is asked, fully typed, or a refusal that names every problem. Decides
 * defaults, reads dates, the filter's names and literals, groupby and orderby. Knows no SQL and touches no data;
 * products are looked up last, so that a bad request reads the same whoever sends it.
 */
import type { DefaultDay, Field, FilterOperator, Level, ReportEntry } from '@storelens/contract';
import { Failure } from '../failure.js';
import type { AccountProducts, Product } from '../products/index.js';
import { utcDay } from '../system.js';
import { addDays, type Day, dateForms, parseDate } from './dates.js';
import { FilterError, type FilterTree, type Literal, parseFilter } from './filter.js';
import { mostProblems, nearestName, type Parameters, parseParameters, printable } from './parse.js';

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

/** One term of an order. */
export interface OrderTerm {
  readonly field: Field;
  readonly descending: boolean;
  /** Whether the request spelt the direction out, for the next link. */
  readonly spelt: boolean;
}

/** A fully checked request. */
export interface Question {
  readonly entry: ReportEntry;
  /** Undefined for reports without levels. */
  readonly level: Level | undefined;
  /** As asked, not yet clamped. */
  readonly start: Day;
  readonly end: Day;
  /** Products the rows must belong to; empty: the whole account. */
  readonly products: readonly {
    readonly column: 'applicationId' | 'inAppProductId';
    readonly product: Product;
  }[];
  /** Why no row can match, if a product is of another kind. */
  readonly mismatch: string | undefined;
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  /** Undefined: no groupby was given. */
  readonly groupby: readonly Field[] | undefined;
  /** Row keys and measures, in printed order. */
  readonly row: readonly Field[];
  /** As asked; empty: the default order. */
  readonly order: readonly OrderTerm[];
  readonly top: number;
  readonly skip: number;
  readonly snapshot: number | undefined;
  /** Names of ignored parameters. */
  readonly ignored: readonly string[];
}

/** Collects problems; each is one sentence that starts with the parameter's name. */
class Problems {
  readonly sentences: string[];

  constructor(found: readonly string[]) {
    this.sentences = [...found];
  }

  /** Whether no more will be listed, so that looking for them is idle. */
  get full(): boolean {
    return this.sentences.length >= mostProblems;
  }

  add(sentence: string): undefined {
    if (!this.full) this.sentences.push(sentence);
    return undefined;
  }
}

/** Checks a request. `now` is the current time in milliseconds. Throws `invalid-parameters` or `forbidden`. */
export function validate(
  rawQuery: string,
  entry: ReportEntry,
  catalog: AccountProducts,
  now: number,
): Question {
  const parameters = parseParameters(rawQuery, entry);
  const problems = new Problems(parameters.problems);
  const value = (name: Parameters['ignored'][number]) => parameters.values.get(name);

  const ids = identityValues(entry, parameters, problems);
  const level = readLevel(entry, value('aggregationLevel'), problems);
  const { start, end } = readRange(entry, value('startDate'), value('endDate'), now, problems);
  const filterText = value('filter');
  const filter = filterText === undefined ? undefined : readFilter(entry, filterText, problems);
  const groupby = readGroupby(entry, value('groupby'), problems);
  const row = rowFields(entry, level, groupby);
  const order = readOrder(entry, value('orderby'), row, problems);
  const { top, skip } = readPage(entry, value('top'), value('skip'), problems);
  const snapshot = readSnapshot(value('snapshot'), problems);
  if (problems.sentences.length > 0) throw new Failure('invalid-parameters', problems.sentences);

  return {
    entry,
    level,
    start,
    end,
    filter,
    filterText,
    groupby,
    row,
    order,
    top,
    skip,
    snapshot,
    ...findProducts(entry, ids, catalog),
    ignored: parameters.ignored,
  };
}

interface IdentityValue {
  readonly parameter: ReportEntry['identity']['parameters'][number];
  readonly id: string;
}

function identityValues(
  entry: ReportEntry,
  parameters: Parameters,
  problems: Problems,
): readonly IdentityValue[] {
  const { identity } = entry;
  const given = identity.parameters.flatMap((parameter) => {
    const id = parameters.values.get(parameter.name)?.trim();
    return id === undefined ? [] : [{ parameter, id }];
  });
  if (given.length === 0 && identity.needs === 'one') {
    const names = identity.parameters.map(({ name }) => name);
    problems.add(
      names.length === 1
        ? `${names[0]} parameter is missing; give the id of the product`
        : `one of the parameters ${names.join(' and ')} is missing; give the id of the product`,
    );
  }
  return identity.combine === 'first' ? given.slice(0, 1) : given;
}

function findProducts(
  entry: ReportEntry,
  ids: readonly IdentityValue[],
  catalog: AccountProducts,
): Pick<Question, 'products' | 'mismatch'> {
  let mismatch: string | undefined;
  const products = ids.map(({ parameter, id }) => {
    const product = catalog.find(id);
    if (product === undefined) {
      throw new Failure('forbidden', [
        `${parameter.name} '${printable(id)}' is not a product of this account.`,
      ]);
    }
    if (product.kind !== parameter.kind) {
      mismatch ??= `${entry.name} has no rows for '${product.id}': it is registered as ${kindName[product.kind]}`;
    }
    return { column: parameter.name, product };
  });
  return { products, mismatch };
}

const kindName = {
  app: 'an app',
  addon: 'an add-on',
  desktop: 'a desktop program',
  driver: 'a driver',
} as const;

function readLevel(entry: ReportEntry, text: string | undefined, problems: Problems): Level | undefined {
  if (text === undefined) return entry.levels[0];
  const level = entry.levels.find((name) => name === text.trim().toLowerCase());
  return (
    level ??
    problems.add(`aggregationLevel parameter '${printable(text)}' is not one of ${entry.levels.join(', ')}`)
  );
}

function defaultDay(rule: DefaultDay, now: number): Day {
  return 'day' in rule ? rule.day : addDays(utcDay(now), -rule.daysAgo);
}

function readRange(
  entry: ReportEntry,
  startText: string | undefined,
  endText: string | undefined,
  now: number,
  problems: Problems,
): { start: Day; end: Day } {
  const read = (name: string, text: string | undefined, rule: DefaultDay): Day | undefined =>
    text === undefined
      ? defaultDay(rule, now)
      : (parseDate(text)?.day ??
        problems.add(`${name} parameter '${printable(text)}' is not a date; write ${dateForms}`));
  const start = read('startDate', startText, entry.dates?.start ?? { daysAgo: 0 });
  const end = read('endDate', endText, entry.dates?.end ?? { daysAgo: 0 });
  if (start !== undefined && end !== undefined && start > end) {
    problems.add(
      `startDate parameter ${start}${startText === undefined ? ' (the default)' : ''} is after endDate ` +
        `${end}${endText === undefined ? ' (the default)' : ''}; give a startDate that is not later`,
    );
  }
  return { start: start ?? '', end: end ?? '' };
}

function readFilter(entry: ReportEntry, text: string, problems: Problems): Filter | undefined {
  try {
    return checkFilter(entry, parseFilter(text));
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return problems.add(`filter parameter '${printable(text)}' is not valid ${error.message}`);
  }
}

function filterFields(entry: ReportEntry): readonly Field[] {
  return [...entry.fields, ...(entry.queryOnly ?? [])].filter((field) => field.filter !== undefined);
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

function findField(fields: readonly Field[], name: string): Field | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => field.name.toLowerCase() === wanted);
}

function unknownField(entry: ReportEntry, written: string, verb: string, fields: readonly Field[]): string {
  const names = fields.map(({ name }) => name);
  const nearest = nearestName(written, names);
  const hint = nearest === undefined ? '' : `did you mean '${nearest}'? `;
  return `'${printable(written)}' cannot be ${verb} in ${entry.name}; ${hint}accepted: ${names.join(', ')}`;
}

function readGroupby(
  entry: ReportEntry,
  text: string | undefined,
  problems: Problems,
): readonly Field[] | undefined {
  if (text === undefined) return undefined;
  const fields = entry.fields.filter((field) => field.groupby);
  const found: Field[] = [];
  for (const item of text.split(',')) {
    if (problems.full) break;
    const field = findField(fields, item.trim());
    if (field === undefined)
      problems.add(`groupby parameter: ${unknownField(entry, item.trim(), 'grouped', fields)}`);
    else if (found.includes(field)) problems.add(`groupby parameter names '${field.name}' more than once`);
    else found.push(field);
  }
  return found;
}

function rowFields(
  entry: ReportEntry,
  level: Level | undefined,
  groupby: readonly Field[] | undefined,
): readonly Field[] {
  if (groupby === undefined) {
    return entry.fields.filter(
      ({ ungroupedLevels }) =>
        ungroupedLevels === undefined || level === undefined || ungroupedLevels.includes(level),
    );
  }
  return entry.fields.filter(
    (field) => field.alwaysReturned || field.role === 'measure' || groupby.includes(field),
  );
}

function readOrder(
  entry: ReportEntry,
  text: string | undefined,
  row: readonly Field[],
  problems: Problems,
): readonly OrderTerm[] {
  if (text === undefined) return [];
  const fields = entry.fields.filter((field) => field.orderby);
  const order: OrderTerm[] = [];
  let position = 1;
  for (const item of text.split(',')) {
    if (problems.full) break;
    const at = `orderby parameter at position ${position + (item.length - item.trimStart().length)}`;
    position += item.length + 1;
    const [name = '', direction, ...rest] = item.trim().split(/\s+/);
    const field = findField(fields, name);
    if (field === undefined) {
      problems.add(`${at}: ${unknownField(entry, name, 'sorted', fields)}`);
    } else if (rest.length > 0 || (direction !== undefined && !/^(?:asc|desc)$/i.test(direction))) {
      problems.add(`${at}: '${printable(item.trim())}' is not a field with asc or desc`);
    } else if (!row.includes(field)) {
      problems.add(`${at}: '${field.name}' is not in the grouped rows; name it in groupby too`);
    } else if (order.some((term) => term.field === field)) {
      problems.add(`${at}: '${field.name}' is named more than once`);
    } else {
      order.push({ field, descending: direction?.toLowerCase() === 'desc', spelt: direction !== undefined });
    }
  }
  return order;
}

function readPage(
  entry: ReportEntry,
  topText: string | undefined,
  skipText: string | undefined,
  problems: Problems,
): { top: number; skip: number } {
  const { paging } = entry;
  if (paging === undefined) return { top: entry.steps?.length ?? 0, skip: 0 };
  const top = readWhole(topText, paging.defaultTop);
  const skip = readWhole(skipText, 0);
  if (top !== undefined && top > paging.maxTop) {
    // To the letter of the one documented error.
    problems.add(`top parameter cannot be more than ${paging.maxTop}`);
  } else if (top === undefined || top < 1) {
    problems.add(
      `top parameter '${printable(topText ?? '')}' is not a whole number from 1 to ${paging.maxTop}`,
    );
  }
  if (skip === undefined) {
    problems.add(`skip parameter '${printable(skipText ?? '')}' is not a whole number from 0 up`);
  }
  return { top: top ?? 0, skip: skip ?? 0 };
}

function readWhole(text: string | undefined, missing: number): number | undefined {
  if (text === undefined) return missing;
  return /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

function readSnapshot(text: string | undefined, problems: Problems): number | undefined {
  if (text === undefined) return undefined;
  return (
    readWhole(text, 0) ??
    problems.add(`snapshot parameter '${printable(text)}' is not a number that this server handed out`)
  );
}
