/**
 * The form of an answer by the `Accept` header: JSON pages, or a whole result as CSV, NDJSON or Parquet. JSON is what
 * everybody gets who does not ask for something else by name: no header, any type, what browsers send, and types that
 * there are not, because Microsoft's service has JSON alone and looks at no header.
 */
import type { Form } from '../query/index.js';

/** What an answer can be: a page, or a whole result in a form. */
export type Accepted = 'page' | Form;

/** The media types that reports can be had in. */
const mediaTypes = [
  'application/json',
  'text/csv',
  'application/x-ndjson',
  'application/vnd.apache.parquet',
] as const;

const forms: Readonly<Record<(typeof mediaTypes)[number], Accepted>> = {
  'application/json': 'page',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/vnd.apache.parquet': 'parquet',
};

interface Range {
  readonly type: string;
  /** `text/csv; raw=true`. */
  readonly raw: boolean;
  readonly weight: number;
  readonly place: number;
}

const token = "[\\w!#$%&'*+.^`|~-]+";
/** Java's own client sends `*; q=.2`, which is meant well. */
const rangePattern = new RegExp(`^\\s*(${token}/${token}|\\*)\\s*((?:;[^;]*)*)$`);
const weightPattern = /^(?:0|0?\.\d{0,3}|1(?:\.0{0,3})?)$/;

/** Splits at a character outside of quotes. */
function split(text: string, at: ',' | ';'): string[] {
  return text.match(at === ',' ? /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g : /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
}

function readRange(text: string, place: number): Range | undefined {
  const match = rangePattern.exec(text);
  const type = match?.[1]?.toLowerCase();
  if (match === null || type === undefined) return undefined;
  const parameters = new Map(
    split(match[2] ?? '', ';').map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/s, '$1')];
    }),
  );
  const weight = parameters.get('q') ?? '1';
  if (!weightPattern.test(weight)) return undefined;
  return {
    type: type === '*' ? '*/*' : type,
    raw: parameters.get('raw')?.toLowerCase() === 'true',
    weight: Number(weight),
    place,
  };
}

/** How closely a range names a type: 2 exactly, 1 its kind, 0 anything; undefined: not at all. */
function closeness({ type }: Range, offered: string): 0 | 1 | 2 | undefined {
  if (type === offered) return 2;
  if (type === '*/*') return 0;
  return type.endsWith('/*') && offered.startsWith(type.slice(0, -1)) ? 1 : undefined;
}

/**
 * What an `Accept` header asks for. The greatest weight wins, then what is named more closely, then what is named first,
 * then the default.
 */
export function acceptedBy(header: string | undefined): Accepted {
  if (header === undefined || header.trim() === '') return 'page';
  const ranges = split(header, ',').flatMap((text, place) => readRange(text, place) ?? []);
  let best: { readonly closest: number; readonly range: Range; readonly accepted: Accepted } | undefined;
  for (const offered of mediaTypes) {
    const [named] = ranges
      .flatMap((range) => {
        const close = closeness(range, offered);
        return close === undefined ? [] : [{ closest: close, range }];
      })
      .sort((left, right) => right.closest - left.closest || left.range.place - right.range.place);
    if (named === undefined || named.range.weight === 0) continue;
    const form = forms[offered];
    const accepted = form === 'csv' && named.range.raw ? 'raw-csv' : form;
    if (best === undefined || isBetter(named, best)) best = { ...named, accepted };
  }
  return best?.accepted ?? 'page';
}

interface Named {
  readonly closest: number;
  readonly range: Range;
}

function isBetter(named: Named, best: Named): boolean {
  if (named.range.weight !== best.range.weight) return named.range.weight > best.range.weight;
  if (named.closest !== best.closest) return named.closest > best.closest;
  return named.closest > 0 && named.range.place < best.range.place;
}
