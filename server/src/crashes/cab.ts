/**
 * Reads Microsoft cabinets (MS-CAB) that strangers sent: lists files and unpacks stored and MSZIP folders. Pure: bytes
 * in, bytes out; it neither touches the file system nor waits. LZX and Quantum folders are listed and not opened.
 *
 * It is stricter than the format: whatever two readers could understand differently is refused. Every byte of the
 * file belongs to exactly one structure and every unpacked byte to exactly one file, so that nothing can hide.
 */
import { type CabCompression, type CabFolder, checkBlock, walkBlocks } from './cab-blocks.js';
import { CabError } from './cab-error.js';
import { decodeName, quoteName, sameName } from './cab-names.js';
import { inflateBlock } from './mszip.js';

/** What a cabinet may hold. */
export interface CabLimits {
  /** Bytes that all folders together may unpack to, by what they declare; folders that are not opened count. */
  readonly totalBytes: number;
  /** Unpacked bytes per byte of the cabinet, on top of `ratioAllowance`. */
  readonly ratio: number;
  /** Unpacked bytes that need no such justification. */
  readonly ratioAllowance: number;
  readonly files: number;
  readonly folders: number;
  /** Bytes of a name, without the final zero. */
  readonly nameLength: number;
}

/** The limits for cabinets from strangers: 100 MiB, 200 to 1 above 64 KiB, 64 files, 8 folders. */
export const cabLimits: CabLimits = Object.freeze({
  totalBytes: 100 * 1024 * 1024,
  ratio: 200,
  ratioAllowance: 64 * 1024,
  files: 64,
  folders: 8,
  nameLength: 255,
});

/** A file of a cabinet. */
export interface CabFile {
  /** A relative path with `/` between folders; a label, not something to write to. */
  readonly name: string;
  /** Unpacked bytes. */
  readonly size: number;
  /** `YYYY-MM-DDTHH:mm:ss` without a zone, as the format has it (two-second steps); null when it is no date. */
  readonly date: string | null;
  /** Attribute bits as they stand. */
  readonly attributes: number;
  /** Number of the folder that holds it, from 0. */
  readonly folder: number;
  readonly compression: CabCompression;
  /** Whether `extract` opens it: stored and MSZIP. */
  readonly opens: boolean;
}

/** A cabinet whose structure and checksums are sound. */
export interface Cab {
  readonly files: readonly CabFile[];
  /**
   * The bytes of a file: a view of the unpacked folder, which is kept, so that all files together cost one unpacking
   * and at most `totalBytes`. Throws CabError: `data`, `ambiguous`, `compression-not-opened`, `no-such-file`.
   */
  extract(name: string): Uint8Array;
}

const compressions: readonly CabCompression[] = ['stored', 'mszip', 'quantum', 'lzx'];

interface Header {
  readonly folders: number;
  readonly files: number;
  readonly folderTable: number;
  readonly folderReserve: number;
  readonly dataReserve: number;
}

interface Entry extends CabFile {
  /** Offset in the unpacked folder. */
  readonly start: number;
}

/**
 * Reads a cabinet's structure and checks its sums, or throws CabError. Nothing is unpacked yet. The cabinet keeps
 * `bytes` for `extract`; they must not change.
 */
export function readCab(bytes: Uint8Array, limits: CabLimits): Cab {
  for (const [name, value] of Object.entries(limits)) {
    if (!(value >= 0)) throw new TypeError(`the limit ${name} of a cabinet is ${value}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, limits);
  const folders = readFolders(view, header);
  const { entries, end } = readEntries(bytes, view, header, folders, limits);
  const sizes = measureFolders(bytes, folders, header.dataReserve, end, limits);
  checkEntries(entries, sizes);
  for (const folder of folders) {
    for (const block of walkBlocks(bytes, folder, header.dataReserve)) checkBlock(bytes, block, folder);
  }
  const unpacked = new Map<number, Uint8Array>();
  return {
    files: entries.map(({ start: _, ...file }) => file),
    extract: (name) => {
      const entry = entries.find((candidate) => candidate.name === name);
      const folder = folders[entry?.folder ?? -1];
      if (entry === undefined || folder === undefined) {
        throw new CabError('no-such-file', `The cabinet holds no file ${quoteName(name)}.`);
      }
      let content = unpacked.get(folder.number);
      if (content === undefined) {
        content = unpackFolder(bytes, folder, header.dataReserve, sizes[folder.number] ?? 0);
        unpacked.set(folder.number, content);
      }
      return content.subarray(entry.start, entry.start + entry.size);
    },
  };
}

function readHeader(view: DataView, limits: CabLimits): Header {
  const length = view.byteLength;
  if (length < 36 || view.getUint32(0, false) !== 0x4d534346) {
    throw new CabError('not-a-cabinet', 'The file does not begin as a cabinet does (MSCF and a header).');
  }
  const version = `${view.getUint8(25)}.${view.getUint8(24)}`;
  if (version !== '1.3') throw new CabError('version', `The cabinet has version ${version}; 1.3 is read.`);
  const flags = view.getUint16(30, true);
  if ((flags & ~7) !== 0) {
    throw new CabError('ambiguous', `The header has flags nobody defined (0x${flags.toString(16)}).`);
  }
  if ((flags & 3) !== 0) {
    throw new CabError('multi-cabinet', 'The cabinet is one of a set; send a cabinet that stands alone.');
  }
  const declared = view.getUint32(8, true);
  if (declared > length) {
    throw new CabError('truncated', `The cabinet declares ${declared} bytes and has ${length}.`);
  }
  if (declared < length) {
    throw new CabError(
      'trailing-bytes',
      `The cabinet ends after ${declared} of ${length} bytes; nothing may follow it.`,
    );
  }
  const reserves = (flags & 4) !== 0;
  if (reserves && length < 40) throw new CabError('truncated', 'The cabinet ends within its header.');
  const headerReserve = reserves ? view.getUint16(36, true) : 0;
  if (headerReserve > 60_000) {
    throw new CabError('ambiguous', `The header reserves ${headerReserve} bytes; 60000 are the most.`);
  }
  const folders = view.getUint16(26, true);
  const files = view.getUint16(28, true);
  if (folders === 0 || files === 0) throw new CabError('empty', 'The cabinet holds no folder or no file.');
  if (folders > limits.folders) {
    throw new CabError(
      'too-many-folders',
      `The cabinet has ${folders} folders; ${limits.folders} are allowed.`,
    );
  }
  if (files > limits.files) {
    throw new CabError('too-many-files', `The cabinet has ${files} files; ${limits.files} are allowed.`);
  }
  const header = {
    folders,
    files,
    folderTable: reserves ? 40 + headerReserve : 36,
    folderReserve: reserves ? view.getUint8(38) : 0,
    dataReserve: reserves ? view.getUint8(39) : 0,
  };
  const fileTable = header.folderTable + folders * (8 + header.folderReserve);
  if (fileTable > length) throw new CabError('truncated', 'The cabinet ends within its table of folders.');
  const pointer = view.getUint32(16, true);
  // Some readers follow the pointer and others the tables: on such a cabinet they list different files.
  if (pointer !== fileTable) {
    throw new CabError(
      'ambiguous',
      `The table of files is said to begin at ${pointer}; it must follow the folders, at ${fileTable}.`,
    );
  }
  return header;
}

function readFolders(view: DataView, header: Header): readonly CabFolder[] {
  return Array.from({ length: header.folders }, (_, number) => {
    const at = header.folderTable + number * (8 + header.folderReserve);
    const type = view.getUint16(at + 6, true);
    const compression = compressions[type & 15];
    // The upper bits hold sizes for Quantum and LZX and mean nothing otherwise.
    if (compression === undefined || ((type & 15) < 2 && type > 15)) {
      throw new CabError(
        'compression-unknown',
        `Folder ${number} has a compression nobody defined (0x${type.toString(16)}).`,
      );
    }
    const start = view.getUint32(at, true);
    if (start > view.byteLength) {
      throw new CabError('out-of-range', `Folder ${number} is said to begin at ${start}, beyond the file.`);
    }
    return { number, compression, start, blocks: view.getUint16(at + 4, true) };
  });
}

function readEntries(
  bytes: Uint8Array,
  view: DataView,
  header: Header,
  folders: readonly CabFolder[],
  limits: CabLimits,
): { entries: readonly Entry[]; end: number } {
  const entries: Entry[] = [];
  const names = new Set<string>();
  let at = header.folderTable + header.folders * (8 + header.folderReserve);
  for (let number = 0; number < header.files; number += 1) {
    const nameAt = at + 16;
    if (nameAt > bytes.length) throw new CabError('truncated', 'The cabinet ends within its table of files.');
    const length = bytes.subarray(nameAt, nameAt + limits.nameLength + 1).indexOf(0);
    if (length === -1) {
      throw bytes.length - nameAt <= limits.nameLength
        ? new CabError('truncated', `The cabinet ends within the name of file ${number}.`)
        : new CabError(
            'name-too-long',
            `The name of file ${number} is longer than ${limits.nameLength} bytes.`,
          );
    }
    const index = view.getUint16(at + 8, true);
    if (index >= 0xfffd) {
      throw new CabError(
        'multi-cabinet',
        `File ${number} goes on in another cabinet; send one that stands alone.`,
      );
    }
    const folder = folders[index];
    if (folder === undefined) {
      throw new CabError('out-of-range', `File ${number} is in folder ${index} of ${folders.length}.`);
    }
    const attributes = view.getUint16(at + 14, true);
    const name = decodeName(bytes.subarray(nameAt, nameAt + length), attributes);
    if (names.has(sameName(name))) {
      throw new CabError('name-duplicate', `The file name ${quoteName(name)} is there twice.`);
    }
    names.add(sameName(name));
    entries.push({
      name,
      size: view.getUint32(at, true),
      date: readDate(view.getUint16(at + 10, true), view.getUint16(at + 12, true)),
      attributes,
      folder: index,
      compression: folder.compression,
      opens: folder.compression === 'stored' || folder.compression === 'mszip',
      start: view.getUint32(at + 4, true),
    });
    at = nameAt + length + 1;
  }
  return { entries, end: at };
}

/** A date and time of MS-DOS as text, or null when there is no such day or time. */
function readDate(day: number, time: number): string | null {
  const fields = [
    day >> 9,
    (day >> 5) & 15,
    day & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  ] as const;
  const [year, month, date, hour, minute, second] = fields;
  const moment = new Date(Date.UTC(1980 + year, month - 1, date, hour, minute, second));
  const text = moment.toISOString().slice(0, 19);
  const pad = (value: number) => String(value).padStart(2, '0');
  const literal = `${1980 + year}-${pad(month)}-${pad(date)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
  return text === literal ? text : null;
}

/** Unpacked bytes of each folder, after checking that the blocks of all fill the cabinet from `begin` to its end. */
function measureFolders(
  bytes: Uint8Array,
  folders: readonly CabFolder[],
  reserve: number,
  begin: number,
  limits: CabLimits,
): readonly number[] {
  const regions: { folder: number; start: number; end: number }[] = [];
  let total = 0;
  const sizes = folders.map((folder) => {
    let size = 0;
    let end = folder.start;
    for (const block of walkBlocks(bytes, folder, reserve)) {
      size += block.unpacked;
      end = block.end;
      if (total + size > limits.totalBytes) {
        throw new CabError('too-large', `The cabinet unpacks to more than ${limits.totalBytes} bytes.`);
      }
    }
    total += size;
    if (folder.blocks > 0) regions.push({ folder: folder.number, start: folder.start, end });
    return size;
  });
  if (total > bytes.length * limits.ratio + limits.ratioAllowance) {
    throw new CabError(
      'ratio',
      `The cabinet has ${bytes.length} bytes that unpack to ${total}, more than ${limits.ratio} to 1.`,
    );
  }
  let reached = begin;
  for (const region of regions.sort((a, b) => a.start - b.start)) {
    if (region.start < reached) {
      throw new CabError(
        'overlap',
        `Folder ${region.folder} begins at ${region.start}, within what ends at ${reached}.`,
      );
    }
    if (region.start > reached) {
      throw new CabError('ambiguous', `The bytes from ${reached} to ${region.start} belong to nothing.`);
    }
    reached = region.end;
  }
  if (reached < bytes.length) {
    throw new CabError('ambiguous', `The bytes from ${reached} to ${bytes.length} belong to nothing.`);
  }
  return sizes;
}

/** Checks that the files of each folder follow each other from its first byte to its last, as MS-CAB orders them. */
function checkEntries(entries: readonly Entry[], sizes: readonly number[]): void {
  const reached = sizes.map(() => 0);
  for (const entry of entries) {
    const size = sizes[entry.folder] ?? 0;
    const before = reached[entry.folder] ?? 0;
    const end = entry.start + entry.size;
    const place = `The file ${quoteName(entry.name)}`;
    if (end > size) {
      throw new CabError('out-of-range', `${place} ends at ${end} in a folder of ${size} unpacked bytes.`);
    }
    if (entry.start < before) {
      throw new CabError('overlap', `${place} begins at ${entry.start}, within what ends at ${before}.`);
    }
    if (entry.start > before) {
      throw new CabError('ambiguous', `${place} begins at ${entry.start} instead of ${before}.`);
    }
    reached[entry.folder] = end;
  }
  for (const [number, size] of sizes.entries()) {
    const end = reached[number] ?? 0;
    if (end < size) {
      throw new CabError(
        'ambiguous',
        `Folder ${number} unpacks to ${size} bytes and its files end at ${end}.`,
      );
    }
  }
}

/** The `size` bytes of a folder. The size was checked against the limits before, so that it may be allocated. */
function unpackFolder(bytes: Uint8Array, folder: CabFolder, reserve: number, size: number): Uint8Array {
  if (folder.compression !== 'stored' && folder.compression !== 'mszip') {
    throw new CabError(
      'compression-not-opened',
      `The cabinet is compressed with ${folder.compression}, which is kept but not opened.`,
    );
  }
  const content = new Uint8Array(size);
  let at = 0;
  let history = content.subarray(0, 0);
  for (const block of walkBlocks(bytes, folder, reserve)) {
    const packed = bytes.subarray(block.data, block.end);
    const data = folder.compression === 'stored' ? packed : inflateBlock(packed, history, block.unpacked);
    content.set(data, at);
    history = content.subarray(at, at + block.unpacked);
    at += block.unpacked;
  }
  return content;
}
