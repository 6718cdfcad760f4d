/** Prints answers: JSON as the server gave it, or aligned text that cannot drive a terminal. */
import type { Context, Input } from './command.js';
import { padded, widthOf } from './width.js';

/** An object as the server answers it. */
export type Row = Readonly<Record<string, unknown>>;

/** Prints one object: a line per field. */
export function printObject(input: Input, { out }: Context, object: Row): void {
  if (input.flag('json')) {
    out.write(`${JSON.stringify(object)}\n`);
    return;
  }
  const fields = Object.entries(object).map(([name, value]) => [name, cell(value)]);
  out.write(aligned(fields));
}

/** Prints a list: a line per object under a line of column names; `--json` prints one array. */
export function printList(
  input: Input,
  { out }: Context,
  rows: readonly Row[],
  columns: readonly string[],
): void {
  if (input.flag('json')) {
    out.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const heads = columns.map((column) => column.replace(/[A-Z]/g, ' $&').toUpperCase());
  out.write(aligned([heads, ...rows.map((row) => columns.map((column) => cell(row[column])))]));
}

/** Lines of cells with each column as wide as its widest cell. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines) {
    line.forEach((text, index) => {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(text));
    });
  }
  return lines
    .map((line) => {
      const cells = line.map((text, index) => padded(text, widths[index] ?? 0));
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return harmless(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A text of others without what drives a terminal or turns its line around. */
export function harmless(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, '\u{fffd}');
}

/** The same of several lines, which stay lines. */
export function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

/** Says what a service remarks in `Storelens-Notice`, on standard error. */
export function tellNotice({ err }: Context, notice: string): void {
  err.write(`note: ${harmless(notice)}\n`);
}
