/**
 * The rows of a small JSON body by column, as places in the body: the scanner has passed it and noted where keys end, so
 * nothing is looked for twice. Values are read from the bytes; texts become strings only where they are not known yet.
 */

/** Where the value of a column begins for each row: 0 where there is none, less than that for null. */
export type Places = Int32Array;

/** Rows of a body. A column that no row has is undefined; columns stand in the order of the dataset. */
export interface BodyRows {
  readonly body: Buffer;
  readonly count: number;
  readonly columns: readonly (Places | undefined)[];
}

const [quote, backslash, colon, point, minus, letter, letterN, zero] = [
  0x22, 0x5c, 0x3a, 0x2e, 0x2d, 0x61, 0x6e, 0x30,
];

/** A body's rows out of what the scanner noted (`json-scanner.ts`); undefined if a key is given twice in a row. */
export function bodyRows(
  body: Buffer,
  notes: Int32Array,
  count: number,
  columns: number,
): BodyRows | undefined {
  const all = new Array<Places | undefined>(columns).fill(undefined);
  let row = -1;
  for (let index = 0; index < notes.length; index += 1) {
    const note = notes[index] as number;
    const column = (note & 0xff) - 1;
    if (column < 0) {
      row += 1;
      continue;
    }
    let at = (note >>> 8) + 1;
    while ((body[at] as number) <= 0x20 || body[at] === colon) at += 1;
    let places = all[column];
    if (places === undefined) {
      places = new Int32Array(count);
      all[column] = places;
    }
    if (places[row] !== 0) return undefined;
    places[row] = body[at] === letterN ? -1 : at;
  }
  return { body, count, columns: all };
}

/** A text: bytes from one place to before another. One is read after the other into the same object. */
export class TextValue {
  bytes: Buffer = Buffer.alloc(0);
  from = 0;
  to = 0;
  /** Of the bytes; equal texts have equal ones. At most 30 bits. */
  hash = 0;

  /** Reads the text whose opening quote stands at a place; an empty one if there is none. */
  read(body: Buffer, place: number): this {
    let hash = 0;
    let at = place + 1;
    this.bytes = body;
    this.from = at;
    if (place <= 0) at = this.from;
    else {
      let byte = body[at] as number;
      while (byte !== quote) {
        if (byte === backslash) return this.#unescaped(body, place);
        hash = (Math.imul(hash, 31) + byte) | 0;
        at += 1;
        byte = body[at] as number;
      }
    }
    this.to = at;
    this.hash = hash & 0x3fffffff;
    return this;
  }

  get length(): number {
    return this.to - this.from;
  }

  toString(): string {
    return this.bytes.toString('utf8', this.from, this.to);
  }

  /** Whether it has the same bytes as a buffer. */
  is(other: Buffer): boolean {
    const { bytes, from, to } = this;
    if (other.length !== to - from) return false;
    for (let index = 0; index < other.length; index += 1) {
      if (other[index] !== bytes[from + index]) return false;
    }
    return true;
  }

  #unescaped(body: Buffer, place: number): this {
    let end = place + 1;
    while (body[end] !== quote) end += body[end] === backslash ? 2 : 1;
    this.bytes = Buffer.from(JSON.parse(body.toString('utf8', place, end + 1)) as string);
    this.from = 0;
    this.to = this.bytes.length;
    this.hash = 0;
    for (const byte of this.bytes) this.hash = (Math.imul(this.hash, 31) + byte) & 0x3fffffff;
    return this;
  }
}

/** Whether the boolean at a place is true. */
export function isTrue(body: Buffer, place: number): boolean {
  return body[place] === 0x74;
}

/** Most digits of a number that a double surely holds. */
const exactDigits = 15;

/** The number at a place, times so many tens: whole digits are exact where a double can hold them. */
export function numberAt(body: Buffer, place: number, tens: number): number {
  let at = body[place] === minus ? place + 1 : place;
  let value = 0;
  let digits = 0;
  let decimals = -1;
  for (; ; at += 1) {
    const digit = (body[at] as number) - zero;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits += 1;
      if (decimals >= 0) decimals += 1;
    } else if (body[at] === point) decimals = 0;
    else break;
  }
  const missing = tens - Math.max(decimals, 0);
  // Behind a number stands a comma, a brace or a blank; of letters there is but that of an exponent.
  if (digits + missing > exactDigits || ((body[at] as number) | 0x20) === letter + 4) {
    while (/[-+.\deE]/.test(String.fromCharCode(body[at] as number))) at += 1;
    return Math.round(Number(body.toString('latin1', place, at)) * 10 ** tens);
  }
  for (let times = 0; times < missing; times += 1) value *= 10;
  return body[place] === minus ? -value : value;
}
