/**
 * MSZIP (MS-MCI): each data block is `CK` and a raw deflate stream of at most 32 KiB of data, with the data of the
 * block before as its dictionary. Single blocks only; the folder around them is the caller's.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CabError } from './cab-error.js';

/** Bytes that a data block stands for at most, and all but the last of a folder exactly. */
export const blockBytes = 32_768;

/** Half the time of zlib's usual level, for a few percent more bytes: who sends a dump waits for this. */
const level = 4;

/** Errors of zlib that speak of the input; anything else is a fault of ours or of the machine. */
const inputErrors = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'ERR_BUFFER_TOO_LARGE']);

/**
 * The `size` bytes that a block stands for. `history` is the data of the block before (empty for the first). A block
 * that unpacks to more or fewer bytes is refused, and so are bytes after the stream: some readers look for the next
 * `CK` there, others do not.
 */
export function inflateBlock(block: Uint8Array, history: Uint8Array, size: number): Uint8Array {
  if (block[0] !== 0x43 || block[1] !== 0x4b) {
    throw new CabError('data', 'An MSZIP block does not begin with CK.');
  }
  const packed = block.subarray(2);
  let result: { buffer: Uint8Array; engine: { bytesWritten: number } };
  try {
    // With `info` the answer is an object; @types/node declares the plain buffer alone.
    result = inflateRawSync(packed, {
      info: true,
      maxOutputLength: size,
      ...(history.length > 0 ? { dictionary: history } : {}),
    }) as unknown as typeof result;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && inputErrors.has(String(error.code)))) throw error;
    throw new CabError('data', `An MSZIP block of ${size} bytes does not unpack.`, error);
  }
  if (result.buffer.length !== size) {
    throw new CabError(
      'data',
      `An MSZIP block unpacks to ${result.buffer.length} bytes instead of the ${size} it declares.`,
    );
  }
  if (result.engine.bytesWritten !== packed.length) {
    throw new CabError('ambiguous', 'An MSZIP block goes on after the end of its deflate stream.');
  }
  return result.buffer;
}

/** The block for at most 32 KiB of data, after `history`; never longer than MS-CAB allows (32,780 bytes). */
export function deflateBlock(data: Uint8Array, history: Uint8Array): Uint8Array {
  if (data.length > blockBytes) throw new TypeError(`a block of ${data.length} bytes`);
  const packed = deflateRawSync(data, { level, ...(history.length > 0 ? { dictionary: history } : {}) });
  if (packed.length < data.length) return Buffer.concat([Buffer.from('CK'), packed]);
  // Data that does not shrink goes into one stored deflate block: zlib would split it and exceed the bound.
  const head = Buffer.from([0x43, 0x4b, 0x01, 0, 0, 0, 0]);
  head.writeUInt16LE(data.length, 3);
  head.writeUInt16LE(data.length ^ 0xffff, 5);
  return Buffer.concat([head, data]);
}
