/**
 * Puts cabinets together field by field, so that tests can write every wrong one. Offsets, counts and sizes are
 * computed unless they are given; nothing is checked.
 */
import { checksum } from '../../src/crashes/cab-blocks.js';

/** A data block; sizes are those of the data, and the checksum is right, unless given. */
export interface RawBlock {
  readonly data: Uint8Array;
  readonly unpacked?: number;
  readonly packed?: number;
  readonly checksum?: number;
}

/** A folder with its blocks. */
export interface RawFolder {
  readonly type?: number;
  readonly start?: number;
  readonly count?: number;
  readonly blocks: readonly RawBlock[];
}

/** A file entry. */
export interface RawFile {
  readonly name: string | Uint8Array;
  readonly size: number;
  readonly start?: number;
  readonly folder?: number;
  readonly day?: number;
  readonly time?: number;
  readonly attributes?: number;
}

/** A cabinet; `gap` bytes come before the data and `tail` after it. */
export interface RawCab {
  readonly folders: readonly RawFolder[];
  readonly files: readonly RawFile[];
  readonly flags?: number;
  readonly version?: number;
  readonly length?: number;
  readonly fileTable?: number;
  readonly fileCount?: number;
  readonly folderCount?: number;
  readonly reserve?: { readonly header: number; readonly folder: number; readonly data: number };
  /** Whether checksums count reserved bytes in, as MS-CAB says and others do not. */
  readonly sumsReserve?: boolean;
  readonly gap?: number;
  readonly tail?: Uint8Array;
}

/** The bytes of a cabinet. */
export function rawCab(cab: RawCab): Uint8Array {
  const { reserve } = cab;
  const head = Buffer.alloc(reserve === undefined ? 36 : 40 + reserve.header, 0xaa);
  head.fill(0, 0, 36);
  const folderBytes = 8 + (reserve?.folder ?? 0);
  const entries = cab.files.map(rawFile);
  const fileTable = head.length + folderBytes * cab.folders.length;
  const blocks = cab.folders.map((folder) => folder.blocks.map((block) => rawBlock(block, cab)));
  let at = fileTable + Buffer.concat(entries).length + (cab.gap ?? 0);
  const tables = cab.folders.map((folder, index) => {
    const entry = Buffer.alloc(folderBytes, 0xbb);
    entry.writeUInt32LE(folder.start ?? at, 0);
    entry.writeUInt16LE(folder.count ?? folder.blocks.length, 4);
    entry.writeUInt16LE(folder.type ?? 0, 6);
    at += Buffer.concat(blocks[index] ?? []).length;
    return entry;
  });
  const tail = cab.tail ?? new Uint8Array(0);
  head.write('MSCF', 0, 'latin1');
  head.writeUInt32LE(cab.length ?? at, 8);
  head.writeUInt32LE(cab.fileTable ?? fileTable, 16);
  head.writeUInt16LE(cab.version ?? 0x0103, 24);
  head.writeUInt16LE(cab.folderCount ?? cab.folders.length, 26);
  head.writeUInt16LE(cab.fileCount ?? cab.files.length, 28);
  head.writeUInt16LE(cab.flags ?? (reserve === undefined ? 0 : 4), 30);
  if (reserve !== undefined) {
    head.writeUInt16LE(reserve.header, 36);
    head.writeUInt8(reserve.folder, 38);
    head.writeUInt8(reserve.data, 39);
  }
  return Buffer.concat([head, ...tables, ...entries, Buffer.alloc(cab.gap ?? 0), ...blocks.flat(), tail]);
}

function rawFile(file: RawFile): Buffer {
  const name = typeof file.name === 'string' ? Buffer.from(file.name, 'utf8') : file.name;
  const entry = Buffer.alloc(16 + name.length + 1);
  entry.writeUInt32LE(file.size, 0);
  entry.writeUInt32LE(file.start ?? 0, 4);
  entry.writeUInt16LE(file.folder ?? 0, 8);
  entry.writeUInt16LE(file.day ?? 0, 10);
  entry.writeUInt16LE(file.time ?? 0, 12);
  entry.writeUInt16LE(file.attributes ?? 0x20, 14);
  entry.set(name, 16);
  return entry;
}

function rawBlock(block: RawBlock, cab: RawCab): Buffer {
  const header = Buffer.alloc(8 + (cab.reserve?.data ?? 0), 0xcd);
  header.writeUInt16LE(block.packed ?? block.data.length, 4);
  header.writeUInt16LE(block.unpacked ?? block.data.length, 6);
  const content = checksum(block.data, 0, block.data.length);
  const end = cab.sumsReserve === true ? header.length : 8;
  header.writeUInt32LE(block.checksum ?? checksum(header, 4, end, content), 0);
  return Buffer.concat([header, block.data]);
}
