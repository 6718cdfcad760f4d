/**
 * The data blocks of a cabinet's folders (CFDATA, MS-CAB 2.4): walking them within bounds, and their checksum. Knows
 * nothing of files and of what blocks unpack to.
 */
import { CabError } from './cab-error.js';
import { blockBytes } from './mszip.js';

/** How a folder is compressed. Files of `lzx` and `quantum` folders are listed and not opened. */
export type CabCompression = 'stored' | 'mszip' | 'quantum' | 'lzx';

/** A folder as its table entry declares it. */
export interface CabFolder {
  /** Number in the table, from 0, for messages. */
  readonly number: number;
  readonly compression: CabCompression;
  /** Offset of the first block in the cabinet. */
  readonly start: number;
  /** Number of blocks. */
  readonly blocks: number;
}

/** One data block: where it and its content lie in the cabinet, and what it unpacks to, in bytes. */
export interface CabBlock {
  readonly offset: number;
  readonly data: number;
  readonly end: number;
  readonly unpacked: number;
}

/** Packed blocks may be somewhat larger than what they stand for (libmspack and Microsoft's FDI allow as much). */
const packedBytes = blockBytes + 6_144;

/**
 * The blocks of a folder in order, each checked against the file's length and against what its compression allows.
 * `reserve` is the number of bytes that follow each block's header.
 */
export function* walkBlocks(bytes: Uint8Array, folder: CabFolder, reserve: number): Generator<CabBlock> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = folder.start;
  for (let index = 0; index < folder.blocks; index += 1) {
    const place = `Block ${index} of folder ${folder.number}`;
    const data = offset + 8 + reserve;
    if (data > bytes.length) {
      throw new CabError('out-of-range', `${place} begins at ${offset}, beyond the ${bytes.length} bytes.`);
    }
    const packed = view.getUint16(offset + 4, true);
    const unpacked = view.getUint16(offset + 6, true);
    const end = data + packed;
    if (end > bytes.length) {
      throw new CabError('out-of-range', `${place} ends at ${end}, beyond the ${bytes.length} bytes.`);
    }
    if (unpacked === 0) {
      // A block without data is half of one that the next cabinet of a set continues.
      throw new CabError('block-size', `${place} declares that it unpacks to nothing.`);
    }
    if (packed === 0 || packed > packedBytes || unpacked > blockBytes) {
      throw new CabError(
        'block-size',
        `${place} declares ${packed} bytes that unpack to ${unpacked}; at most ${blockBytes} are allowed.`,
      );
    }
    if (folder.compression === 'stored' && packed !== unpacked) {
      throw new CabError(
        'block-size',
        `${place} is stored and declares ${packed} bytes that unpack to ${unpacked}.`,
      );
    }
    // Readers differ in what the dictionary of the next block is after a short one.
    if (folder.compression === 'mszip' && unpacked < blockBytes && index < folder.blocks - 1) {
      throw new CabError(
        'ambiguous',
        `${place} unpacks to ${unpacked} bytes; all but the last must have ${blockBytes}.`,
      );
    }
    yield { offset, data, end, unpacked };
    offset = end;
  }
}

/** The checksum of bytes (MS-CAB 3.1): 32-bit words combined by exclusive or, the rest in reversed order. */
export function checksum(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) sum ^= view.getInt32(at, true);
  let rest = 0;
  for (; at < end; at += 1) rest = (rest << 8) | view.getUint8(at);
  return (sum ^ rest) >>> 0;
}

/** Refuses a block whose checksum is wrong; zero says that none was made. */
export function checkBlock(bytes: Uint8Array, block: CabBlock, folder: CabFolder): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getUint32(block.offset, true);
  if (declared === 0) return;
  const content = checksum(bytes, block.data, block.end);
  // MS-CAB counts the reserved bytes in, libmspack and Wine do not: either is taken.
  const plain = checksum(bytes, block.offset + 4, block.offset + 8, content);
  const full = checksum(bytes, block.offset + 4, block.data, content);
  if (declared === plain || declared === full) return;
  throw new CabError(
    'checksum',
    `The block at ${block.offset} in folder ${folder.number} does not have the checksum it declares.`,
  );
}
