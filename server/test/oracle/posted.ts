/** Rows as the tests post them, and the bodies of batches: JSON that keeps the digits of numbers. */

/** A JSON number by its text, so that no digit passes through a float. */
export class Num {
  constructor(readonly text: string) {}
}

/** A posted value; objects and lists are those of failures. */
export type PostedValue = string | boolean | null | Num | PostedRow | readonly PostedRow[];

/** A row as it is posted; an absent key, null and an empty text all mean missing. */
export interface PostedRow {
  readonly [key: string]: PostedValue;
}

/** JSON text of a posted value, digits of numbers kept. */
function valueText(value: PostedValue): string {
  if (value instanceof Num) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one: PostedRow) => valueText(one)).join(',')}]`;
  const pairs = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${valueText(part)}`);
  return `{${pairs.join(',')}}`;
}

/** Body of a batch as JSON: one object a line, or an array. */
export function bodyOf(rows: readonly PostedRow[], form: 'ndjson' | 'array'): string {
  const lines = rows.map((row) => valueText(row));
  return form === 'array' ? `[${lines.join(',')}]` : `${lines.join('\n')}\n`;
}
