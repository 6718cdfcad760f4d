/** A body of many megabytes, of 250 in half a million rows at most, compressed while it is sent. */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { event } from './posting.js';

/** Decoded size of the biggest body that is sent. */
export const bigBytes = 250_000_000;

const rowsAtOnce = 500;
const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(14);

/** A body of so many bytes, compressed while it is sent; `size` is its rows and decoded size once it has been read. */
export function bigBody(last: object, bytes = bigBytes) {
  const size = { rows: 0, bytes: 0 };
  function* pieces(): Generator<Buffer> {
    while (size.bytes < bytes) {
      const lines = Array.from({ length: rowsAtOnce }, () => {
        size.rows += 1;
        return JSON.stringify({
          ...event,
          deviceId: `${size.rows}`,
          userId: `${size.rows * 7919} ${filler}`,
        });
      });
      const piece = Buffer.from(`${lines.join('\n')}\n`);
      size.bytes += piece.length;
      yield piece;
    }
    size.rows += 1;
    yield Buffer.from(JSON.stringify({ ...event, ...last }));
  }
  const stream = Readable.from(pieces(), { objectMode: false }).pipe(createGzip({ level: 1 }));
  return { size, stream: Readable.toWeb(stream) as ReadableStream<Uint8Array> };
}
