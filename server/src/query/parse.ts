/**
 * A raw query string to named values. Names match without regard to case and with a leading `$` for the four OData
 * ones; a name that no report has is refused with the nearest one, a name given twice too. A parameter that only
 * other reports have is ignored and reported. Values are decoded, not yet understood.
 */
import { type Field, type ParameterName, parameterNames, type ReportEntry } from '@storelens/contract';

/** Decoded parameters of a request. A parameter with an empty value is absent. */
export interface Parameters {
  readonly values: ReadonlyMap<ParameterName, string>;
  /** Canonical names of parameters that this report does not have. */
  readonly ignored: readonly ParameterName[];
  /** Complete sentences, one per problem, at most {@link mostProblems}. */
  readonly problems: readonly string[];
}

/**
 * Most problems that one refusal lists. Nobody reads more, and looking for the nearest name of every one of the
 * sixty thousand that an address has room for would stop the server for seconds.
 */
export const mostProblems = 20;

const odataNames: readonly ParameterName[] = ['filter', 'top', 'skip', 'orderby'];

const canonicalNames = new Map<string, ParameterName>([
  ...parameterNames.map((name): [string, ParameterName] => [name.toLowerCase(), name]),
  ...odataNames.map((name): [string, ParameterName] => [`$${name}`, name]),
]);

/** Fields that a report's filter may name. */
export function filterFields(entry: ReportEntry): readonly Field[] {
  return [...entry.fields, ...(entry.queryOnly ?? [])].filter((field) => field.filter !== undefined);
}

/** Names of the parameters that a report has. */
export function parametersOf(entry: ReportEntry): ReadonlySet<ParameterName> {
  const names: ParameterName[] = entry.identity.parameters.map(({ name }) => name);
  for (const { parameter } of entry.lookups ?? []) names.push(parameter);
  if (entry.dates !== undefined) names.push('startDate', 'endDate');
  if (filterFields(entry).length > 0) names.push('filter');
  if (entry.levels.length > 0) names.push('aggregationLevel');
  if (entry.orderby) names.push('orderby');
  if (entry.groupby) names.push('groupby');
  if (entry.paging !== undefined) names.push('top', 'skip', 'snapshot');
  return new Set(names);
}

/** Parses the part of a request target after the question mark, as it came over the wire (latin1 bytes). */
export function parseParameters(rawQuery: string, entry: ReportEntry): Parameters {
  const known = parametersOf(entry);
  const seen = new Set<ParameterName>();
  const values = new Map<ParameterName, string>();
  const ignored: ParameterName[] = [];
  const problems: string[] = [];
  for (const pair of rawQuery.split('&')) {
    if (problems.length >= mostProblems) break;
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const writtenName = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (writtenName === undefined || value === undefined) {
      problems.push(`'${printable(pair)}' is not valid percent-encoded UTF-8; write a percent sign as %25`);
      continue;
    }
    const name = canonicalNames.get(writtenName.trim().toLowerCase());
    if (name === undefined) problems.push(misspelt(writtenName, known));
    else if (seen.has(name)) problems.push(`${name} parameter is given more than once; give it once`);
    else if (value.trim() !== '') {
      if (known.has(name)) values.set(name, value);
      else ignored.push(name);
    }
    if (name !== undefined) seen.add(name);
  }
  return { values, ignored, problems };
}

/** What stands for itself: ASCII without plus and percent signs. */
const plainPiece = /^[\x00-\x24\x26-\x2a\x2c-\x7f]*$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Form-decodes a piece of the query; undefined if an escape is malformed or the bytes are no UTF-8. */
function decode(piece: string): string | undefined {
  if (plainPiece.test(piece)) return piece;
  if (/%(?![0-9A-Fa-f]{2})/.test(piece)) return undefined;
  const bytes = piece
    .replaceAll('+', ' ')
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Text for a message: cut, and without control characters. */
export function printable(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, '\ufffd');
  return clean.length > 200 ? `${clean.slice(0, 200)}...` : clean;
}

function misspelt(written: string, known: ReadonlySet<ParameterName>): string {
  const name = printable(written);
  if (/^amp;/i.test(written)) {
    return `'${name}' is not a parameter; the address was HTML-escaped: write & instead of &amp;`;
  }
  const nearest = nearestName(written, [...known]);
  const hint =
    nearest === undefined ? `the parameters are ${[...known].join(', ')}` : `did you mean '${nearest}'?`;
  return `'${name}' is not a parameter of any report; ${hint}`;
}

/** The candidate that differs in the fewest letters, if it is near enough to be meant. */
export function nearestName<Name extends string>(
  written: string,
  candidates: readonly Name[],
): Name | undefined {
  let best: Name | undefined;
  let least = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase().slice(0, 64), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
