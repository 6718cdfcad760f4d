/**
 * Header and stream directory of a minidump, and the shape its lists share. Every stream is checked to lie inside the
 * file, apart from header, directory and each other, so that no two readers see different dumps in one file.
 */
import { DumpBytes, MinidumpError } from './dump-bytes.js';

/** Numbers of the streams that are read, as the format's documentation gives them. */
const streamTypes = {
  threadList: 3,
  moduleList: 4,
  memoryList: 5,
  exception: 6,
  systemInfo: 7,
  memory64List: 9,
  miscInfo: 15,
  breakpadInfo: 0x47670001,
} as const;

/** How many of each a dump may have; more are refused. */
export const minidumpLimits = { streams: 256, modules: 4096, threads: 4096, memoryRanges: 65_536 } as const;

/** Header facts and the streams that are read. */
export interface MinidumpStreams {
  /** The whole file. */
  readonly file: DumpBytes;
  /** When the dump was written, in milliseconds since 1970; undefined if the header says 0. */
  readonly time: number | undefined;
  /** The stream of a kind, if the dump has it. */
  readonly stream: (kind: keyof typeof streamTypes) => DumpBytes | undefined;
}

const headerSize = 32;
const entrySize = 12;

/** What a file is by its first bytes: a minidump, a kernel dump (full or small, of 32 or 64 bits), or neither. */
export function dumpKind(bytes: Buffer): 'minidump' | 'kernel-dump' | 'other' {
  const signature = bytes.toString('latin1', 0, 8);
  if (signature.startsWith('MDMP')) return 'minidump';
  return signature === 'PAGEDUMP' || signature === 'PAGEDU64' ? 'kernel-dump' : 'other';
}

/** Reads header and directory. Throws MinidumpError for anything that is no sound minidump. */
export function readStreams(bytes: Buffer): MinidumpStreams {
  const kind = dumpKind(bytes);
  if (kind === 'kernel-dump') {
    throw new MinidumpError('kernel-dump', 'The file is a kernel dump; kernel dumps are kept but not read.');
  }
  if (kind === 'other') {
    throw new MinidumpError('not-a-minidump', 'The file is no minidump: it does not begin with MDMP.');
  }
  const file = new DumpBytes(bytes, 'the file');
  const header = file.part(0, headerSize, 'the header');
  // The upper half of the version is the writer's own business.
  if (header.u16(4) !== 0xa793) {
    throw new MinidumpError(
      'malformed',
      `The minidump has the format version ${header.u16(4).toString(16)}, not a793.`,
    );
  }
  const count = header.u32(8);
  if (count > minidumpLimits.streams) {
    throw new MinidumpError(
      'over-limit',
      `The dump lists ${count} streams; at most ${minidumpLimits.streams} are read.`,
    );
  }
  const directoryAt = header.u32(12);
  const directory = file.part(directoryAt, count * entrySize, 'the stream directory');
  const wanted = new Map<number, string>(Object.entries(streamTypes).map(([name, type]) => [type, name]));
  const found = new Map<string, DumpBytes>();
  const taken = [
    { from: 0, to: headerSize, what: 'the header' },
    { from: directoryAt, to: directoryAt + directory.size, what: 'the stream directory' },
  ];
  for (let index = 0; index < count; index++) {
    const type = directory.u32(index * entrySize);
    if (type === 0) continue; // an unused entry
    const size = directory.u32(index * entrySize + 4);
    const at = directory.u32(index * entrySize + 8);
    const name = wanted.get(type);
    const what = `the stream ${name ?? `0x${type.toString(16)}`}`;
    const part = file.part(at, size, what);
    taken.push({ from: at, to: at + size, what });
    if (name === undefined) continue;
    if (found.has(name)) throw new MinidumpError('malformed', `The dump has ${what} twice.`);
    found.set(name, part);
  }
  refuseOverlaps(taken.filter(({ from, to }) => to > from));
  const seconds = header.u32(20);
  return { file, time: seconds === 0 ? undefined : seconds * 1000, stream: (name) => found.get(name) };
}

function refuseOverlaps(parts: { from: number; to: number; what: string }[]): void {
  parts.sort((a, b) => a.from - b.from);
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (next !== undefined && next.from < part.to) {
      throw new MinidumpError('malformed', `In the dump ${part.what} and ${next.what} overlap.`);
    }
  }
}

/**
 * Offsets of the entries of a list stream, all inside it: a 32-bit count, then entries of one size. Some writers leave
 * four bytes after the count, to begin the entries at a multiple of eight.
 */
export function entryOffsets(
  stream: DumpBytes,
  shape: { readonly size: number; readonly limit: number; readonly what: string },
): number[] {
  const count = stream.u32(0);
  if (count > shape.limit) {
    throw new MinidumpError(
      'over-limit',
      `The dump lists ${count} ${shape.what}; at most ${shape.limit} are read.`,
    );
  }
  const start = stream.size === 8 + count * shape.size ? 8 : 4;
  stream.part(start, count * shape.size, `the list of ${shape.what}`);
  const offsets: number[] = [];
  for (let index = 0; index < count; index += 1) offsets.push(start + index * shape.size);
  return offsets;
}
