/**
 * Bytes of a crash dump behind bounds checks: little-endian numbers, views and texts at offsets that the file itself
 * gives. Nothing is copied. Whatever points outside the file becomes a MinidumpError that names what was looked for.
 */

/**
 * Why a dump is not read: it is another kind of file, a kernel dump (stored and served, never read), its parts lie
 * outside the file, a count is above its limit, or its parts contradict each other.
 */
export type MinidumpErrorCode =
  | 'not-a-minidump'
  | 'kernel-dump'
  | 'out-of-bounds'
  | 'over-limit'
  | 'malformed';

/** The only error that reading a dump throws. The message is a complete sentence without contents of the dump. */
export class MinidumpError extends Error {
  constructor(
    readonly code: MinidumpErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MinidumpError';
  }
}

/** The longest text that is read, in bytes. */
export const longestText = 4096;

const utf16 = new TextDecoder('utf-16le', { ignoreBOM: true });

/** A file, or a part of one, whose every read is checked. Offsets and sizes are bytes. */
export class DumpBytes {
  constructor(
    readonly bytes: Buffer,
    /** What the bytes are, for messages: `the module list`. */
    readonly what: string,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  u8(offset: number): number {
    this.#check(offset, 1);
    return this.bytes.readUInt8(offset);
  }

  u16(offset: number): number {
    this.#check(offset, 2);
    return this.bytes.readUInt16LE(offset);
  }

  u32(offset: number): number {
    this.#check(offset, 4);
    return this.bytes.readUInt32LE(offset);
  }

  u64(offset: number): bigint {
    this.#check(offset, 8);
    return this.bytes.readBigUInt64LE(offset);
  }

  /** A view of `size` bytes at an offset; both may be larger than the file, and are refused then. */
  part(offset: number, size: number, what: string): DumpBytes {
    if (!this.holds(offset, size)) {
      throw new MinidumpError(
        'out-of-bounds',
        `${capital(what)} would be ${size} bytes at offset ${offset}, outside ${this.what} of ${this.size} bytes.`,
      );
    }
    return new DumpBytes(this.bytes.subarray(offset, offset + size), what);
  }

  /** Whether `size` bytes at an offset lie inside. */
  holds(offset: number, size: number): boolean {
    return offset >= 0 && size >= 0 && offset <= this.size && size <= this.size - offset;
  }

  /** A counted UTF-16 text (MINIDUMP_STRING) up to its first NUL; damaged characters become U+FFFD. */
  text(offset: number, what: string): string {
    const length = this.part(offset, 4, what).u32(0);
    if (length > longestText) {
      throw new MinidumpError(
        'over-limit',
        `${capital(what)} has ${length} bytes; at most ${longestText} are read.`,
      );
    }
    const text = utf16.decode(this.part(offset + 4, length - (length % 2), what).bytes);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }

  #check(offset: number, size: number): void {
    if (!this.holds(offset, size)) {
      throw new MinidumpError(
        'out-of-bounds',
        `${capital(this.what)} ends after ${this.size} bytes; ${size} more are needed at ${offset}.`,
      );
    }
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
