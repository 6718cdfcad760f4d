/**
 * Takes the rows of a small JSON body apart into values by column. The scanner has passed the body, so what stands where
 * is known, and rows of a body mostly have the same keys in the same order: 100 rows of 300 bytes take 0.1 ms of processor
 * time, while `JSON.parse` takes 0.16 and says nothing of keys that are given twice.
 */
import type { DatasetEntry } from '@storelens/contract';

/** A value of a flat row; undefined for null and for what is missing. */
export type JsonValue = string | number | boolean | undefined;

/** The values of a body by the place of their column in the dataset; each has one for every row. */
export type JsonColumns = readonly (readonly JsonValue[])[];

/** The keys of a dataset. */
interface Keys {
  readonly places: ReadonlyMap<string, number>;
  /** As they mostly stand before a value, by place. */
  readonly written: readonly string[];
}

const keysOfDatasets = new WeakMap<DatasetEntry, Keys>();

function keysOf(entry: DatasetEntry): Keys {
  let keys = keysOfDatasets.get(entry);
  if (keys === undefined) {
    const names = entry.columns.map(({ name }) => name);
    keys = {
      places: new Map(names.map((name, place) => [name, place])),
      written: names.map((name) => `"${name}":`),
    };
    keysOfDatasets.set(entry, keys);
  }
  return keys;
}

const [quote, backslash, comma, colon, closed, letter, zero] = [0x22, 0x5c, 0x2c, 0x3a, 0x7d, 0x61, 0x30];

/** The first character from a place on that is neither blank nor a comma or colon, or the end. */
function behindBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    // Of no character, at the end, the code is NaN.
    if (!(code <= 0x20 || code === comma || code === colon)) return at;
    at += 1;
  }
}

/** Where the text ends that begins behind a quote: the place of the other quote. */
function endOfText(text: string, from: number, escapes: boolean): number {
  let end = text.indexOf('"', from);
  while (escapes && isEscaped(text, end, from)) end = text.indexOf('"', end + 1);
  return end;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, at: number, from: number): boolean {
  let first = at;
  while (first > from && text.charCodeAt(first - 1) === backslash) first -= 1;
  return (at - first) % 2 === 1;
}

/**
 * The values of the rows of a body that the scanner passed and that has so many rows; undefined if a key is given twice
 * in a row, or for fewer rows.
 */
export function jsonColumns(entry: DatasetEntry, text: string, rows: number): JsonColumns | undefined {
  const { places, written } = keysOf(entry);
  const columns = written.map(() => new Array<JsonValue>(rows).fill(undefined));
  /** The last row that had a column, and the columns of the last row in their order. */
  const last = written.map(() => -1);
  const order: number[] = [];
  const escapes = text.includes('\\');
  let at = 0;
  for (let row = 0; row < rows; row += 1) {
    at = behindBlanks(text, text.indexOf('{', at) + 1);
    for (let member = 0; text.charCodeAt(at) !== closed; member += 1) {
      let place = order[member] ?? 0;
      const key = written[place] ?? '';
      if (text.startsWith(key, at)) at += key.length;
      else {
        const end = text.indexOf('"', at + 1);
        place = places.get(text.slice(at + 1, end)) ?? -1;
        order[member] = place;
        at = end + 1;
      }
      const column = columns[place];
      if (column === undefined || last[place] === row) return undefined;
      last[place] = row;
      at = behindBlanks(text, at);
      const code = text.charCodeAt(at);
      if (code === quote) {
        const end = endOfText(text, at + 1, escapes);
        const inside = text.slice(at + 1, end);
        column[row] =
          escapes && inside.includes('\\') ? (JSON.parse(text.slice(at, end + 1)) as string) : inside;
        at = end + 1;
      } else {
        const from = at;
        do at += 1;
        while (text.charCodeAt(at) > 0x20 && text.charCodeAt(at) !== comma && text.charCodeAt(at) !== closed);
        column[row] = literalIn(text, from, at, code);
      }
      at = behindBlanks(text, at);
    }
    at += 1;
  }
  return columns;
}

/** The number, boolean or null between two places. */
function literalIn(text: string, from: number, to: number, code: number): JsonValue {
  if (to === from + 1) return code - zero;
  if (code < letter) return Number(text.slice(from, to));
  return code === 0x6e ? undefined : code === 0x74;
}
