/**
 * Rows as a chart of text: bars for a grouping, the longest first; a line over time for dates. Values of one measure are
 * added up per label. The width is that of the terminal; plain characters where drawing ones are not wanted.
 */
import { harmless } from '../output.js';
import { cut, padded, widthOf } from '../width.js';
import type { Row } from './delimited.js';

/** What to draw and how wide. */
export interface ChartOptions {
  /** Field whose values are the labels; `date` draws a line. */
  readonly by: string;
  readonly measure: string;
  /** Width of the buckets of time: `day`, `week`, `month` or `hour`; undefined: `day`. */
  readonly level?: string | undefined;
  /** Whether the values are parts of a whole: then bars tell their shares. */
  readonly whole: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  readonly plain: boolean;
}

/** Bars beyond these are added up in one. */
const mostBars = 20;
const height = 10;
/** Below this a bar says nothing; the shares make room for it. */
const leastRoom = 8;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const lower = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const shown = (value: number) =>
  value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });

const longest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, widthOf(text)), 0);

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

/** Refunds and corrections make sums negative: their bars go to the left of those that do not, and shares say nothing. */
function bars(sums: ReadonlyMap<string, number>, { width, plain, whole }: ChartOptions): string {
  const sorted = [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const few = sorted.length > mostBars ? largest(sorted) : sorted;
  const others = sorted.filter((one) => !few.includes(one));
  const other = [`${others.length} others`, others.reduce((sum, [, value]) => sum + value, 0)] as const;
  const drawn = others.length === 0 ? few : [...few, other];
  const total = sorted.reduce((sum, [, value]) => sum + value, 0);
  const labels = drawn.map(([label]) =>
    cut(label === '' ? '(none)' : harmless(label), Math.floor(width / 3)),
  );
  const values = drawn.map(([, value]) => shown(value));
  const most = Math.max(...drawn.map(([, value]) => value), 0);
  const least = Math.min(...drawn.map(([, value]) => value), 0);
  const [labelWidth, valueWidth] = [longest(labels), longest(values)];
  const all = width - labelWidth - valueWidth - 4;
  const given = drawn.map(([, value]) =>
    !whole || total <= 0 || least < 0 ? '' : `${((100 * value) / total).toFixed(1)}%`,
  );
  const shares = all - longest(given) - 2 < leastRoom ? given.map(() => '') : given;
  const shareWidth = longest(shares);
  const room = Math.max(5, all - (shareWidth === 0 ? 0 : shareWidth + 2));
  const left =
    least === 0 ? 0 : Math.min(room - 1, Math.max(1, Math.round((room * -least) / (most - least))));
  const unit = Math.max(most / Math.max(1, room - left), left === 0 ? 0 : -least / left);
  return drawn
    .map(([, value], index) => {
      const length = unit === 0 ? 0 : Math.abs(value) / unit;
      const bar = plain ? '#'.repeat(Math.round(length)) : solid(value < 0 ? Math.round(length) : length);
      const cells = [
        padded(labels[index] ?? '', labelWidth),
        padded(value < 0 ? bar.padStart(left) : ' '.repeat(left) + bar, room),
        padded(values[index] ?? '', valueWidth, 'right'),
        padded(shares[index] ?? '', shareWidth, 'right'),
      ];
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** Those that are drawn each for itself, in the same order: the largest, whether gains or losses. */
function largest(sorted: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  const chosen = new Set(
    [...sorted].sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)).slice(0, mostBars - 1),
  );
  return sorted.filter((one) => chosen.has(one));
}

function solid(length: number): string {
  const whole = Math.floor(length);
  return '█'.repeat(whole) + (eighths[Math.floor((length - whole) * 8)] ?? '');
}

/** A column a date, or a mean of neighbours where there are more dates than columns. */
function line(sums: ReadonlyMap<string, number>, { width, plain, level }: ChartOptions): string {
  const dates = everyDate([...sums.keys()], level);
  const values = dates.map((date) => sums.get(date) ?? 0);
  const most = values.reduce((greatest, value) => Math.max(greatest, value), 0);
  const least = values.reduce((smallest, value) => Math.min(smallest, value), 0);
  const down =
    least === 0
      ? 0
      : Math.min(
          most === 0 ? height : height - 1,
          Math.max(1, Math.round((height * -least) / (most - least))),
        );
  const up = height - down;
  const unit = Math.max(up === 0 ? 0 : most / up, down === 0 ? 0 : -least / down);
  // Where nothing is below zero the middle has a mark of its own.
  const marks = new Map([
    [up === 0 ? 0 : up - 1, '0'],
    ...(down === 0 ? [[height / 2, shown(most / 2)] as const] : [[height - 1, shown(-unit * down)] as const]),
    ...(up === 0 ? [] : [[0, shown(unit * up)] as const]),
  ]);
  const axisWidth = longest([...marks.values()]);
  const room = Math.max(10, width - axisWidth - 3);
  const count = Math.min(room, values.length);
  const columns = Array.from({ length: count }, (_, index) => {
    const at = (column: number) => Math.floor((column * values.length) / count);
    const part = values.slice(at(index), at(index + 1));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const stretch = Math.max(1, Math.floor(room / columns.length));
  const lines = Array.from({ length: height }, (_, row) => {
    const drawn = columns
      .map((value) => {
        const filled = row < up ? value / unit - (up - 1 - row) : -value / unit - (row - up);
        return (filled > 0 ? mark(filled, row < up, plain) : ' ').repeat(stretch);
      })
      .join('');
    return `${(marks.get(row) ?? '').padStart(axisWidth)} ${plain ? '|' : '┤'} ${drawn}`.trimEnd();
  });
  const [first = '', last = ''] = [dates[0], dates.at(-1)];
  const ends = `${first}${last.padStart(Math.max(first.length + 1 + last.length, columns.length * stretch) - first.length)}`;
  lines.push(`${' '.repeat(axisWidth + 3)}${first === last ? first : ends}`);
  return lines.map((text) => `${text}\n`).join('');
}

/** A cell that is filled so far, from below or, under zero, from above. */
function mark(filled: number, above: boolean, plain: boolean): string {
  if (plain) return filled >= 0.5 ? '#' : '.';
  if (!above) return filled >= 0.75 ? '█' : '▀';
  return lower[Math.min(7, Math.max(0, Math.ceil(filled * 8) - 1))] ?? ' ';
}

const day = 86_400_000;
/** Dates that a chart has room for, and some: beyond these gaps are not filled. */
const mostDates = 100_000;

/** All dates from the first to the last, those without rows too: nothing was counted then. */
function everyDate(dates: readonly string[], level: string | undefined): readonly string[] {
  const sorted = [...dates].sort();
  const [first = '', last = ''] = [sorted[0], sorted.at(-1)];
  const hours = level === 'hour';
  if (!sorted.every((date) => (hours ? /^\d{4}-\d\d-\d\d \d\d:/ : /^\d{4}-\d\d-\d\d$/).test(date)))
    return sorted;
  const text = (time: Date) =>
    hours ? time.toISOString().slice(0, 19).replace('T', ' ') : time.toISOString().slice(0, 10);
  const all = new Set(sorted);
  let time = new Date(hours ? `${first.replace(' ', 'T')}Z` : first);
  if (Number.isNaN(time.getTime())) return sorted;
  while (text(time) < last && all.size < mostDates) {
    all.add(text(time));
    time = following(time, level);
  }
  return [...all].sort();
}

/** The beginning of the next bucket: the first one may be cut. */
function following(time: Date, level: string | undefined): Date {
  if (level === 'month') return new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1, 1));
  if (level === 'week') return new Date(time.getTime() + (7 - ((time.getUTCDay() + 6) % 7)) * day);
  return new Date(time.getTime() + (level === 'hour' ? day / 24 : day));
}
