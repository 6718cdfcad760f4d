/**
 * Reads what a Parquet file says about itself: rows, uncompressed bytes, columns and their types. Looks at the footer
 * alone, so that limits and unknown columns are seen before the engine opens the file.
 */
import { open } from 'node:fs/promises';
import { Failure } from '../failure.js';
import { onDisk } from './answers.js';
import { decodeStruct, ThriftError, type ThriftStruct, type ThriftValue } from './thrift.js';

/** Type of a column, as far as datasets tell them apart. */
export type ParquetType =
  /** `engine` is the type that keeps every value. */
  | { readonly kind: 'text' | 'integer' | 'decimal' | 'double' | 'boolean' | 'day'; readonly engine: string }
  /** Counts from 1970 in UTC, so many a second. */
  | { readonly kind: 'time'; readonly engine: string; readonly unit: 'Milli' | 'Micro' | 'Nano' }
  | { readonly kind: 'nested' }
  /** Types that no dataset takes, in words. */
  | { readonly kind: 'other'; readonly shown: string };

/** Where a row group has the values of a column that begin with a dictionary. */
export interface ParquetChunk {
  /** Places in the file: of the page with the dictionary, of the first one behind it, and the end. */
  readonly dictionary: number;
  readonly data: number;
  readonly end: number;
  readonly values: number;
  /** Number of the format for how pages are compressed. */
  readonly codec: number;
}

/** A column of the top level. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  /** Whether rows may lack a value. */
  readonly optional: boolean;
  /** One for each row group; empty if one of them has no dictionary, or none that can be told here. */
  readonly chunks: readonly ParquetChunk[];
  /** Least and greatest number of a column of days or ticks, which the footer claims and nobody has proven. */
  readonly range?: readonly [least: bigint, greatest: bigint];
}

type ParquetElement = Omit<ParquetColumn, 'chunks' | 'range'>;

/** What a file says about itself. */
export interface ParquetFooter {
  readonly rows: number;
  /** Of all columns, as they lie in the file before compression. */
  readonly uncompressed: number;
  readonly columns: readonly ParquetColumn[];
}

const magic = Buffer.from('PAR1');
/** Longest footer that is read; one of 500,000 rows in groups of 10,000 has less than half a MiB. */
const mostFooterBytes = 4 * 1024 * 1024;

function broken(reason: string, cause?: unknown): Failure {
  return new Failure('invalid-body', [`The body is not a Parquet file: ${reason}.`], { cause });
}

function structOf(value: ThriftValue | undefined): ThriftStruct | undefined {
  return value instanceof Map ? value : undefined;
}

function structsOf(value: ThriftValue | undefined): readonly ThriftStruct[] {
  if (!Array.isArray(value)) return [];
  return value.map((one: ThriftValue) => {
    const struct = structOf(one);
    if (struct === undefined) throw broken('its footer has a list of the wrong kind');
    return struct;
  });
}

function countOf(struct: ThriftStruct, id: number): number {
  const value = struct.get(id);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw broken('its footer lacks a count');
}

/** Numbers of the format: physical types, and members of the union of logical types. */
const physical = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
];
const logical = { string: 1, enum: 4, decimal: 5, date: 6, timestamp: 8, integer: 10, json: 12 };
const units = { 1: 'Milli', 2: 'Micro', 3: 'Nano' } as const;
const scales = { Milli: 3, Micro: 6, Nano: 9 } as const;

/** The older annotation in terms of the newer one: the member of the union and its fields. */
function fromConverted(element: ThriftStruct): readonly [number, ThriftStruct] | undefined {
  const none: ThriftStruct = new Map();
  const converted = element.get(6);
  if (typeof converted !== 'number') return undefined;
  if (converted === 0) return [logical.string, none];
  if (converted === 4) return [logical.enum, none];
  if (converted === 5) {
    const members = new Map([7, 8].map((id, index) => [index + 1, element.get(id) ?? 0] as const));
    return [logical.decimal, members];
  }
  if (converted === 6) return [logical.date, none];
  if (converted === 9 || converted === 10) {
    const unit: ThriftStruct = new Map([[converted - 8, none]]);
    return [
      logical.timestamp,
      new Map<number, ThriftValue>([
        [1, true],
        [2, unit],
      ]),
    ];
  }
  if (converted >= 11 && converted <= 18) {
    const bits = 8 * 2 ** ((converted - 11) % 4);
    return [
      logical.integer,
      new Map<number, ThriftValue>([
        [1, bits],
        [2, converted >= 15],
      ]),
    ];
  }
  if (converted === 19) return [logical.json, none];
  return [-1, none];
}

function annotationOf(element: ThriftStruct): readonly [number, ThriftStruct] | undefined {
  const [member] = structOf(element.get(10)) ?? [];
  return member === undefined ? fromConverted(element) : [member[0], structOf(member[1]) ?? new Map()];
}

function timeOf(fields: ThriftStruct): ParquetType {
  if (fields.get(1) !== true) {
    return { kind: 'other', shown: 'TIMESTAMP without a zone (isAdjustedToUTC=false)' };
  }
  const [member] = structOf(fields.get(2)) ?? [];
  const unit = units[Number(member?.[0]) as keyof typeof units];
  if (unit === undefined) return { kind: 'other', shown: 'TIMESTAMP of an unknown unit' };
  return { kind: 'time', unit, engine: `DateTime64(${scales[unit]}, 'UTC')` };
}

function decimalOf(fields: ThriftStruct): ParquetType {
  const [scale, precision] = [Number(fields.get(1) ?? 0), Number(fields.get(2) ?? 0)];
  const known = precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision;
  const shown = `DECIMAL(${precision}, ${scale})`;
  return known ? { kind: 'decimal', engine: `Decimal(${precision}, ${scale})` } : { kind: 'other', shown };
}

function typeOf(element: ThriftStruct): ParquetType {
  if (Number(element.get(5) ?? 0) > 0 || element.get(3) === 2) return { kind: 'nested' };
  const base = physical[Number(element.get(1))] ?? 'no type';
  const [annotation, fields] = annotationOf(element) ?? [undefined, new Map() as ThriftStruct];
  const whole = base === 'INT32' || base === 'INT64';
  if (annotation === undefined) {
    if (whole) return { kind: 'integer', engine: base === 'INT32' ? 'Int32' : 'Int64' };
    if (base === 'BYTE_ARRAY') return { kind: 'text', engine: 'String' };
    if (base === 'FLOAT' || base === 'DOUBLE') {
      return { kind: 'double', engine: base === 'FLOAT' ? 'Float32' : 'Float64' };
    }
    return base === 'BOOLEAN' ? { kind: 'boolean', engine: 'Bool' } : { kind: 'other', shown: base };
  }
  const text: readonly number[] = [logical.string, logical.enum, logical.json];
  if (base === 'BYTE_ARRAY' && text.includes(annotation)) return { kind: 'text', engine: 'String' };
  if (annotation === logical.decimal) return decimalOf(fields);
  if (base === 'INT32' && annotation === logical.date) return { kind: 'day', engine: 'Date32' };
  if (base === 'INT64' && annotation === logical.timestamp) return timeOf(fields);
  const bits = Number(fields.get(1));
  if (whole && annotation === logical.integer && [8, 16, 32, 64].includes(bits)) {
    return { kind: 'integer', engine: `${fields.get(2) === true ? '' : 'U'}Int${bits}` };
  }
  return { kind: 'other', shown: `${base} with the annotation ${annotation}` };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The columns of the top level as they are declared; the first element of the list is their root. */
function columnsOf(elements: readonly ThriftStruct[]): ParquetElement[] {
  const columns: ParquetElement[] = [];
  const root = elements[0];
  if (root === undefined) throw broken('its footer has no columns');
  let at = 1;
  /** Passes over an element and all that lies within it. */
  const pass = (): void => {
    for (let open = 1; open > 0; open -= 1) {
      open += Number(elements[at]?.get(5) ?? 0);
      at += 1;
      if (at > elements.length) throw broken('its footer lacks columns');
    }
  };
  for (let count = countOf(root, 5); count > 0; count -= 1) {
    const element = elements[at];
    const name = element?.get(4);
    if (element === undefined || !(name instanceof Uint8Array)) throw broken('its footer lacks columns');
    columns.push({ name: utf8.decode(name), type: typeOf(element), optional: element.get(3) !== 0 });
    pass();
  }
  return columns;
}

/** The chunk of a column in a row group, if it has a dictionary and all rows. */
function chunkOf(described: ThriftStruct, rows: number): ParquetChunk | undefined {
  const numbers = [11, 9, 7, 5, 4].map((id) => described.get(id));
  const [dictionary, data, length, values, codec] = numbers;
  if (typeof dictionary !== 'number' || typeof data !== 'number' || typeof length !== 'number')
    return undefined;
  if (values !== rows || typeof codec !== 'number' || !(4 <= dictionary && dictionary < data))
    return undefined;
  return { dictionary, data, end: dictionary + length, values, codec };
}

/** Least and greatest number that a row group claims to have in a column of days or ticks. */
function rangeOf(described: ThriftStruct): ParquetColumn['range'] {
  const claims = structOf(described.get(12));
  const [least, greatest] = [6, 5].map((id) => {
    const bytes = claims?.get(id);
    if (!(bytes instanceof Uint8Array)) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length === 4) return BigInt(view.getInt32(0, true));
    return bytes.length === 8 ? view.getBigInt64(0, true) : undefined;
  });
  return least === undefined || greatest === undefined || least > greatest ? undefined : [least, greatest];
}

/** A column with what the row groups say of it, each in its own words. */
function columnOf(
  column: ParquetElement,
  groups: readonly { readonly rows: number; readonly described: ThriftStruct | undefined }[],
): ParquetColumn {
  const own = groups.flatMap(({ rows, described }) => {
    const path = described?.get(3);
    const [name] = Array.isArray(path) && path.length === 1 ? path : [];
    const its = name instanceof Uint8Array && utf8.decode(name) === column.name;
    return described !== undefined && its ? [{ chunk: chunkOf(described, rows), described }] : [];
  });
  const chunks = own.flatMap(({ chunk }) => chunk ?? []);
  const withChunks = { ...column, chunks: chunks.length === groups.length ? chunks : [] };
  if (column.type.kind !== 'time' && column.type.kind !== 'day') return withChunks;
  const ranges = own.flatMap(({ described }) => {
    const range = rangeOf(described);
    return range === undefined ? [] : [range];
  });
  if (ranges.length === 0 || ranges.length < groups.length) return withChunks;
  const ascending = ranges.flat().sort((one, other) => (one < other ? -1 : 1));
  const [least = 0n, greatest = 0n] = [ascending[0], ascending.at(-1)];
  return { ...withChunks, range: [least, greatest] };
}

function footerOf(footer: ThriftStruct): ParquetFooter {
  let rows = 0;
  let uncompressed = 0;
  const groups = structsOf(footer.get(4)).map((group) => {
    const groupRows = countOf(group, 3);
    rows += groupRows;
    const chunks = structsOf(group.get(1)).map((chunk) => {
      if (chunk.has(1)) throw broken('it has columns in other files');
      const described = structOf(chunk.get(3));
      if (described === undefined) throw broken('its footer does not describe every column');
      uncompressed += countOf(described, 6);
      return described;
    });
    return { rows: groupRows, chunks };
  });
  if (rows !== countOf(footer, 3)) throw broken('its footer contradicts itself on the number of rows');
  const columns = columnsOf(structsOf(footer.get(2))).map((column, place) => {
    const own = groups.map((group) => ({ rows: group.rows, described: group.chunks[place] }));
    return columnOf(column, own);
  });
  return { rows, uncompressed, columns };
}

/** Reads the footer of a file. Throws Failure `invalid-body`, or `unavailable` for faults of the disk. */
export async function readFooter(path: string): Promise<ParquetFooter> {
  const file = await onDisk(open(path));
  try {
    const { size } = await onDisk(file.stat());
    const read = async (from: number, length: number) => {
      const { buffer } = await onDisk(file.read(Buffer.alloc(length), 0, length, from));
      return buffer;
    };
    if (size < 12) throw broken('it is too short');
    const [head, tail] = [await read(0, 4), await read(size - 8, 8)];
    if (!head.equals(magic)) throw broken('it does not begin with PAR1');
    if (!tail.subarray(4).equals(magic)) throw broken('it does not end with PAR1');
    const length = tail.readUInt32LE(0);
    if (length > size - 12) throw broken('its footer is longer than the file');
    if (length > mostFooterBytes) throw broken(`its footer has more than ${mostFooterBytes} bytes`);
    return footerOf(decodeStruct(await read(size - 8 - length, length)));
  } catch (error) {
    if (error instanceof ThriftError) throw broken(`its footer cannot be read, ${error.message}`, error);
    if (error instanceof TypeError) throw broken('a name in its footer is not UTF-8', error);
    throw error;
  } finally {
    await file.close();
  }
}
