/**
 * Writes a Microsoft cabinet (MS-CAB) of one folder, stored or MSZIP: what wraps a bare dump for those who expect a
 * cabinet. Pure and at once: callers with large files and others waiting run it in a worker.
 */
import { checksum } from './cab-blocks.js';
import { CabError } from './cab-error.js';
import { encodeName, quoteName, sameName } from './cab-names.js';
import { blockBytes, deflateBlock } from './mszip.js';

/** A file to put into a cabinet. */
export interface CabInput {
  /** A relative path; `/` or `\` between folders; at most 255 bytes of UTF-8. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Written in UTC and in two-second steps; years before 1980 and after 2107 become the nearest that exists. */
  readonly date: Date;
}

/** An ordinary file, changed since the last backup: what every archiver writes. */
const archiveAttribute = 0x20;

/**
 * A cabinet of these files. Throws CabError for names that the reader refuses (and for names that are there twice),
 * for no files and for a folder without any data, which some readers do not take, and for more than 65,535 blocks.
 */
export function writeCab(files: readonly CabInput[], compression: 'stored' | 'mszip'): Uint8Array {
  const total = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const count = Math.ceil(total / blockBytes);
  if (count === 0) throw new CabError('empty', 'A cabinet needs at least one byte of data.');
  // Limits of the format: 16-bit counts of blocks and files.
  if (count > 0xffff) throw new CabError('too-large', `One cabinet cannot hold ${total} bytes.`);
  if (files.length > 0xffff)
    throw new CabError('too-many-files', `One cabinet cannot hold ${files.length} files.`);

  const entries: Uint8Array[] = [];
  const names = new Set<string>();
  let start = 0;
  for (const file of files) {
    if (names.has(sameName(file.name))) {
      throw new CabError('name-duplicate', `The file name ${quoteName(file.name)} is there twice.`);
    }
    names.add(sameName(file.name));
    entries.push(fileEntry(file, start));
    start += file.bytes.length;
  }

  const blocks: Uint8Array[] = [];
  let history: Uint8Array = new Uint8Array(0);
  for (const data of chunksOf(files)) {
    const packed = compression === 'stored' ? data : deflateBlock(data, history);
    blocks.push(blockHeader(packed, data.length), packed);
    history = data;
  }

  const head = Buffer.alloc(36 + 8);
  const tables = head.length + lengthOf(entries);
  head.write('MSCF', 0, 'latin1');
  head.writeUInt32LE(tables + lengthOf(blocks), 8);
  head.writeUInt32LE(head.length, 16);
  head.writeUInt16LE(0x0103, 24);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(files.length, 28);
  head.writeUInt32LE(tables, 36);
  head.writeUInt16LE(count, 40);
  head.writeUInt16LE(compression === 'stored' ? 0 : 1, 42);
  return Buffer.concat([head, ...entries, ...blocks]);
}

const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, part) => sum + part.length, 0);

function fileEntry(file: CabInput, start: number): Uint8Array {
  const name = encodeName(file.name);
  const entry = Buffer.alloc(16 + name.bytes.length + 1);
  entry.writeUInt32LE(file.bytes.length, 0);
  entry.writeUInt32LE(start, 4);
  const { day, time } = dosDate(file.date);
  entry.writeUInt16LE(day, 10);
  entry.writeUInt16LE(time, 12);
  entry.writeUInt16LE(archiveAttribute | name.attributes, 14);
  entry.set(name.bytes, 16);
  return entry;
}

function dosDate(date: Date): { day: number; time: number } {
  const first = Date.UTC(1980, 0, 1);
  const last = Date.UTC(2107, 11, 31, 23, 59, 58);
  if (Number.isNaN(date.getTime())) throw new TypeError('a file of a cabinet needs a valid date');
  const at = new Date(Math.min(Math.max(date.getTime(), first), last));
  return {
    day: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}

function blockHeader(packed: Uint8Array, unpacked: number): Uint8Array {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(packed.length, 4);
  header.writeUInt16LE(unpacked, 6);
  header.writeUInt32LE(checksum(header, 4, 8, checksum(packed, 0, packed.length)), 0);
  return header;
}

/** The data of all files one after the other, in pieces of a block. A piece within one file is a view of it. */
function* chunksOf(files: readonly CabInput[]): Generator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const { bytes } of files) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockBytes - size);
      held.push(part);
      size += part.length;
      at += part.length;
      if (size === blockBytes) {
        yield held.length === 1 ? part : Buffer.concat(held);
        held = [];
        size = 0;
      }
    }
  }
  if (size > 0) yield Buffer.concat(held);
}
