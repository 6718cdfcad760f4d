/**
 * Memory of the crashed process, as far as the dump holds it: looked up by address, never copied.
 */
import { AddressMap, type AddressRange, asAddress, checkRange } from './address-map.js';
import { type DumpBytes, MinidumpError } from './dump-bytes.js';
import { entryOffsets, minidumpLimits } from './minidump-streams.js';
import type { Architecture } from './minidump-system.js';

/** A piece of memory and where the file holds it. */
export interface MemoryRange extends AddressRange {
  /** Offset in the file; the range lies inside it. */
  readonly at: number;
}

/** Memory by address. */
export interface Memory {
  /** A view of `size` bytes at an address; undefined if the dump does not hold all of them in one piece. */
  readonly bytes: (address: bigint, size: number) => Buffer | undefined;
  /** A pointer of the processor at an address; undefined if the dump does not hold it. */
  readonly pointer: (address: bigint) => bigint | undefined;
  /** The piece that holds an address, to know how far reading may go; undefined if the dump has none. */
  readonly range: (address: bigint) => AddressRange | undefined;
}

const wordSize = (architecture: Architecture) => (architecture === 'x86' || architecture === 'arm' ? 4 : 8);

/** Descriptors of MemoryList: each piece says where it lies in the file. Throws MinidumpError. */
export function readMemoryList(
  file: DumpBytes,
  stream: DumpBytes | undefined,
  architecture: Architecture,
): readonly MemoryRange[] {
  if (stream === undefined) return [];
  const shape = { size: 16, limit: minidumpLimits.memoryRanges, what: 'pieces of memory' };
  return entryOffsets(stream, shape).map((at) => readMemoryRange(file, stream, at, architecture));
}

/** One MINIDUMP_MEMORY_DESCRIPTOR, as lists and threads have it. Throws MinidumpError. */
export function readMemoryRange(
  file: DumpBytes,
  stream: DumpBytes,
  offset: number,
  architecture: Architecture,
): MemoryRange {
  const base = asAddress(stream.u64(offset), architecture);
  return checked(file, { base, size: stream.u32(offset + 8), at: stream.u32(offset + 12) });
}

/** Descriptors of Memory64List: the pieces follow each other in the file. Throws MinidumpError. */
export function readMemory64List(
  file: DumpBytes,
  stream: DumpBytes | undefined,
  architecture: Architecture,
): readonly MemoryRange[] {
  if (stream === undefined) return [];
  const count = stream.u64(0);
  if (count > minidumpLimits.memoryRanges) {
    throw new MinidumpError(
      'over-limit',
      `The dump lists ${count} pieces of memory; at most ${minidumpLimits.memoryRanges} are read.`,
    );
  }
  const list = stream.part(16, Number(count) * 16, 'the list of pieces of memory');
  const ranges: MemoryRange[] = [];
  let next = stream.u64(8);
  for (let at = 0; at < list.size; at += 16) {
    const size = list.u64(at + 8);
    if (next + size > BigInt(file.size)) throw outside();
    const base = asAddress(list.u64(at), architecture);
    ranges.push(checked(file, { base, size: Number(size), at: Number(next) }));
    next += size;
  }
  return ranges;
}

/** Makes pieces findable. Empty ones are never found. */
export function memoryOf(
  file: DumpBytes,
  ranges: readonly MemoryRange[],
  architecture: Architecture,
): Memory {
  const map = new AddressMap(ranges);
  const width = wordSize(architecture);
  const bytes = (address: bigint, size: number): Buffer | undefined => {
    const range = map.at(address);
    if (range === undefined || size < 0) return undefined;
    const skip = Number(address - range.base);
    if (size > range.size - skip) return undefined;
    return file.bytes.subarray(range.at + skip, range.at + skip + size);
  };
  return {
    bytes,
    pointer: (address) => {
      const word = bytes(address, width);
      if (word === undefined) return undefined;
      return width === 8 ? word.readBigUInt64LE() : BigInt(word.readUInt32LE());
    },
    range: (address) => map.at(address),
  };
}

function checked(file: DumpBytes, range: MemoryRange): MemoryRange {
  if (!file.holds(range.at, range.size)) throw outside();
  checkRange(range, 'A piece of memory');
  return range;
}

function outside(): MinidumpError {
  return new MinidumpError('out-of-bounds', 'A piece of memory would lie outside the file.');
}
