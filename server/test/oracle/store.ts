/**
 * What an account has stored, for the oracle: ingested rows with the number of their commit, with missing values,
 * listed spellings, registry spellings of product ids and derived channels applied, and replacement at a snapshot.
 * Written from the contract alone; shares nothing with the server but the dataset entries.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { rowDay } from './dates.js';
import { millionths } from './decimal.js';
import { completeFailure, type Frame, hashOf } from './failures.js';
import { type Cell, fold } from './filter.js';
import { Num, type PostedRow, type PostedValue } from './posted.js';

/** A product of the account, as registered. */
export interface OracleProduct {
  readonly id: string;
  readonly kind: 'app' | 'addon' | 'desktop' | 'driver';
  readonly parentId: string | null;
  readonly name: string;
}

/** A stored row: its values by column, the UTC day of the event, and where it came from. */
export interface StoredRow {
  /** Two of them are filled in later: the random ids of failures. */
  readonly cells: Map<string, Cell>;
  readonly day: number;
  /** The event's whole second since 1970; midnight where only the day is known. */
  readonly second: number;
  /** Frames of a failure, innermost first. */
  readonly frames: readonly Frame[];
  /** Whether a crash file is stored with it. */
  readonly hasFile: boolean;
  /** Number of the commit whose row took the place of this one; 0 without. */
  supersededBy: number;
  /** Hashes that a failure had before it was renamed, in lower case. */
  readonly formerHashes: readonly string[];
  readonly seq: number;
  readonly line: number;
  /** Equal for rows that replace each other; empty where rows add. */
  readonly key: string;
}

/** What is read of a crash file of a program: its name, if none was given, and its stack. */
export interface CrashStack {
  readonly failureName: string;
  readonly frames: readonly Frame[];
}

/** The cells and frames of a failure by its crash file; a name that was given stays. */
function named(
  { cells }: StoredRow,
  { failureName, frames }: CrashStack,
  keepsName: boolean,
): Pick<StoredRow, 'cells' | 'frames'> {
  const next = new Map(cells);
  // The symbol is the name's place.
  next.set('symbol', failureName.replace(/^.*_(?=\w+!)/, ''));
  if (!keepsName) next.set('failureName', failureName).set('failureHash', hashOf(failureName, 'um'));
  return { cells: next, frames };
}

/** The UTC day number of an ISO 8601 time with zone. */
export function dayOfTime(text: string): number {
  return Math.floor(secondOfTime(text) / 86_400);
}

/** The whole second since 1970 of an ISO 8601 time with zone. */
export function secondOfTime(text: string): number {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) throw new Error(`unreadable time ${text}`);
  return Math.floor(milliseconds / 1000);
}

/** An ISO 8601 time with zone as UTC with seven fraction digits and Z. */
export function instantText(text: string): string {
  const fraction = /\.(\d{1,7})/.exec(text)?.[1] ?? '';
  const whole = new Date(Date.parse(text.replace(/\.\d+/, ''))).toISOString().slice(0, 19);
  return `${whole}.${fraction.padEnd(7, '0')}Z`;
}

/** One account's data. Commits are numbered from 1 in the order of `ingest` calls. */
export class Store {
  /** Rows by dataset and application, in the order in which they came. */
  private readonly tables = new Map<string, Map<string, StoredRow[]>>();
  private last = 0;

  constructor(
    readonly products: readonly OracleProduct[],
    private readonly datasets: Readonly<Record<string, DatasetEntry>>,
    readonly sellerId = '',
  ) {}

  /** Number of the last commit. */
  get commits(): number {
    return this.last;
  }

  /** The product with this id, in any letter case. */
  product(id: string): OracleProduct | undefined {
    return this.products.find((product) => fold(product.id) === fold(id));
  }

  /** Adds a batch as the next commit and returns its number. */
  ingest(dataset: string, rows: readonly PostedRow[]): number {
    const entry = this.datasets[dataset];
    if (entry === undefined) throw new Error(`no dataset ${dataset}`);
    this.last += 1;
    for (const [index, posted] of rows.entries()) {
      this.add(dataset, this.stored(entry, posted, this.last, index + 1));
    }
    return this.last;
  }

  private add(dataset: string, row: StoredRow): void {
    const table = this.tables.get(dataset) ?? new Map<string, StoredRow[]>();
    this.tables.set(dataset, table);
    const application = String(row.cells.get('applicationId'));
    const list = table.get(application);
    if (list === undefined) table.set(application, [row]);
    else list.push(row);
  }

  /**
   * Adds a failure that came with its crash file, as the next commit: with the ids that the server told, and what is
   * read of its file.
   */
  crash(
    event: PostedRow,
    ids: { readonly cabId?: string; readonly cabIdHash?: string },
    stack?: CrashStack,
  ): StoredRow {
    const entry = this.datasets.failures;
    if (entry === undefined) throw new Error('no failures');
    this.last += 1;
    const plain = { ...this.stored(entry, event, this.last, 1), hasFile: true };
    const keeps = typeof event.failureName === 'string';
    const row = stack === undefined ? plain : { ...plain, ...named(plain, stack, keeps) };
    for (const key of ['cabId', 'cabIdHash'] as const) row.cells.set(key, ids[key] ?? '');
    this.add('failures', row);
    return row;
  }

  /**
   * Reads all crash files once more, as the next commit: rows that come out different take the place of those there
   * are. A hash that changes joins the former ones, and one that comes back leaves them. `keeps` tells rows whose name
   * was given. Returns how many changed; if none did, there is no commit.
   */
  reread(stack: CrashStack, keeps: (row: StoredRow) => boolean): number {
    const looks = ({ cells, frames }: Pick<StoredRow, 'cells' | 'frames'>): string =>
      JSON.stringify([cells.get('failureName'), cells.get('symbol'), frames]);
    const seq = this.last + 1;
    const changed = this.rows('failures', this.last).flatMap((row) => {
      const next = { ...row, seq, ...named(row, stack, keeps(row)) };
      return row.hasFile && looks(row) !== looks(next) ? [{ row, next }] : [];
    });
    if (changed.length === 0) return 0;
    this.last = seq;
    for (const { row, next } of changed) {
      row.supersededBy = seq;
      const was = fold(String(row.cells.get('failureHash')));
      const is = fold(String(next.cells.get('failureHash')));
      const former = row.formerHashes.filter((hash) => hash !== was && hash !== is);
      this.add('failures', { ...next, formerHashes: was === is ? row.formerHashes : [...former, was] });
    }
    return changed.length;
  }

  /** Rows of a dataset at a snapshot, replaced ones left out; those of one application, or of all. */
  rows(dataset: string, snapshot: number, application?: string): readonly StoredRow[] {
    const table = this.tables.get(dataset);
    const lists = application === undefined ? [...(table?.values() ?? [])] : [table?.get(application) ?? []];
    const seen = lists
      .flat()
      .filter(({ seq, supersededBy }) => seq <= snapshot && (supersededBy === 0 || supersededBy > snapshot));
    if (this.datasets[dataset]?.replaces === undefined) return seen;
    // Later rows come later in the list, so the last one of a key stays.
    return [...new Map(seen.map((row) => [row.key, row])).values()];
  }

  private stored(entry: DatasetEntry, row: PostedRow, seq: number, line: number): StoredRow {
    const cells = new Map<string, Cell>();
    let second: number | undefined;
    for (const column of entry.columns) {
      const given = row[column.name];
      const value = given === undefined || given === '' ? null : given;
      if (column.type === 'object' || column.type === 'list') continue;
      if (column.name === entry.time) {
        if (typeof value !== 'string') throw new Error(`row without ${entry.time}`);
        second = secondOfTime(value);
      } else if (column.type === 'timestamp' || column.type === 'day') {
        throw new Error(`${entry.name} has a second time ${column.name}`);
      } else if (value !== null) cells.set(column.name, this.cell(column, value, row));
      else if (typeof column.missing !== 'object') cells.set(column.name, missing(column, column.missing));
    }
    for (const column of entry.columns) {
      if (cells.has(column.name) || column.name === entry.time) continue;
      if (column.type === 'object' || column.type === 'list') continue;
      if (typeof column.missing === 'object' && column.missing.derived === 'channel') {
        cells.set(column.name, channel(cells));
      } else throw new Error(`${entry.name} row without ${column.name}: the oracle cannot guess it`);
    }
    if (second === undefined) throw new Error(`row without ${entry.time}`);
    const day = Math.floor(second / 86_400);
    const frames = entry.completed === 'failure' ? completeFailure(row, cells) : [];
    const parts = entry.replaces?.map((name) =>
      name === entry.time ? rowDay(day) : String(cells.get(name)),
    );
    return {
      cells,
      day,
      second,
      frames,
      hasFile: false,
      supersededBy: 0,
      formerHashes: [],
      seq,
      line,
      key: JSON.stringify(parts ?? ''),
    };
  }

  private cell(column: Column, value: Exclude<PostedValue, null>, row: PostedRow): Cell {
    switch (column.type) {
      case 'text': {
        if (typeof value !== 'string') throw new Error(`${column.name}: no text`);
        const other = column.valuesWhenPresent;
        const present = other !== undefined && (row[other.column] ?? '') !== '';
        const listed = (present ? other.values : (column.only ?? column.values)) ?? [];
        return listed.find((spelling) => fold(spelling) === fold(value)) ?? value;
      }
      case 'guid':
        return fold(String(value));
      case 'instant':
        return instantText(String(value));
      case 'product': {
        const product = this.product(String(value));
        if (product === undefined) throw new Error(`${column.name}: no product ${String(value)}`);
        return product.id;
      }
      case 'integer':
        if (!(value instanceof Num)) throw new Error(`${column.name}: no number`);
        return BigInt(value.text);
      case 'amount':
        if (!(value instanceof Num)) throw new Error(`${column.name}: no number`);
        return millionths(value.text);
      case 'boolean':
        return value === true;
      default:
        throw new Error(`${column.name}: ${column.type}`);
    }
  }
}

function missing(column: Column, given: string | number | boolean | undefined): Cell {
  switch (column.type) {
    case 'integer':
      return BigInt(Number(given ?? 0));
    case 'amount':
      return millionths(String(given ?? 0));
    case 'boolean':
      return given === true;
    default:
      return String(given ?? '');
  }
}

function channel(cells: ReadonlyMap<string, Cell>): string {
  if (cells.get('customCampaignId') !== '') return 'CustomCampaignId';
  return cells.get('referrerUriDomain') === 'Universal Client Store' ? 'Store Traffic' : 'Other';
}
