/**
 * Decodes Thrift's compact protocol, in which Parquet files describe themselves, without a schema: structs become maps
 * by field number. Bytes may come from anywhere: every length is held against what is there, depth is bounded.
 */

/** A decoded value. Numbers above 2^53 lose their exactness; texts stay bytes. */
export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;

/** Fields of a struct by number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** Thrown for bytes that are not what they claim to be. */
export class ThriftError extends Error {
  override readonly name = 'ThriftError';
}

/** Structs and lists within each other; Parquet's own footers have seven. */
const mostLevels = 16;

/** Types of the compact protocol by their codes. */
const types = {
  yes: 1,
  no: 2,
  int8: 3,
  int64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
};

class Bytes {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** How many bytes were read. */
  get at(): number {
    return this.#at;
  }

  byte(): number {
    const byte = this.bytes[this.#at];
    if (byte === undefined) throw new ThriftError('the bytes end too early');
    this.#at += 1;
    return byte;
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.#at) throw new ThriftError(`${length} bytes are not there`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** A whole number of at most ten groups of seven bits. */
  unsigned(): number {
    let value = 0;
    for (let group = 0; group < 10; group += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * group);
      if (byte < 0x80) return value;
    }
    throw new ThriftError('a number has too many bytes');
  }

  /** A whole number whose last bit is its sign. */
  signed(): number {
    const folded = this.unsigned();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  struct(level: number): ThriftStruct {
    if (level > mostLevels) throw new ThriftError('structs lie too deep in each other');
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (let head = this.byte(); head !== 0; head = this.byte()) {
      id = head >> 4 === 0 ? this.signed() : id + (head >> 4);
      const type = head & 0x0f;
      const flag = type === types.yes || type === types.no;
      fields.set(id, flag ? type === types.yes : this.value(type, level));
    }
    return fields;
  }

  /** A value that stands alone: in a list, or behind a field's head. */
  value(type: number, level: number): ThriftValue {
    if (type >= types.int8 + 1 && type <= types.int64) return this.signed();
    switch (type) {
      case types.yes:
      case types.no:
        return this.byte() === types.yes;
      case types.int8:
        return (this.byte() << 24) >> 24;
      case types.double:
        return new DataView(this.take(8).slice().buffer).getFloat64(0, true);
      case types.binary:
        return this.take(this.unsigned());
      case types.list:
      case types.set: {
        const head = this.byte();
        const size = head >> 4 === 15 ? this.unsigned() : head >> 4;
        return this.#values(size, () => this.value(head & 0x0f, level + 1));
      }
      case types.map: {
        const size = this.unsigned();
        const kinds = size === 0 ? 0 : this.byte();
        return this.#values(size, () => [
          this.value(kinds >> 4, level + 1),
          this.value(kinds & 0x0f, level + 1),
        ]);
      }
      case types.struct:
        return this.struct(level + 1);
      default:
        throw new ThriftError(`${type} is no type`);
    }
  }

  #values(size: number, one: () => ThriftValue): ThriftValue[] {
    const values: ThriftValue[] = [];
    // Every value has a byte at least, so that a size alone can claim nothing.
    for (let count = 0; count < size; count += 1) values.push(one());
    return values;
  }
}

/** The struct at the start of some bytes. Throws {@link ThriftError}. */
export function decodeStruct(bytes: Uint8Array): ThriftStruct {
  return new Bytes(bytes).struct(0);
}

/** The struct at the start of some bytes, and how many of them it takes. Throws {@link ThriftError}. */
export function decodeHead(bytes: Uint8Array): readonly [struct: ThriftStruct, length: number] {
  const reader = new Bytes(bytes);
  return [reader.struct(0), reader.at];
}
