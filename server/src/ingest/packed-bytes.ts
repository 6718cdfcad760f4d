/** A buffer that grows while values are written behind each other, as the engine's format `Native` has them. */

const first = 64 * 1024;

/** Up to so many bytes a loop copies faster than a call. */
const fewBytes = 48;

/** Bytes of columns. To be used by one writer after the other; what was written is copied out. */
export class PackedBytes {
  #buffer: Buffer = Buffer.alloc(first);
  #at = 0;

  /** A copy of what was written since the last call, which the next values take the place of. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    return taken;
  }

  /** Forgets what was written since the last call of `take`. */
  forget(): void {
    this.#at = 0;
  }

  /** Has what was written since the last call of `take` stand there so many times. */
  repeat(times: number): void {
    const length = this.#at;
    this.#reserve(length * (times - 1));
    this.#at = length * times;
    if (length === 1) this.#buffer.fill(this.#buffer[0] ?? 0, 1, times);
    else
      for (let done = length; done < this.#at; done *= 2)
        this.#buffer.copyWithin(done, 0, Math.min(done, this.#at - done));
  }

  /** A text: the number of its bytes, then these. */
  text(value: string): void {
    this.count(Buffer.byteLength(value));
    this.#reserve(value.length * 3);
    this.#at += this.#buffer.write(value, this.#at);
  }

  /** A text out of bytes that are UTF-8. */
  textOf(bytes: Buffer, from: number, to: number): void {
    this.count(to - from);
    this.copy(bytes, from, to);
  }

  /** Bytes as they are. */
  copy(bytes: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    const away = this.#at - from;
    if (to - from > fewBytes) bytes.copy(this.#buffer, this.#at, from, to);
    else for (let at = from; at < to; at += 1) this.#buffer[away + at] = bytes[at] as number;
    this.#at = away + to;
  }

  /** A number from 0, seven bits a byte. */
  count(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#at = this.#buffer.writeUInt16LE(value, this.#at);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  /** A whole number that a double holds exactly, in eight bytes. */
  int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#word(value - high * 0x1_0000_0000);
    this.#word(high);
  }

  /** The low 32 bits of a number. */
  #word(value: number): void {
    const buffer = this.#buffer;
    const at = this.#at;
    const bits = value | 0;
    buffer[at] = bits;
    buffer[at + 1] = bits >> 8;
    buffer[at + 2] = bits >> 16;
    buffer[at + 3] = bits >> 24;
    this.#at = at + 4;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#buffer.length, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
