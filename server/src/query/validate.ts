/**
 * Parameters against a report entry: what is asked, fully typed, or a refusal that names every problem. Decides
 * defaults, reads dates, the filter's names and literals, groupby and orderby. Knows no SQL and touches no data;
 * products are looked up last, so that a bad request reads the same whoever sends it.
 */
import type { Field, Level, ReportEntry } from '@storelens/contract';
import { Failure } from '../failure.js';
import type { AccountProducts, Product } from '../products/index.js';
import { type Filter, readFilter } from './check-filter.js';
import { type LookupValue, readLookups } from './lookups.js';
import { type Parameters, parseParameters, printable } from './parse.js';
import { findField, Problems, unknownField } from './problems.js';
import { type Range, readLevel, readRange } from './range.js';
import { type RowKeys, type RowShape, rowKeys } from './row-shape.js';

/** One term of an order. */
export interface OrderTerm {
  readonly field: Field;
  readonly descending: boolean;
  /** Whether the request spelt the direction out, for the next link. */
  readonly spelt: boolean;
}

/** A fully checked request, with its range as asked. */
export interface Question extends Range, RowKeys {
  readonly entry: ReportEntry;
  /** Undefined for reports without levels. */
  readonly level: Level | undefined;
  /** Products the rows must belong to; empty: the whole account. */
  readonly products: readonly {
    readonly column: 'applicationId' | 'inAppProductId';
    readonly product: Product;
  }[];
  /** Required parameters besides the product. */
  readonly lookups: readonly LookupValue[];
  /** Why no row can match, if a product is of another kind. */
  readonly mismatch: string | undefined;
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  /** Undefined: no groupby was given. */
  readonly groupby: readonly Field[] | undefined;
  /** As asked; empty: the default order. */
  readonly order: readonly OrderTerm[];
  readonly top: number;
  readonly skip: number;
  /** Whether the request has a `top` of its own. */
  readonly topGiven: boolean;
  readonly snapshot: number | undefined;
  /** Names of ignored parameters. */
  readonly ignored: readonly string[];
}

/**
 * Checks a request. `now` is the current time in milliseconds, `shape` the form that rows shall have. Throws
 * `invalid-parameters` or `forbidden`.
 */
export function validate(
  rawQuery: string,
  entry: ReportEntry,
  catalog: AccountProducts,
  now: number,
  shape: RowShape = '2018',
): Question {
  const parameters = parseParameters(rawQuery, entry);
  const problems = new Problems(parameters.problems);
  const value = (name: Parameters['ignored'][number]) => parameters.values.get(name);

  const ids = identityValues(entry, parameters, problems);
  const lookups = readLookups(entry, parameters, problems);
  const level = readLevel(entry, value('aggregationLevel'), problems);
  const range = readRange(entry, level, value('startDate'), value('endDate'), now, problems);
  const filterText = value('filter');
  const filter = filterText === undefined ? undefined : readFilter(entry, filterText, problems);
  const groupby = readGroupby(entry, value('groupby'), problems);
  const keys = rowKeys(entry, level, groupby, shape);
  const order = readOrder(entry, value('orderby'), keys.row, shape, problems);
  const { top, skip } = readPage(entry, value('top'), value('skip'), problems);
  const snapshot = readSnapshot(value('snapshot'), problems);
  if (problems.sentences.length > 0) throw new Failure('invalid-parameters', problems.sentences);

  return {
    entry,
    level,
    ...range,
    lookups,
    filter,
    filterText,
    groupby,
    ...keys,
    order,
    top,
    skip,
    topGiven: value('top') !== undefined,
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

function readOrder(
  entry: ReportEntry,
  text: string | undefined,
  row: readonly Field[],
  shape: RowShape,
  problems: Problems,
): readonly OrderTerm[] {
  if (text === undefined) return [];
  const fields = [...entry.fields, ...(entry.queryOnly ?? [])].filter((field) => field.orderby);
  // A record has values that it does not print; groups have none but their keys.
  const sortable = (field: Field) => row.includes(field) || entry.kind === 'records';
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
    } else if (!sortable(field)) {
      const where = shape === '2018' ? 'in the grouped rows' : 'in the rows';
      const otherwise = shape === '2018' ? 'leave groupby out to sort by it' : 'no row of this server has it';
      problems.add(
        `${at}: '${field.name}' is not ${where}; ${field.groupby ? 'name it in groupby too' : otherwise}`,
      );
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

/** More than any number of rows or commits, and exact as a number; what is written larger counts as this. */
const largest = 999_999_999_999_999;

function readWhole(text: string | undefined, missing: number): number | undefined {
  if (text === undefined) return missing;
  return /^\d+$/.test(text.trim()) ? Math.min(Number(text.trim()), largest) : undefined;
}

function readSnapshot(text: string | undefined, problems: Problems): number | undefined {
  if (text === undefined) return undefined;
  return (
    readWhole(text, 0) ??
    problems.add(`snapshot parameter '${printable(text)}' is not a number that this server handed out`)
  );
}
