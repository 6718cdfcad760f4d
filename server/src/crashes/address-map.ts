/**
 * Finds what lies at an address: modules, pieces of memory. Overlapping entries are legal in dumps; the one that
 * starts last before the address answers, and entries that lie wholly inside another are never found.
 */
import { MinidumpError } from './dump-bytes.js';
import type { Architecture } from './minidump-system.js';

/** Something that occupies `size` bytes from `base` on, both in the crashed process. */
export interface AddressRange {
  readonly base: bigint;
  readonly size: number;
}

/** An address as the processor knows it: writers for x86 may have extended its sign to 64 bits. */
export function asAddress(value: bigint, architecture: Architecture): bigint {
  return architecture === 'x86' && value >> 32n === 0xffff_ffffn ? value & 0xffff_ffffn : value;
}

/** Throws MinidumpError if a range would run past the end of the 64-bit address space. */
export function checkRange({ base, size }: AddressRange, what: string): void {
  // Nearly all lie lower, and dumps have thousands.
  if (base < 0xffff_0000_0000_0000n && size <= 0xffff_ffff) return;
  if (base + BigInt(size) > 1n << 64n) {
    throw new MinidumpError('malformed', `${what} runs past the end of the address space.`);
  }
}

/** Ranges by address. A look-up takes logarithmic time, whatever the ranges are. */
export class AddressMap<T extends AddressRange> {
  readonly #ranges: T[] = [];

  constructor(ranges: readonly T[]) {
    // Among equal bases the longest comes first, so that what remains has growing bases and growing ends.
    const ascending = ranges.every(
      (range, index) => index === 0 || (ranges[index - 1]?.base ?? 0n) < range.base,
    );
    const sorted = ascending
      ? ranges
      : [...ranges].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : b.size - a.size));
    let end = 0n;
    for (const range of sorted) {
      const rangeEnd = range.base + BigInt(range.size);
      if (range.size === 0 || rangeEnd <= end) continue;
      this.#ranges.push(range);
      end = rangeEnd;
    }
  }

  /** The entry that holds an address, or undefined. */
  at(address: bigint): T | undefined {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.base <= address) low = middle + 1;
      else high = middle;
    }
    const range = this.#ranges[low - 1];
    return range !== undefined && address - range.base < BigInt(range.size) ? range : undefined;
  }
}
