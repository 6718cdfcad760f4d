/**
 * Values of a column as they are stored, written for the engine's format `Native`: what `stored-values.ts` and
 * `row-check.ts` say in SQL, once more in JavaScript, for rows of small bodies. It refuses nothing: what it does not
 * surely know to be good it leaves to them. Rows are JSON that the scanner passed; a property test holds both
 * against each other.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { asciiLower } from '../body.js';
import type { ProductKind } from '../products/index.js';
import { PackedBytes } from './packed-bytes.js';
import { type BodyRows, isTrue, numberAt, type Places, TextValue } from './packed-rows.js';
import { instantText, momentOf, startOfDay } from './packed-times.js';
import { defaultMaxBytes, type Facts, guidPattern } from './rules.js';
import { rangeOf } from './stored-values.js';

/** What values are held against, and where new ids come from. */
export interface PackFacts extends Facts {
  readonly newGuid: () => string;
}

/**
 * Writes a value for each row out of the places of its column; others look at those of all columns too. False if one of
 * them is left to the engine.
 */
export type ColumnPacker = (
  places: Places | undefined,
  bytes: PackedBytes,
  facts: PackFacts,
  rows: BodyRows,
) => boolean;

/** How a column is packed, and its type as packed. */
export interface PackedColumn {
  readonly type: string;
  readonly pack: ColumnPacker;
}

const guid = new RegExp(guidPattern);

/** The text that is looked at; one after the other. */
const text = new TextValue();

/** Writes the value at each place of a column; once, and repeated, where no row has the column. False as soon as `write` is. */
function packEach(
  places: Places | undefined,
  bytes: PackedBytes,
  { count }: BodyRows,
  write: (place: number) => boolean,
): boolean {
  if (places === undefined) {
    // Half of the columns that a dataset has are in few bodies.
    if (!write(0)) return false;
    bytes.repeat(count);
    return true;
  }
  for (let row = 0; row < count; row += 1) if (!write(places[row] as number)) return false;
  return true;
}

/** Packs values one by one. `write` gets a place and is false for a value that is left to the engine. */
function each(
  type: string,
  write: (body: Buffer, place: number, bytes: PackedBytes, facts: PackFacts) => boolean,
): PackedColumn {
  return {
    type,
    pack: (places, bytes, facts, rows) =>
      packEach(places, bytes, rows, (place) => write(rows.body, place, bytes, facts)),
  };
}

/** A single text is packed here. */
const one = new PackedBytes();

/** A text as it is packed. */
function packedTextOf(value: string): Buffer {
  one.text(value);
  return one.take();
}

/** Packs texts as they are; the empty one as another. */
function asTheyAre(missing: string, required: boolean, mostBytes: number): PackedColumn {
  const packedMissing = packedTextOf(missing);
  return each('String', (body, place, bytes) => {
    const { length } = text.read(body, place);
    if ((required && length === 0) || length > mostBytes) return false;
    if (length === 0) bytes.copy(packedMissing, 0, packedMissing.length);
    else bytes.textOf(text.bytes, text.from, text.to);
    return true;
  });
}

/** What a text is stored as. */
interface Stored {
  readonly as: string;
  /** Whether it is one of a list, and may be remembered. */
  readonly listed: boolean;
}

/** A text of a list as it came in, and as it is packed. */
interface Known {
  readonly given: Buffer;
  readonly packed: Buffer;
}

/** Ways to write listed texts that are remembered, at most: upper and lower case mix in very many. */
const mostKnown = 4096;

/**
 * Packs texts of a list in its spelling. A body has each of them many times and the next one has them again, so they are
 * known by their bytes; other texts of senders are not kept.
 */
class Speller {
  #known = new Map<number, Known>();

  constructor(
    /** What a text is stored as; undefined if it is left to the engine. */
    readonly storedOf: (given: string) => Stored | undefined,
    readonly mostBytes: number,
  ) {}

  /** Writes a text in its stored spelling; false if it is left to the engine. */
  write(given: TextValue, bytes: PackedBytes): boolean {
    const known = this.#known.get(given.hash);
    if (known !== undefined && given.is(known.given)) {
      bytes.copy(known.packed, 0, known.packed.length);
      return true;
    }
    const stored = this.storedOf(given.toString());
    if (stored === undefined || given.length > this.mostBytes) return false;
    if (stored.listed) this.#keep(given, stored.as);
    bytes.text(stored.as);
    return true;
  }

  #keep(given: TextValue, as: string): void {
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(given.hash, { given: Buffer.from(given.toString()), packed: packedTextOf(as) });
  }
}

/** Packs texts of a list. */
function spelt(spellerOf: (facts: Facts) => Speller): PackedColumn {
  const pack: ColumnPacker = (places, bytes, facts, rows) => {
    const speller = spellerOf(facts);
    return packEach(places, bytes, rows, (place) => speller.write(text.read(rows.body, place), bytes));
  };
  return { type: 'String', pack };
}

/** Spells listed texts as they are listed and others as they are; the empty one as another. */
function spellerOf(
  values: readonly string[],
  missing: string,
  mostBytes: number,
  refused: (lower: string) => boolean = () => false,
): Speller {
  const known = new Map(values.map((value) => [asciiLower(value), value]));
  const otherwise = known.get(asciiLower(missing)) ?? missing;
  return new Speller((given) => {
    const lower = asciiLower(given);
    if (refused(lower)) return undefined;
    if (given === '') return { as: otherwise, listed: true };
    const listed = known.get(lower);
    return listed === undefined ? { as: given, listed: false } : { as: listed, listed: true };
  }, mostBytes);
}

/** Spellers of products, by the ids of an account's catalog. */
function productSpeller(kind: ProductKind, required: boolean): (facts: Facts) => Speller {
  const spellers = new WeakMap<object, Speller>();
  return ({ products }) => {
    const ids = products.get(kind) ?? noIds;
    let speller = spellers.get(ids);
    if (speller === undefined) {
      speller = new Speller((given) => {
        const as = given === '' && !required ? '' : ids.get(asciiLower(given));
        return as === undefined ? undefined : { as, listed: true };
      }, Number.POSITIVE_INFINITY);
      spellers.set(ids, speller);
    }
    return speller;
  };
}

const noIds: ReadonlyMap<string, string> = new Map();

/** Up to this, in millionths, an amount is exact as a double, and so is what a JSON number says. */
const exactAmount = 1e15;

const dayMilliseconds = 86_400_000;

/** How a column is packed; undefined for a kind of column that is left to the engine. */
export function packedColumn(entry: DatasetEntry, column: Column): PackedColumn | undefined {
  const required = column.required === true;
  switch (column.type) {
    case 'timestamp': {
      if (!required) return undefined;
      return each("DateTime64(3, 'UTC')", (body, place, bytes, { latest }) => {
        const moment = momentOf(text.read(body, place));
        if (!(moment >= 0 && moment <= latest)) return false;
        bytes.int64(moment);
        return true;
      });
    }
    case 'instant':
      return each('String', (body, place, bytes, { latest }) => {
        const moment = text.read(body, place).length === 0 ? undefined : momentOf(text);
        if (moment !== undefined && !(moment >= 0 && moment <= latest)) return false;
        bytes.text(moment === undefined ? '' : instantText(text, moment));
        return true;
      });
    case 'day': {
      if (!required) return undefined;
      return each('Date', (body, place, bytes, { latest }) => {
        const start = text.read(body, place).length === 10 ? startOfDay(text) : Number.NaN;
        if (!(start >= 0 && start <= latest)) return false;
        bytes.uint16(start / dayMilliseconds);
        return true;
      });
    }
    case 'guid': {
      const derived = typeof column.missing === 'object';
      const pack: ColumnPacker = (places, bytes, { newGuid }, { body, count }) => {
        for (let row = 0; row < count; row += 1) {
          const given = text.read(body, places?.[row] ?? 0).toString();
          if (given === '' ? required : !guid.test(given)) return false;
          bytes.text(given === '' && derived ? newGuid() : asciiLower(given));
        }
        return true;
      };
      return { type: 'String', pack };
    }
    case 'product':
      return column.depends === undefined ? spelt(productSpeller(column.kind ?? 'app', required)) : undefined;
    case 'integer': {
      const [least, greatest] = rangeOf(column);
      const missing = Number(column.missing ?? 0);
      return each('Int64', (body, place, bytes) => {
        const value = place > 0 ? numberAt(body, place, 0) : missing;
        if (place > 0 ? value < least || value > greatest : required) return false;
        bytes.int64(value);
        return true;
      });
    }
    case 'amount': {
      const missing = Number(column.missing ?? 0) * 1e6;
      return each('Decimal(18, 6)', (body, place, bytes) => {
        const value = place > 0 ? numberAt(body, place, 6) : missing;
        if (Math.abs(value) >= exactAmount || (required && place <= 0)) return false;
        bytes.int64(value);
        return true;
      });
    }
    case 'boolean': {
      const missing = column.missing === true;
      return each('Bool', (body, place, bytes) => {
        if (required && place <= 0) return false;
        bytes.byte((place > 0 ? isTrue(body, place) : missing) ? 1 : 0);
        return true;
      });
    }
    case 'text':
      return packedText(entry, column);
    case 'code':
    case 'object':
    case 'list':
      return undefined;
  }
}

function packedText(entry: DatasetEntry, column: Column): PackedColumn {
  const { only, valuesWhenPresent: other, maxBytes = defaultMaxBytes } = column;
  const required = column.required === true;
  if (typeof column.missing === 'object') return channel(entry, column, maxBytes);
  const [values, missing] = [only ?? column.values, String(column.missing ?? '')];
  if (values === undefined && other === undefined) return asTheyAre(missing, required, maxBytes);
  const accepted = only === undefined ? undefined : new Set(only.map(asciiLower));
  const refused = (lower: string) => (lower === '' ? required : accepted?.has(lower) === false);
  const speller = spellerOf(values ?? [], missing, maxBytes, refused);
  const plain = spelt(() => speller);
  if (other === undefined) return plain;
  // Where the other column is filled its spellings count: the two kinds of rows differ, so each row is looked at.
  const spellerWhenPresent = spellerOf(other.values, missing, maxBytes, refused);
  const otherPlace = placeOf(entry, other.column);
  const pack: ColumnPacker = (places, bytes, facts, rows) => {
    const present = rows.columns[otherPlace];
    if (present === undefined) return plain.pack(places, bytes, facts, rows);
    for (let row = 0; row < rows.count; row += 1) {
      const filled = text.read(rows.body, present[row] ?? 0).length > 0;
      text.read(rows.body, places?.[row] ?? 0);
      if (!(filled ? spellerWhenPresent : speller).write(text, bytes)) return false;
    }
    return true;
  };
  return { type: 'String', pack };
}

/** Where a column stands in its dataset. */
function placeOf(entry: DatasetEntry, name: string): number {
  const place = entry.columns.findIndex((column) => column.name === name);
  if (place < 0) throw new TypeError(`dataset ${entry.name} has no column ${name}`);
  return place;
}

/** The channel; when it is not given, the campaign counts before the referrer. */
function channel(entry: DatasetEntry, { values: listed = [] }: Column, mostBytes: number): PackedColumn {
  const speller = spellerOf(listed, 'Other', mostBytes);
  const campaign = placeOf(entry, 'customCampaignId');
  const referrer = placeOf(entry, 'referrerUriDomain');
  const pack: ColumnPacker = (places, bytes, _, { body, count, columns }) => {
    const [campaigns, referrers] = [columns[campaign], columns[referrer]];
    for (let row = 0; row < count; row += 1) {
      if (text.read(body, places?.[row] ?? 0).length > 0) {
        if (!speller.write(text, bytes)) return false;
      } else if (text.read(body, campaigns?.[row] ?? 0).length > 0) bytes.text('CustomCampaignId');
      else if (text.read(body, referrers?.[row] ?? 0).toString() === 'Universal Client Store') {
        bytes.text('Store Traffic');
      } else bytes.text('Other');
    }
    return true;
  };
  return { type: 'String', pack };
}
