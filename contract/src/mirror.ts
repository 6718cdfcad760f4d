/**
 * Which reports can be copied from another server of the API, and what is kept of their rows. Made from the entries
 * of reports and datasets, so that nothing is said twice; the tables' SQL is written by hand and held against this.
 */
import type { Column, DatasetEntry } from './dataset.js';
import { datasets } from './datasets/index.js';
import type { Field, ReportEntry } from './report.js';
import { reports } from './reports/index.js';

/** How a mirrored value is stored: `time` in UTC to the millisecond, `amount` as a decimal with 18 places. */
export type MirrorType = 'text' | 'integer' | 'amount' | 'boolean' | 'time';

/** A column of a mirror's table. */
export interface MirrorColumn {
  /** As the tables of the report's own sources name it; a measure by its field. */
  readonly name: string;
  /** Key of the wire's rows that gives the value. */
  readonly field: string;
  readonly type: MirrorType;
  readonly measure: boolean;
  /** Rows without the key are refused. */
  readonly required: boolean;
  /** What stands for a missing value. */
  readonly missing: string | number | boolean;
  /** Most UTF-8 bytes of a text. */
  readonly maxBytes: number;
  /** Field whose value stands for a missing one, because it is never less: of devices, the events that they had. */
  readonly atMost?: string;
  /** The only values that a text may have, in any case; absent: all. */
  readonly only?: readonly string[];
}

/** The mirror of one report: a table of its own, and a dataset of its own in the ledger. */
export interface MirrorTable {
  /** Of the table and of the dataset. */
  readonly name: string;
  readonly report: ReportEntry;
  /** `product`: a day is that of one product; `account`: of the whole account. */
  readonly scope: 'product' | 'account';
  readonly columns: readonly MirrorColumn[];
  /** Keys of the wire's rows that say nothing that is not known otherwise: names, constants. */
  readonly passedOver: readonly string[];
  /** Column that a field's former values are looked for in; always empty here. */
  readonly formerValues: string | undefined;
}

const types: Readonly<Partial<Record<Column['type'], MirrorType>>> = {
  integer: 'integer',
  amount: 'amount',
  boolean: 'boolean',
  timestamp: 'time',
};

const empty: Readonly<Record<MirrorType, string | number | boolean>> = {
  text: '',
  integer: 0,
  amount: 0,
  boolean: false,
  time: '',
};

const defaultMaxBytes = 4096;

const text = { type: 'text', measure: false, maxBytes: defaultMaxBytes } as const;

function datasetColumn(entry: ReportEntry, name: string): Column | undefined {
  return entry.sources
    .flatMap(({ table }) => datasets[table]?.columns ?? [])
    .find((column) => column.name === name);
}

function storedField(entry: ReportEntry, field: Field): MirrorColumn | undefined {
  const { name, origin, role, type, ungroupedOnly } = field;
  if (role === 'measure') {
    const required = field.alwaysReturned === true;
    const amount = type === 'decimal' ? 'amount' : 'integer';
    const column = {
      name,
      field: name,
      type: amount,
      measure: true,
      required,
      missing: 0,
      maxBytes: 0,
    } as const;
    const atMost = ungroupedOnly === true ? countOf(entry) : undefined;
    return atMost === undefined ? column : { ...column, atMost };
  }
  if (entry.steps !== undefined && role === 'dimension' && origin === undefined) {
    const only = entry.steps.map((step) => step.name);
    return { ...text, name, field: name, required: true, missing: '', only };
  }
  if (origin?.from !== 'column') return undefined;
  const column = datasetColumn(entry, origin.column);
  const stored = types[column?.type ?? 'text'] ?? 'text';
  const missing = column?.missing;
  return {
    name: origin.column,
    field: name,
    type: stored,
    measure: false,
    required: stored === 'time',
    missing: missing === undefined || typeof missing === 'object' ? empty[stored] : missing,
    maxBytes: column?.maxBytes ?? defaultMaxBytes,
  };
}

/** The measure of a report that counts all rows. */
function countOf({ fields, sources }: ReportEntry): string | undefined {
  const isCount = (name: string) => sources.every(({ measures }) => measures[name]?.aggregate === 'count');
  return fields.find(({ name, role }) => role === 'measure' && isCount(name))?.name;
}

function mirrorOf(entry: ReportEntry): MirrorTable {
  // No row of steps has what they are filtered by.
  const fields = [...entry.fields, ...((entry.steps === undefined && entry.queryOnly) || [])];
  const columns = fields.flatMap((field) => storedField(entry, field) ?? []);
  const stored = new Set(columns.map(({ field }) => field));
  return {
    name: `mirror_${entry.name.replaceAll('/', '_')}`,
    report: entry,
    scope: entry.identity.needs === 'one' ? 'product' : 'account',
    columns,
    passedOver: fields.map(({ name }) => name).filter((name) => !stored.has(name)),
    formerValues: [...fields, ...(entry.lookups ?? [])].find(({ formerValues }) => formerValues !== undefined)
      ?.formerValues,
  };
}

/** What stands before the slash in the name of a report on failures; '' for those of apps. */
export function programmeOf({ name }: Pick<ReportEntry, 'name'>): string {
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
}

/** Stacks and crash files that were copied, of all programmes: a row each. */
export const mirrorCrashes: DatasetEntry = {
  name: 'mirror_crashes',
  summary: 'Stacks and crash files that were copied from another server.',
  time: 'date',
  columns: [
    { name: 'programme', type: 'text', note: 'Whose failures.' },
    { name: 'scope', type: 'text', note: "The product; '' for the whole account." },
    { name: 'kind', type: 'text', note: 'stack or file.' },
    { name: 'name', type: 'text', note: 'The identifier that the source gives, in lower case.' },
    { name: 'date', type: 'day', note: 'Day of the failure.' },
    { name: 'stack', type: 'text', note: 'JSON list of frames.' },
    { name: 'cabBytes', type: 'integer', note: 'Size of the file.' },
    { name: 'fileId', type: 'text', note: 'Under which the store of files has it.' },
  ],
};

/** The mirrors by report name: of all reports whose rows belong to days, or can be asked for by the day. */
export const mirrorTables: Readonly<Record<string, MirrorTable>> = Object.fromEntries(
  Object.values(reports)
    .filter(({ kind }) => kind === 'grouped' || kind === 'records' || kind === 'steps')
    .map((entry) => [entry.name, mirrorOf(entry)]),
);
