/**
 * Repeatable chance for the demo: a small generator seeded by text, weighted tables, and noise around an expected
 * count. Only additions, products, quotients and square roots are used, which give the same bits on every
 * machine. Nothing here is fit for secrets.
 */

/** Values with the running sum of their weights, made by `table`. */
export interface Table<Value> {
  readonly values: readonly Value[];
  readonly sums: readonly number[];
  readonly total: number;
}

/** A table of values and weights; weights need not add up to anything. */
export function table<Value>(...rows: readonly (readonly [value: Value, weight: number])[]): Table<Value> {
  let total = 0;
  const sums = rows.map(([, weight]) => {
    total += weight;
    return total;
  });
  return { values: rows.map(([value]) => value), sums, total };
}

/** A seeded source of draws. Two sources with the same seed text give the same draws in the same order. */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef];
    for (let index = 0; index < seed.length; index += 1) {
      const code = seed.charCodeAt(index);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x85ebca6b) + a;
      c = Math.imul(c ^ code, 0xc2b2ae35) ^ b;
      d = Math.imul(d ^ code, 0x27d4eb2f) + c;
    }
    [this.#a, this.#b, this.#c, this.#d] = [a | 0, b | 0, c | 0, d | 0];
    for (let round = 0; round < 12; round += 1) this.unit();
  }

  /** A number from 0 up to but not including 1 (the generator sfc32). */
  unit(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }

  /** A whole number from `least` to `greatest`, both included. */
  whole(least: number, greatest: number): number {
    return least + Math.floor(this.unit() * (greatest - least + 1));
  }

  /** True in the given share of draws. */
  happens(share: number): boolean {
    return this.unit() < share;
  }

  /** One value of a weighted table. */
  pick<Value>(from: Table<Value>): Value {
    const point = this.unit() * from.total;
    let [low, high] = [0, from.sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((from.sums[middle] ?? 0) > point) high = middle;
      else low = middle + 1;
    }
    return from.values[low] as Value;
  }

  /** One element of a list, or undefined of an empty one. */
  one<Value>(from: readonly Value[]): Value | undefined {
    return from[Math.floor(this.unit() * from.length)];
  }

  /** A whole count around an expected one, spread about as widely as counts of independent events are. */
  count(expected: number): number {
    const bell = this.unit() + this.unit() + this.unit() + this.unit() - 2;
    return Math.max(0, Math.floor(expected + bell * Math.sqrt(3 * expected) + this.unit()));
  }

  /** Hexadecimal digits. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) {
      text += Math.floor(this.unit() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0');
    }
    return text.slice(0, digits);
  }
}
