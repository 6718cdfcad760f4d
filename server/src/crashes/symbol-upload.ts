/**
 * Receives a symbol file: plain or gzip text in, gzipped text in a local file out, counted on the wire and unpacked
 * while it streams. What the text says is not looked at.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, type Gzip } from 'node:zlib';
import { Failure } from '../failure.js';

/** How much of a body is taken. */
export interface SymbolUploadLimits {
  /** Most bytes on the wire. */
  readonly wireBytes: number;
  /** Most bytes unpacked. */
  readonly unpackedBytes: number;
  /** Most unpacked bytes for each one on the wire, beyond the first MiB. */
  readonly ratio: number;
}

/** A received body. */
export interface ReceivedSymbols {
  /** Unpacked. */
  readonly bytes: number;
  /** SHA-256 of the unpacked text, hex. */
  readonly hash: string;
}

const mib = 1024 * 1024;
const encodings = new Set(['', 'identity', 'gzip', 'x-gzip']);

/** Counts one body. */
class Counts {
  private wireBytes = 0;
  bytes = 0;

  constructor(private readonly limits: SymbolUploadLimits) {}

  wire(bytes: number): void {
    this.wireBytes += bytes;
    if (this.wireBytes > this.limits.wireBytes) {
      throw tooLarge(`A symbol file may have ${this.limits.wireBytes / mib} MiB on the wire.`);
    }
  }

  unpacked(bytes: number): void {
    this.bytes += bytes;
    const { unpackedBytes, ratio } = this.limits;
    if (this.bytes > unpackedBytes) {
      throw tooLarge(`A symbol file may have ${unpackedBytes / mib} MiB after decompression.`);
    }
    if (this.bytes > mib && this.bytes > this.wireBytes * ratio) {
      throw tooLarge(`A symbol file may be ${ratio} times as large after decompression as on the wire.`);
    }
  }
}

const tooLarge = (sentence: string) => new Failure('too-large', [sentence]);

async function* fromWire(body: Readable, counts: Counts): AsyncGenerator<Buffer> {
  try {
    // The stream is left alone when a limit ends the reading: destroying it would cut the answer off.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      counts.wire(chunk.length);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('invalid-body', ['The connection ended before the body was complete.'], { cause });
  }
}

/** The first bytes of a body, by which gzip is told, and the whole body again. */
async function peek(chunks: AsyncGenerator<Buffer>): Promise<{ head: Buffer; whole: AsyncIterable<Buffer> }> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 2) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  async function* whole() {
    try {
      yield head;
      yield* chunks;
    } finally {
      // Whoever stops at the head would leave the body to a reader that nobody asks, and its rest could not be drained.
      await chunks.return(undefined);
    }
  }
  return { head, whole: whole() };
}

/**
 * Receives a body into a new file, which is durable then. Throws Failure `unsupported-media-type`, `too-large`,
 * `invalid-body` (bad compression, lost connection) or `unavailable` (disk); the file is the caller's to remove.
 */
export async function receiveSymbols(
  body: Readable,
  contentEncoding: string | undefined,
  limits: SymbolUploadLimits,
  path: string,
): Promise<ReceivedSymbols> {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (!encodings.has(encoding)) {
    throw new Failure('unsupported-media-type', [
      `The content encoding '${contentEncoding}' is not supported.`,
      'Accepted content encodings: identity, gzip.',
    ]);
  }
  const counts = new Counts(limits);
  const { head, whole } = await peek(fromWire(body, counts));
  const zipped = encoding.endsWith('gzip') || (head[0] === 0x1f && head[1] === 0x8b);
  const hash = createHash('sha256');
  const packed = createGzip();
  const written = pipeline(packed, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  // Whoever waits for room in `packed` hears of a disk that failed by its end.
  written.catch(() => undefined);
  try {
    const count = (unpacked: AsyncIterable<Buffer>) => pack(unpacked, packed, counts, hash);
    await (zipped ? unpack(whole, count) : count(whole));
  } catch (error) {
    packed.destroy();
    await written.catch(() => undefined);
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('Z_')) throw unwritten(error);
    throw new Failure('invalid-body', ['The body is not valid gzip.'], { cause: error });
  }
  packed.end();
  await written.catch((cause: unknown) => {
    throw unwritten(cause);
  });
  return { bytes: counts.bytes, hash: hash.digest('hex') };
}

const unwritten = (cause: unknown) =>
  new Failure('unavailable', ['The symbol file cannot be written to disk.'], { retryAfter: 30, cause });

/** Runs `take` over the unpacked bytes; its own error wins over that of the pipeline, which it ends. */
async function unpack(
  whole: AsyncIterable<Buffer>,
  take: (unpacked: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  let taken: Promise<void> | undefined;
  try {
    await pipeline(whole, createGunzip(), (unpacked: AsyncIterable<Buffer>) => {
      taken = take(unpacked);
      return taken;
    });
  } catch (error) {
    await taken;
    throw error;
  }
}

async function pack(
  unpacked: AsyncIterable<Buffer>,
  packed: Gzip,
  counts: Counts,
  hash: { update(bytes: Buffer): unknown },
): Promise<void> {
  for await (const chunk of unpacked) {
    counts.unpacked(chunk.length);
    hash.update(chunk);
    if (!packed.write(chunk)) await once(packed, 'drain');
  }
}
