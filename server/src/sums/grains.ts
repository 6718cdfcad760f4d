/**
 * The full grains of reports: which rows of which table an answer without groupby has, so that they can be counted in
 * advance. Only those that later commits add to and take nothing from: grouped rows of one table whose rows add. A
 * grain is named by what it consists of; reports that change have another one, and what was counted for the old one is
 * not read any longer.
 */
import { type Condition, datasets, type ReportEntry, reports } from '@storelens/contract';

/** The rows of one product and day that are different in an answer. */
export interface Grain {
  /** Also the mark of its counts in the registry. */
  readonly name: string;
  readonly table: string;
  readonly where: readonly Condition[];
  /** Rows are different where one of these columns is, in alphabetical order. */
  readonly columns: readonly string[];
}

/** The grain of rows of a table that differ in some columns, whatever their order. */
export function grainOf(table: string, where: readonly Condition[], columns: readonly string[]): Grain {
  const sorted = [...new Set(columns)].sort();
  const name = `rows of ${table} ${JSON.stringify(where)} by ${sorted.join(' ')}`;
  return { name, table, where, columns: sorted };
}

/** The grain of a report's days, without groupby and with one product; undefined: it is none that can be counted. */
function fullGrain({ kind, sources, identity, fields }: ReportEntry): Grain | undefined {
  const [source, ...others] = sources;
  const dataset = datasets[source?.table ?? ''];
  if (kind !== 'grouped' || source === undefined || others.length > 0 || dataset === undefined)
    return undefined;
  if (dataset.replaces !== undefined || dataset.supersedable === true) return undefined;
  if (!identity.parameters.some(({ name }) => name === 'applicationId')) return undefined;
  const columns = fields.flatMap(({ role, origin }) =>
    role !== 'measure' && origin?.from === 'column' && origin.column !== 'applicationId'
      ? [origin.column]
      : [],
  );
  return grainOf(source.table, source.where, columns);
}

/** All grains that are counted, by name. */
export const grains: ReadonlyMap<string, Grain> = new Map(
  Object.values(reports)
    .map(fullGrain)
    .flatMap((grain) => (grain === undefined ? [] : [[grain.name, grain]])),
);
