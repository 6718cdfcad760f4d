/** A buffer that grows while values are written behind each other, as the engine's format `Native` has them. */

const first = 64 * 1024;

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

  /** A text: the number of its bytes, then these. */
  text(value: string): void {
    this.#reserve(value.length * 3 + 5);
    if (value.length < 0x40 && this.#ascii(value)) return;
    this.count(Buffer.byteLength(value));
    this.#at += this.#buffer.write(value, this.#at);
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
    this.#at = this.#buffer.writeUInt32LE(value - high * 0x1_0000_0000, this.#at);
    this.#at = this.#buffer.writeInt32LE(high, this.#at);
  }

  /** Writes a short text if it is ASCII alone, which a loop does in half the time of a call. */
  #ascii(value: string): boolean {
    const from = this.#at + 1;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      this.#buffer[from + index] = code;
    }
    this.#buffer[this.#at] = value.length;
    this.#at = from + value.length;
    return true;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#buffer.length, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
