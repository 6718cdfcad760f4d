/**
 * Random valid requests of every report: identities in any case, every date form, nested filters with every operator
 * and way of quoting, groupbys, sorts, page sizes, aliases, parameter names in any case, several encodings.
 */
import type { Field, FilterOperator, ReportEntry } from '@storelens/contract';
import { dayOf, readClock, rowDay } from './dates.js';
import { instants, someDay, textsOf, today } from './generate-data.js';
import { Dice } from './random.js';
import type { Shape } from './request.js';
import { instantText, type OracleProduct, type StoredRow } from './store.js';

/** A filter as it will be written. */
export type FilterNode =
  | { readonly kind: 'term'; readonly text: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly FilterNode[]; readonly extra: boolean };

/** A request in parts, so that it can be changed and shrunk before it is written. */
export interface Ask {
  readonly report: ReportEntry;
  readonly ids: readonly (readonly [string, string])[];
  /** Values of the parameters that single out records. */
  readonly lookups: readonly (readonly [string, string])[];
  readonly level: string | undefined;
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly top: string | undefined;
  readonly skip: string | undefined;
  readonly filter: FilterNode | undefined;
  readonly groupby: readonly string[] | undefined;
  readonly orderby: readonly string[] | undefined;
  /** Parameters that change nothing: empty ones and those of other reports. */
  readonly noise: readonly (readonly [string, string])[];
  /** Seed of spelling and encoding; `plain` writes canonical names and as few escapes as possible. */
  readonly style: number | 'plain';
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A day in one of the forms that the contract accepts; with an hour only in those that have a time, of that hour. */
export function writeDay(number: number, dice: Dice, hourOfDay?: number): string {
  const { year, month, day } = dayOf(number);
  let shown = day;
  const next = dayOf(number + 1);
  // A day past the end of its month means the last one.
  if (next.month !== month && day < 31 && dice.chance(0.5)) shown = dice.whole(day, 31);
  const full = String(year).padStart(4, '0');
  const hour = hourOfDay ?? dice.whole(0, 23);
  const clock = `${two(dice.whole(0, 59))}:${two(dice.whole(0, 59))}`;
  const half = `${hour % 12 === 0 ? 12 : hour % 12}:${clock}${dice.pick([' ', '\u202f'])}${hour < 12 ? 'AM' : 'PM'}`;
  const bare = [
    `${month}/${shown}/${full}`,
    `${two(month)}/${two(shown)}/${full}`,
    `${month}/${two(shown)}/${full}`,
    `${two(month)}-${two(shown)}-${full}`,
    `${full}-${two(month)}-${two(shown)}`,
    `${full}/${two(month)}/${two(shown)}`,
    `${full}/${month}/${shown}`,
  ];
  const timed = [
    `${full}-${two(month)}-${two(shown)} ${two(hour)}:${clock}`,
    `${full}-${two(month)}-${two(shown)}T${two(hour)}:${clock}.${String(dice.whole(0, 9999999)).padStart(7, '0')}Z`,
    `${month}/${shown}/${full} ${half}`,
    `${two(month)}/${two(shown)}/${full} ${two(hour)}:${clock}`,
    `${full}/${two(month)}/${two(shown)} ${hour}:${clock}`,
    `${full}/${month}/${shown} ${hour}:${clock}`,
  ];
  if (hourOfDay !== undefined) return dice.pick(timed);
  return dice.pick([...bare, ...timed, `${month}/${shown}/${full} 12:00:00 AM`]);
}

/** A text as a filter literal, in straight or typographic quotes, inner quotes doubled. */
export function quoted(text: string, dice: Dice): string {
  const inner = text.replace(/['\u2018\u2019]/g, (quote) => quote + quote);
  const [open, close] = dice.pick([
    ["'", "'"],
    ["'", "'"],
    ["'", "'"],
    ['\u2018', '\u2019'],
    ['\u2019', '\u2019'],
    ["'", '\u2019'],
  ]);
  return `${open}${inner}${close}`;
}

/** What values of filters are taken from: the account's products, and a record that the request is to find. */
interface Known {
  readonly products: readonly OracleProduct[];
  readonly record: StoredRow | undefined;
}

function textLiteral(field: Field, { products, record }: Known, dice: Dice): string {
  let value: string;
  const { origin } = field;
  const own = origin?.from === 'column' ? record?.cells.get(origin.column) : undefined;
  const former = field.formerValues === undefined ? undefined : record?.formerHashes[0];
  if (former !== undefined && dice.chance(0.4)) value = former;
  else if (typeof own === 'string' && dice.chance(0.5)) value = own;
  else if (origin?.from === 'productName') value = dice.pick(products).name;
  else if (origin?.from === 'constant') value = dice.pick([origin.value, 'Other']);
  else value = dice.tail(textsOf(origin?.from === 'column' ? origin.column : field.name, field.values));
  if (dice.chance(0.3)) value = dice.recased(value);
  // Blanks and dashes must not matter where the comparison is loose.
  if (field.comparison === 'loose')
    value = value
      .replaceAll(' ', dice.pick(['', ' ', '  ']))
      .replaceAll('\u2013', dice.pick(['-', '\u2013']));
  return value;
}

function term(field: Field, known: Known, dice: Dice): string {
  const operator: FilterOperator = dice.pick(field.filter ?? ['eq']);
  const name = dice.chance(0.3) ? dice.recased(field.name) : field.name;
  const word = dice.chance(0.15) ? operator.toUpperCase() : operator;
  const blank = (): string => (dice.chance(0.1) ? '  ' : ' ');
  if (operator === 'contains') {
    const whole = [...textLiteral(field, known, dice)];
    const from = dice.whole(0, Math.max(0, whole.length - 1));
    const part = whole.slice(from, from + dice.whole(0, 5)).join('');
    const text = quoted(dice.recased(part), dice);
    return `${word}(${name},${dice.pick(['', ' '])}${text})`;
  }
  let literal: string;
  switch (field.type) {
    case 'boolean':
      literal = dice.pick(['true', 'false', 'TRUE', "'true'", "'False'"]);
      break;
    case 'integer':
    case 'decimal': {
      const number = String(dice.pick([-1, 0, 1, 2, 3, 4, 5, 1024, 2147483647, 2.5, -0.5, '4.0']));
      literal = dice.chance(0.2) ? `'${number}'` : number;
      break;
    }
    case 'time':
      literal = dice.chance(0.5) ? "'9999-12-31 23:59:59'" : quoted(writeDay(someDay(dice), dice), dice);
      break;
    case 'date':
      literal = quoted(writeDay(someDay(dice), dice), dice);
      break;
    case 'instant':
      literal = dice.chance(0.3) ? "''" : `'${instantText(dice.pick(instants))}'`;
      break;
    default:
      literal = quoted(textLiteral(field, known, dice), dice);
  }
  return `${name}${blank()}${word}${blank()}${literal}`;
}

function someFilter(fields: readonly Field[], known: Known, depth: number, dice: Dice): FilterNode {
  if (depth === 0 || dice.chance(0.35)) return { kind: 'term', text: term(dice.pick(fields), known, dice) };
  const parts = Array.from({ length: dice.whole(2, 3) }, () => someFilter(fields, known, depth - 1, dice));
  return { kind: dice.pick(['and', 'or']), parts, extra: dice.chance(0.3) };
}

/** The text of a filter: an `or` inside an `and` in parentheses, others in parentheses when `extra` says so. */
export function writeFilter(node: FilterNode, dice: Dice, inside: 'and' | 'or' | 'none' = 'none'): string {
  if (node.kind === 'term') return dice.chance(0.1) ? `(${node.text})` : node.text;
  const word = dice.chance(0.1) ? node.kind.toUpperCase() : node.kind;
  const kind = node.kind;
  const text = node.parts.map((part) => writeFilter(part, dice, kind)).join(` ${word} `);
  return (inside === 'and' && kind === 'or') || node.extra ? `(${text})` : text;
}

/** Row keys of a request, by name: what may be sorted by. */
export function sortable(
  report: ReportEntry,
  level: string,
  groupby: readonly string[] | undefined,
  shape: Shape = '2018',
): Field[] {
  const named = groupby?.map((name) => name.toLowerCase());
  const hidden = report.queryOnly ?? [];
  return [...report.fields, ...hidden].filter((field) => {
    if (field.orderby !== true) return false;
    if (hidden.includes(field)) return true;
    if (named === undefined) {
      if (shape === '2022' && report.groupby && !['id', 'date', 'measure'].includes(field.role)) return false;
      const { ungroupedLevels } = field;
      return ungroupedLevels === undefined || ungroupedLevels.some((one) => one === level);
    }
    return (
      field.role === 'measure' || field.alwaysReturned === true || named.includes(field.name.toLowerCase())
    );
  });
}

function someIds(
  report: ReportEntry,
  { products, record }: Known,
  dice: Dice,
): (readonly [string, string])[] {
  const { parameters, needs } = report.identity;
  const chosen: (readonly [string, string])[] = [];
  for (const { name, kind } of parameters) {
    if (!dice.chance(needs === 'none' || parameters.length > 1 ? 0.6 : 1)) continue;
    const ofKind = products.filter((product) => product.kind === kind);
    // Products of another kind are answered without rows.
    const wrongKind = dice.chance(0.02);
    const own = ofKind.find(({ id }) => id === record?.cells.get(name));
    const found = own !== undefined && dice.chance(0.9) ? own : dice.tail(ofKind);
    const product = wrongKind ? dice.pick(products) : found;
    chosen.push([name, dice.chance(0.15) ? dice.recased(product.id) : product.id]);
  }
  if (chosen.length === 0 && needs === 'one') return someIds(report, { products, record }, dice);
  return chosen;
}

function someRange(dice: Dice): readonly [string | undefined, string | undefined] {
  const kind = dice.next();
  if (kind < 0.04) return [undefined, undefined];
  if (kind < 0.1) {
    return [writeDay(today - dice.whole(0, 60), dice), dice.chance(0.5) ? undefined : writeDay(today, dice)];
  }
  if (kind < 0.15)
    return [dice.pick(['01/01/0001', '1/1/1970', '0001-01-01']), dice.pick(['12/31/9999', '2149-06-07'])];
  if (kind < 0.3) return [writeDay(today - 70, dice), writeDay(today + 1, dice)];
  if (kind < 0.4) {
    const day = someDay(dice);
    return [writeDay(day, dice), writeDay(day, dice)];
  }
  const days = [someDay(dice), someDay(dice)].sort((left, right) => left - right);
  return [writeDay(days[0] ?? 0, dice), writeDay(days[1] ?? 0, dice)];
}

/** A range at hour level: most days with hours, which count there. */
function someHours(dice: Dice): readonly [string | undefined, string | undefined] {
  const hour = (): number => (today - dice.whole(0, 4)) * 24 + dice.whole(0, 23);
  let [first, last] = [hour(), hour()].sort((left, right) => left - right) as [number, number];
  if (dice.chance(0.2)) last = first + dice.whole(0, 3);
  if (dice.chance(0.1)) first = someDay(dice) * 24 + dice.whole(0, 23);
  if (first > last) [first, last] = [last, first];
  const written = (number: number, edge: number): string => {
    const bare = number % 24 === edge || dice.chance(0.25);
    return writeDay(Math.floor(number / 24), dice, bare && dice.chance(0.8) ? undefined : number % 24);
  };
  const [start, end] = [written(first, 0), written(last, 23)];
  const ends = [start, end].map((text, at) => readClock(text)?.[0] ?? [0, 23][at] ?? 0) as [number, number];
  const days = [Math.floor(first / 24), Math.floor(last / 24)];
  // A time of its own may turn the ends of one day round.
  return days[0] === days[1] && ends[0] > ends[1]
    ? [writeDay(days[0] ?? 0, dice, ends[1]), end]
    : [start, end];
}

function someLookups(report: ReportEntry, { record }: Known, dice: Dice): (readonly [string, string])[] {
  return (report.lookups ?? []).map(({ parameter, column }) => {
    const former = parameter === 'failureHash' && dice.chance(0.4) ? record?.formerHashes[0] : undefined;
    const own = former ?? record?.cells.get(column);
    const value = typeof own === 'string' && own !== '' && dice.chance(0.93) ? own : dice.pick(unknownIds);
    return [parameter, dice.chance(0.2) ? dice.recased(value) : value];
  });
}

/** Ids and hashes that nothing has. */
const unknownIds: readonly string[] = [
  '012e33e3-dbc9-b12f-c124-9d9810f05d8b',
  '1336373323853',
  "x'; --",
  '\u{1f600}',
  '0',
];

/** Where ranges and filters are of no use: parameters that are ignored. */
const idle: readonly (readonly [string, string])[] = [
  ['startDate', 'never'],
  ['filter', "market eq 'US'"],
  ['orderby', 'date'],
  ['aggregationLevel', 'hour'],
];

/**
 * A random valid request of one report; one with lookups mostly finds the record. Page size and offset are chosen
 * later, when the total is known.
 */
export function someAsk(
  report: ReportEntry,
  products: readonly OracleProduct[],
  dice: Dice,
  record?: StoredRow,
  shape: Shape = '2018',
): Ask {
  const known: Known = { products, record };
  // Hours are offered by one report alone, and much can go wrong with them.
  const hourly = report.levels.includes('hour') && dice.chance(0.35);
  const listed = report.levels.length > 0 && dice.chance(0.7) ? dice.pick(report.levels) : undefined;
  const level = hourly ? 'hour' : listed;
  let [start, end] = level === 'hour' ? someHours(dice) : someRange(dice);
  if (report.lookups !== undefined && dice.chance(0.5))
    [start, end] = [writeDay(0, dice), writeDay(today, dice)];
  if (report.dates === undefined) [start, end] = [undefined, undefined];
  // The ad reports end yesterday by default, which no range that starts today can reach.
  if (report.identity.needs === 'none' && end === undefined && start !== undefined)
    end = writeDay(today, dice);
  if (report.identity.needs === 'none' && dice.chance(0.1)) [start, end] = [undefined, undefined];
  const filterable = [...report.fields, ...(report.queryOnly ?? [])].filter(
    ({ filter }) => filter !== undefined,
  );
  const depth = dice.chance(0.3) ? dice.whole(3, 6) : dice.whole(0, 2);
  const filtered = filterable.length > 0 && dice.chance(report.lookups === undefined ? 0.65 : 0.4);
  const filter = filtered ? someFilter(filterable, known, depth, dice) : undefined;
  const groupable = report.fields.filter(({ groupby }) => groupby === true).map(({ name }) => name);
  let groupby: string[] | undefined;
  // Little can go wrong with the few rows that the form of 2022 has without it.
  if (report.groupby && dice.chance(shape === '2022' ? 0.8 : 0.5)) {
    groupby = dice.some(groupable, 4);
    if (groupby.length === 0) groupby = [dice.pick(groupable)];
    groupby = groupby.map((name) => (dice.chance(0.1) ? dice.recased(name) : name));
  }
  let orderby: string[] | undefined;
  if (report.orderby && dice.chance(0.5)) {
    const fields = dice.some(sortable(report, level ?? report.levels[0] ?? 'day', groupby, shape), 4);
    orderby = fields.map(({ name }) => {
      const spelt = dice.chance(0.1) ? dice.recased(name) : name;
      return `${spelt}${dice.pick(['', '', ' asc', ' desc', ' DESC'])}`;
    });
    if (orderby.length === 0) orderby = undefined;
  }
  const noise: (readonly [string, string])[] = [];
  if (dice.chance(0.1)) {
    const others = ['failureHash', 'cabId', 'metricType', 'fileName'];
    const taken = (report.lookups ?? []).map(({ parameter }) => String(parameter));
    noise.push([dice.pick(others.filter((name) => !taken.includes(name))), dice.pick(['', 'x'])]);
  }
  if (report.dates === undefined && dice.chance(0.3)) noise.push(dice.pick(idle));
  else if (dice.chance(0.05) && filter === undefined) noise.push(['filter', '']);
  return {
    report,
    ids: someIds(report, known, dice),
    lookups: someLookups(report, known, dice),
    level: level !== undefined && dice.chance(0.1) ? dice.recased(level) : level,
    start,
    end,
    top: undefined,
    skip: undefined,
    filter,
    groupby,
    orderby,
    noise,
    style: dice.whole(0, 1_000_000_000),
  };
}

/** Page size and offset for a result of `total` rows: few pages, small ones near the end, offsets beyond it. */
export function somePage(
  total: number,
  dice: Dice,
): { readonly top: number | undefined; readonly skip: number | undefined } {
  const kind = dice.next();
  if (kind < 0.5) return { top: undefined, skip: dice.chance(0.1) ? 0 : undefined };
  if (kind < 0.78) {
    const top = Math.min(10_000, Math.max(1, Math.ceil(total / dice.whole(2, 3))));
    return { top, skip: dice.chance(0.2) ? 0 : undefined };
  }
  if (kind < 0.86) return { top: dice.whole(1, 3), skip: Math.max(0, total - dice.whole(1, 6)) };
  const top = dice.whole(Math.max(1, Math.ceil(total / 5)), Math.max(10, total));
  return { top: Math.min(10_000, top), skip: dice.whole(0, total + 5) };
}

/** What must be escaped in a request target, and what some clients escape besides. */
function encode(text: string, dice: Dice | undefined): string {
  return [...text]
    .map((character) => {
      if (character === ' ') return dice?.chance(0.3) ? '+' : '%20';
      const code = character.codePointAt(0) ?? 0;
      const must = code <= 0x20 || code >= 0x7f || '%&#+'.includes(character);
      const strict = /[^\w.~-]/.test(character);
      if (!must && !dice?.chance(strict ? 0.5 : 0.01)) return character;
      const bytes = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
      return dice?.chance(0.5) ? bytes.join('').toUpperCase() : bytes.join('');
    })
    .join('');
}

/** Parameters of a request as decoded pairs, canonical names, in canonical order. */
export function pairsOf(ask: Ask): (readonly [string, string])[] {
  const dice = new Dice('style', ask.style);
  const pairs: (readonly [string, string | undefined])[] = [
    ...ask.ids,
    ...ask.lookups,
    ['aggregationLevel', ask.level],
    ['startDate', ask.start],
    ['endDate', ask.end],
    ['top', ask.top],
    ['skip', ask.skip],
    ['filter', ask.filter === undefined ? undefined : writeFilter(ask.filter, dice)],
    ['groupby', ask.groupby?.join(',')],
    ['orderby', ask.orderby?.join(dice.chance(0.1) ? ', ' : ',')],
    ...ask.noise,
  ];
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** Writes decoded pairs as a raw query string in the style of the request. */
export function writeQuery(ask: Ask, pairs: readonly (readonly [string, string])[]): string {
  if (ask.style === 'plain')
    return pairs.map(([name, value]) => `${name}=${encode(value, undefined)}`).join('&');
  const dice = new Dice('style', ask.style);
  const aliases = new Set(['filter', 'top', 'skip', 'orderby']);
  const written = dice.shuffled(pairs).map(([name, value]) => {
    let spelt = aliases.has(name) && dice.chance(0.15) ? `$${name}` : name;
    if (dice.chance(0.15)) spelt = dice.recased(spelt);
    return `${encode(spelt, dice)}=${encode(value, dice)}`;
  });
  return written.join(dice.chance(0.03) ? '&&' : '&');
}

/** The raw query string of a request. */
export function queryOf(ask: Ask): string {
  return writeQuery(ask, pairsOf(ask));
}

/** A first and last day that every report's data of the last weeks lies in, for hand-made requests. */
export const recent = { start: rowDay(today - 70), end: rowDay(today) } as const;
