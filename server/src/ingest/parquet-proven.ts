/**
 * Holds the texts of a Parquet file's dictionaries against the rules of their columns. A column all of whose texts are
 * good needs no check of its rows, and the few texts that are stored in another spelling are known by name: what the
 * engine would look for in every row, and plan functions for, is done here once per text.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { ParquetColumn } from './parquet-footer.js';
import { defaultMaxBytes, type Facts } from './rules.js';

/** What is known of a column whose texts are all good. */
export interface Proven {
  /** What is stored for texts that are not stored as they are; undefined if that hangs on other columns. */
  readonly corrections: readonly (readonly [given: string, stored: string])[] | undefined;
  /** Whether rows may lack a value that the column must have. */
  readonly mayLack: boolean;
}

/** Other columns that decide on what is stored. */
const deciding = (column: Column): readonly string[] => {
  if (typeof column.missing === 'object') return ['customCampaignId', 'referrerUriDomain'];
  return column.valuesWhenPresent === undefined ? [] : [column.valuesWhenPresent.column];
};

/** What is stored for a text, empty for a missing one; undefined if it is not surely good. */
type StoredText = (given: string, facts: Facts) => string | undefined;

/** How texts of a column are stored, if no other column decides; undefined for columns that have no rule of this kind. */
function storedText(column: Column): StoredText | undefined {
  const { required, only, maxBytes = defaultMaxBytes, kind = 'app' } = column;
  if (column.type === 'product' && column.depends === undefined) {
    return (given, { products }) => {
      if (given === '') return required ? undefined : '';
      return products.get(kind)?.get(asciiLower(given));
    };
  }
  if (column.type !== 'text') return undefined;
  const missing = typeof column.missing === 'object' ? 'Other' : String(column.missing ?? '');
  const listed = new Map((only ?? column.values ?? []).map((value) => [asciiLower(value), value]));
  return (given) => {
    if (given === '') return required ? undefined : (listed.get(asciiLower(missing)) ?? missing);
    if (Buffer.byteLength(given) > maxBytes || given.includes('\0')) return undefined;
    return listed.get(asciiLower(given)) ?? (only === undefined ? given : undefined);
  };
}

/** The columns of a file that are surely good, by name, out of the texts of those that have dictionaries. */
export function provenColumns(
  entry: DatasetEntry,
  columns: readonly ParquetColumn[],
  texts: ReadonlyMap<string, ReadonlySet<string>>,
  facts: Facts,
): ReadonlyMap<string, Proven> {
  const optional = new Set(columns.filter((one) => one.optional).map(({ name }) => name));
  const given = new Set(columns.map(({ name }) => name));
  const proven = new Map<string, Proven>();
  for (const column of entry.columns) {
    const own = texts.get(column.name);
    const storedOf = own === undefined ? undefined : storedText(column);
    if (own === undefined || storedOf === undefined) continue;
    const stored = [...own].map((text) => [text, storedOf(text, facts)] as const);
    const good = stored.flatMap(([text, as]) => (as === undefined ? [] : [[text, as] as const]));
    if (good.length < stored.length) continue;
    // What a row lacks is read as an empty text.
    const empty = optional.has(column.name) && !own.has('') ? storedOf('', facts) : undefined;
    if (empty !== undefined) good.push(['', empty]);
    const alone = !deciding(column).some((name) => given.has(name));
    proven.set(column.name, {
      corrections: alone ? good.filter(([text, as]) => text !== as) : undefined,
      mayLack: optional.has(column.name) && column.required === true,
    });
  }
  return proven;
}
