/**
 * Rows as a chart of text: bars for a grouping, the longest first; a line over time for dates. Values of one measure are
 * added up per label. The width is that of the terminal; plain characters where drawing ones are not wanted.
 */
import type { Row } from './delimited.js';

/** What to draw and how wide, in characters. */
export interface ChartOptions {
  /** Field whose values are the labels; `date` draws a line. */
  readonly by: string;
  readonly measure: string;
  readonly width: number;
  readonly plain: boolean;
}

/** Bars beyond these are added up in one. */
const mostBars = 20;
const height = 10;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const lower = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const shown = (value: number) =>
  value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });

/** The chart as lines; says so where there is nothing to draw. */
export function chart(rows: readonly Row[], options: ChartOptions): string {
  const sums = new Map<string, number>();
  for (const row of rows) {
    const label = String(row[options.by] ?? '');
    sums.set(label, (sums.get(label) ?? 0) + Number(row[options.measure] ?? 0));
  }
  if (sums.size === 0) return 'no rows\n';
  return options.by === 'date' ? line(sums, options) : bars(sums, options);
}

function bars(sums: ReadonlyMap<string, number>, { width, plain }: ChartOptions): string {
  const sorted = [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const few = sorted.slice(0, sorted.length > mostBars ? mostBars - 1 : mostBars);
  const others = sorted.slice(few.length);
  const other = [`${others.length} others`, others.reduce((sum, [, value]) => sum + value, 0)] as const;
  const drawn = others.length === 0 ? few : [...few, other];
  const total = sorted.reduce((sum, [, value]) => sum + value, 0);
  const labels = drawn.map(([label]) =>
    cut(label === '' ? '(none)' : printable(label), Math.floor(width / 3)),
  );
  const values = drawn.map(([, value]) => shown(value));
  const shares = drawn.map(([, value]) => (total === 0 ? '' : `${((100 * value) / total).toFixed(1)}%`));
  const longest = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
  const [labelWidth, valueWidth, shareWidth] = [longest(labels), longest(values), longest(shares)];
  const room = Math.max(5, width - labelWidth - valueWidth - shareWidth - 6);
  const most = Math.max(...drawn.map(([, value]) => value), 0);
  return drawn
    .map(([, value], index) => {
      const length = most <= 0 ? 0 : (Math.max(0, value) / most) * room;
      const bar = plain ? '#'.repeat(Math.round(length)) : solid(length);
      return `${(labels[index] ?? '').padEnd(labelWidth)}  ${bar.padEnd(room)}  ${(values[index] ?? '').padStart(valueWidth)}  ${(shares[index] ?? '').padStart(shareWidth)}`.trimEnd();
    })
    .map((text) => `${text}\n`)
    .join('');
}

function solid(length: number): string {
  const whole = Math.floor(length);
  return '█'.repeat(whole) + (eighths[Math.floor((length - whole) * 8)] ?? '');
}

/** A column a date, or a mean of neighbours where there are more dates than columns. */
function line(sums: ReadonlyMap<string, number>, { width, plain }: ChartOptions): string {
  const dates = [...sums.keys()].sort();
  const values = dates.map((date) => sums.get(date) ?? 0);
  const most = Math.max(...values, 0);
  const axis = [shown(most), shown(most / 2), '0'];
  const axisWidth = Math.max(...axis.map((text) => text.length));
  const room = Math.max(10, width - axisWidth - 3);
  const count = Math.min(room, values.length);
  const columns = Array.from({ length: count }, (_, index) => {
    const at = (column: number) => Math.floor((column * values.length) / count);
    const part = values.slice(at(index), at(index + 1));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const stretch = Math.max(1, Math.floor(room / columns.length));
  const lines = Array.from({ length: height }, (_, row) => {
    const floor = ((height - 1 - row) * most) / height;
    const cells = columns.map((value) => {
      const filled = most === 0 ? 0 : ((value - floor) * height) / most;
      if (filled <= 0) return ' ';
      if (plain) return filled >= 0.5 ? '#' : '.';
      return lower[Math.min(7, Math.max(0, Math.ceil(filled * 8) - 1))] ?? ' ';
    });
    const label = row === 0 ? axis[0] : row === height / 2 ? axis[1] : row === height - 1 ? axis[2] : '';
    const drawn = cells.map((cell) => cell.repeat(stretch)).join('');
    return `${(label ?? '').padStart(axisWidth)} ${plain ? '|' : '┤'} ${drawn}`.trimEnd();
  });
  const [first = '', last = ''] = [dates[0], dates.at(-1)];
  const ends = `${first}${last.padStart(Math.max(first.length + last.length, columns.length * stretch) - first.length)}`;
  lines.push(`${' '.repeat(axisWidth + 3)}${first === last ? first : ends}`);
  return lines.map((text) => `${text}\n`).join('');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 3))}...`;
}

function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '\u{fffd}');
}
