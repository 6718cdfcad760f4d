/**
 * Random rows of a dataset, good ones and ones with something wrong, as the text of a body. Deterministic by seed.
 * Knows the contract's columns; knows nothing of the server's checks.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import type { Dice } from '../oracle/random.js';

/** Products that the rows name. */
export const oddProducts = {
  app: ['9NBLGGGZ5QDR', '9wzdncrdabcD'],
  addon: ['9NADDON00001'],
  desktop: ['10238467886765136388'],
  driver: ['13510798888881234'],
} as const;

/** Time at which the rows arrive: times up to a day later are good. */
export const oddNow = Date.UTC(2024, 1, 29, 12);

const times = [
  '2024-02-29T12:00:00Z',
  '2024-02-29T23:59:59.9999999Z',
  '2016-02-29T00:00Z',
  '2023-02-29T00:00:00Z',
  '2024-02-31T00:00:00Z',
  '2024-99-01T00:00:00Z',
  '2024-00-10T00:00:00Z',
  '2024-01-00T00:00:00Z',
  '2024-02-29T24:00:00Z',
  '2024-02-29T23:60:00Z',
  '2024-02-29T23:59:60Z',
  '2024-03-01T12:00:00.000Z',
  '2024-03-01T12:00:00.001Z',
  '2024-03-01T12:00:00.0009Z',
  '2024-03-01T14:00:00+02:00',
  '2024-03-01T14:00:01+0200',
  '2024-03-01T10:00:00-02:00',
  '1970-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '1969-12-31T23:59:59.9999Z',
  '1969-12-31T23:30:00-01:00',
  '1970-01-01T00:30:00+01:00',
  '1900-01-01T00:00:00Z',
  '1899-12-31T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '0000-00-00T00:00:00Z',
  '2149-06-06T00:00:00Z',
  '2149-06-07T00:00:00Z',
  '2300-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2024-02-29T12:00:00',
  '2024-02-29 12:00:00Z',
  '2024-02-29t12:00:00z',
  '2024-02-29',
  '2024-02-29T12:00:00+15:00',
  '2024-02-29T12:00:00+14:59',
  '2024-02-29T12:00:00.1234567890Z',
  '2024-02-29T12:00:00.123456789Z',
  '2024-2-9T12:00:00Z',
  ' 2024-02-29T12:00:00Z',
  '2024-02-29T12:00:00Z\n',
  '+02024-02-29T12:00:00Z',
  '1709208000',
  'yesterday',
];

const days = [
  '2024-02-29',
  '2024-03-01',
  '2024-03-02',
  '2023-02-29',
  '2024-02-30',
  '2024-13-01',
  '2024-00-00',
  '1970-01-01',
  '1969-12-31',
  '0000-01-01',
  '2149-06-06',
  '2299-12-31',
  '9999-12-31',
  '2024-2-9',
  '20240229',
  '2024/02/29',
  '2024-02-29T00:00:00Z',
  '29.02.2024',
  ' 2024-02-29',
];

const integers = [
  '0',
  '-0',
  '1',
  '-1',
  '5',
  '6',
  '007',
  '1.0',
  '1e3',
  '1E+2',
  '+1',
  '1000000000',
  '1000000001',
  '1000000000000',
  '1000000000001',
  '2147483647',
  '2147483648',
  '4294967297',
  '999999999999999999',
  '9999999999999999999',
  '18446744073709551617',
  '-9223372036854775808',
  '0x10',
  '1_000',
  '',
  ' 1',
  '1 ',
  '.5',
  '-',
  'NaN',
  'Infinity',
];

const amounts = [
  '0',
  '0.0',
  '-0.00',
  '1.25',
  '-1.25',
  '0.000001',
  '0.0000001',
  '1.1234567',
  '999999999999.999999',
  '1000000000000',
  '-999999999999',
  '9999999999999',
  '1e2',
  '1.5E-3',
  '5e-05',
  '-1.2e-05',
  '1e-06',
  '1E-6',
  '1e-07',
  '1.2e-06',
  '999999999999.99999e-1',
  '1234.56e-04',
  '1e-0',
  '1e-005',
  '1e+2',
  '.5',
  '5.',
  '01.5',
  '+1',
  '1,5',
  '12345678901234567890',
  'NaN',
  '-',
  '--1',
];

const guids = [
  '6be543ff-1c9c-4534-aced-af8b4fbe0316',
  '6BE543FF-1C9C-4534-ACED-AF8B4FBE0316',
  '{6be543ff-1c9c-4534-aced-af8b4fbe0316}',
  '6be543ff1c9c4534acedaf8b4fbe0316',
  '6be543ff-1c9c-4534-aced-af8b4fbe031',
  '6be543ff-1c9c-4534-aced-af8b4fbe031g',
  '6be543ff-1c9c-4534-aced-af8b4fbe0316\n',
];

const products = [
  ...oddProducts.app,
  ...oddProducts.addon,
  ...oddProducts.desktop,
  ...oddProducts.driver,
  '9nblgggz5qdr',
  '9WZDNCRDABCD',
  '9naddon00001',
  '9NBLGGGZ5QD',
  '9NBLGGGZ5QDR ',
  "' OR 1 = 1 --",
  '9NBLGGG\u0130',
  '\\N',
];

const texts = [
  'US',
  'us',
  'Unknown',
  'unknown',
  'pc',
  'FREE',
  'Gratis',
  'é',
  '\u{1f600}',
  '\u2013',
  'a b',
  ' ',
  '\t',
  '\\',
  '\\N',
  '"',
  "'",
  ',',
  'a,b',
  'a"b',
  'line\nfeed',
  '\r',
  '\u0001',
  '\u007f',
  '\u2028',
  '\ufeff',
  'null',
  'true',
  '5',
  'x'.repeat(4096),
  'x'.repeat(4097),
  'é'.repeat(2048),
  'é'.repeat(2049),
  'y'.repeat(65536),
  'y'.repeat(65537),
];

const booleans = ['true', 'false', 'True', 'FALSE', '1', '0', 'yes', 'null', 'tru', 'truee'];

function wordsFor(column: Column): readonly string[] {
  switch (column.type) {
    case 'timestamp':
    case 'instant':
      return times;
    case 'day':
      return days;
    case 'integer':
      return integers;
    case 'amount':
      return amounts;
    case 'guid':
      return guids;
    case 'product':
      return products;
    case 'boolean':
      return booleans;
    case 'code':
      return [...texts, ...integers];
    case 'object':
    case 'list':
      return ['{}', '[]'];
    case 'text':
      return [...texts, ...(column.values ?? []), ...(column.only ?? [])];
  }
}

const goodWords: Readonly<Record<Column['type'], readonly string[]>> = {
  timestamp: ['2024-02-29T12:00:00Z', '2023-06-30T23:59:59.123+02:00'],
  instant: ['2024-02-29T12:00:00Z', '2023-06-30T23:59:59.1234567-05:30'],
  day: ['2024-02-29', '2016-12-31'],
  integer: ['1', '5'],
  amount: ['1.25', '-3', '5e-05'],
  guid: ['6be543ff-1c9c-4534-aced-af8b4fbe0316'],
  product: oddProducts.app,
  boolean: ['true', 'false'],
  text: ['US', 'pc', 'something'],
  code: ['0xc0000005'],
  object: [],
  list: [],
};

function goodWord(column: Column, dice: Dice): string {
  if (column.only !== undefined) return dice.pick(column.only);
  return dice.pick(column.type === 'product' ? oddProducts[column.kind ?? 'app'] : goodWords[column.type]);
}

/** Columns that CSV can give. */
export function flatColumns(entry: DatasetEntry): readonly Column[] {
  return entry.columns.filter(({ type }) => type !== 'object' && type !== 'list');
}

/** The columns in the form that the row's values of other columns make them. */
function settled(columns: readonly Column[], dice: Dice): readonly Column[] {
  const chosen = new Map<string, string>();
  for (const { name, only } of columns) if (only !== undefined) chosen.set(name, dice.pick(only));
  return columns.map((column) => {
    const one = chosen.get(column.name);
    if (one !== undefined) return { ...column, only: [one, one.toUpperCase()] };
    const { depends } = column;
    const other = chosen.get(depends?.column ?? '') ?? '';
    const kind = depends?.kinds[other];
    if (depends === undefined || kind === undefined) return column;
    return { ...column, kind, ...(depends.requiredFor.includes(other) ? { required: true as const } : {}) };
  });
}

/** A nested value as JSON: good, or with something odd in it. */
function nestedJson(column: Column, odd: boolean, dice: Dice): string {
  const object = (strange: boolean) => membersJson(column.columns ?? [], strange ? 1 : 0, dice);
  if (column.type === 'object') return object(odd);
  const most = column.most ?? 3;
  const count = odd && dice.chance(0.3) ? most + dice.below(2) : dice.below(4);
  const strange = odd ? dice.below(count) : -1;
  const entries = Array.from({ length: count }, (_, index) => object(index === strange));
  if (odd && dice.chance(0.1)) entries.push(dice.pick(oddLiterals));
  return `[${entries.join(dice.pick([',', ' , ']))}]`;
}

/** One character of a text changed, dropped or added. */
function damaged(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1);
  const inserted = dice.pick([
    '',
    '0',
    '9',
    '-',
    ':',
    ' ',
    'Z',
    'x',
    '.',
    'e',
    'E-',
    '"',
    '\\',
    ',',
    '}',
    '\u00e9',
    '\n',
  ]);
  return text.slice(0, at) + inserted + text.slice(at + dice.below(2));
}

const oddLiterals = [
  'null',
  'true',
  'false',
  '{}',
  '[]',
  '{"a":1}',
  '[1,"x"]',
  '""',
  '"5"',
  '5',
  '0',
  '-1',
  'nul',
  'NULL',
  "'x'",
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ud83d\\ude00"',
  '"\\u0041"',
  '"\\x"',
  '"open',
  '"a\tb"',
  '"\\n"',
  '',
  'undefined',
];

/** Columns that get something odd. */
function oddColumns(columns: readonly Column[], count: number, dice: Dice): ReadonlySet<Column> {
  return new Set(Array.from({ length: count }, () => dice.pick(columns)));
}

/** How many columns of a row get something odd. */
const oddCount = (dice: Dice) => dice.pick([0, 0, 1, 1, 1, 2]);

function isNested({ type }: Column): boolean {
  return type === 'object' || type === 'list';
}

function isBare(column: Column, word: string): boolean {
  const { type } = column;
  if (type === 'code') return /^-?\d+$/.test(word);
  return type === 'integer' || type === 'amount' || type === 'boolean' || isNested(column);
}

/** An object with members of some columns, as many of them odd as asked for. */
function membersJson(columns: readonly Column[], count: number, dice: Dice): string {
  const odd = oddColumns(columns, count, dice);
  const members: string[] = [];
  for (const column of columns) {
    if (!odd.has(column)) {
      if (!column.required && dice.chance(0.5)) continue;
      const word = isNested(column) ? nestedJson(column, false, dice) : goodWord(column, dice);
      members.push(`"${column.name}":${isBare(column, word) ? word : JSON.stringify(word)}`);
      continue;
    }
    if (dice.chance(0.1)) continue;
    let literal = dice.chance(0.3)
      ? dice.pick(oddLiterals)
      : isNested(column)
        ? nestedJson(column, true, dice)
        : dice.pick(wordsFor(column));
    if (!oddLiterals.includes(literal) && (!isBare(column, literal) || dice.chance(0.1))) {
      literal = JSON.stringify(literal);
    }
    const name = dice.chance(0.05) ? damaged(column.name, dice) : column.name;
    members.push(
      `${dice.pick(['', ' '])}"${name}"${dice.pick(['', ' '])}:${dice.pick(['', ' ', '\t'])}${literal}`,
    );
    if (dice.chance(0.03)) members.push(`"${column.name}":${literal}`);
  }
  if (dice.chance(0.5)) members.reverse();
  return `{${members.join(',')}}`;
}

/** A row as a JSON object on one line; now and then not quite. */
export function oddJson(entry: DatasetEntry, dice: Dice): string {
  const row = membersJson(settled(entry.columns, dice), oddCount(dice), dice);
  return (dice.chance(0.05) ? damaged(row, dice) : row).replaceAll('\n', ' ');
}

/** Cells of a row under all keys of the dataset, in order. */
export function oddCells(entry: DatasetEntry, dice: Dice): readonly string[] {
  const columns = settled(flatColumns(entry), dice);
  const odd = oddColumns(columns, oddCount(dice), dice);
  return columns.map((column) => {
    if (!odd.has(column)) return !column.required && dice.chance(0.5) ? '' : goodWord(column, dice);
    if (dice.chance(0.1)) return '';
    const word = dice.pick(wordsFor(column));
    return dice.chance(0.2) ? damaged(word, dice) : word;
  });
}

/** A line of CSV. */
export function csvLine(cells: readonly string[], dice: Dice): string {
  const quoted = (cell: string) => /[",\r\n]/.test(cell) || dice.chance(0.1);
  return cells.map((cell) => (quoted(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}
