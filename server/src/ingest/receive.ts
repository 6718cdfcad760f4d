/**
 * Receives a body into a file: decodes, counts, hashes and scans it while it arrives. Nobody waits for the disk: the
 * file is gone when its rows are stored, most often before a byte of it was written there. Memory holds a few
 * chunks; a small body may stay there and need no file. A body that breaks a limit is not read further; whoever owns
 * the connection decides what becomes of the rest.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure.js';
import { onDisk } from './answers.js';
import type { BodyLimits } from './limits.js';
import type { Media } from './media.js';
import type { Scan, Scanner } from './scanner.js';
import { inSlice } from './turns.js';

/** A body in its file, or in memory. */
export interface Received {
  readonly bytes: number;
  /** The decoded body if it is small: then there is no file. */
  readonly body?: Buffer;
  /** SHA-256 of the decoded body, hex. */
  readonly hash: string;
  readonly scan: Scan;
}

async function* fromWire(body: Readable, limits: BodyLimits): AsyncGenerator<Buffer> {
  try {
    // The stream is left alone when a limit ends the reading: destroying it would cut the answer off.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      limits.wire(chunk.length);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('invalid-body', ['The connection ended before the body was complete.'], { cause });
  }
}

/** Holds chunks while they are few, then writes them and all that follow into a new file. */
class BodyFile {
  #held: Buffer[] | undefined = [];
  #bytes = 0;
  #file: FileHandle | undefined;

  constructor(
    readonly path: string,
    readonly mostHeld: number,
  ) {}

  async write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    this.#held?.push(chunk);
    if (this.#held !== undefined && this.#bytes <= this.mostHeld) return;
    this.#file ??= await open(this.path, 'wx', 0o600);
    const chunks = this.#held ?? [chunk];
    this.#held = undefined;
    for (const one of chunks) await this.#file.writeFile(one);
  }

  /** Whether the body so far is in memory. */
  get holds(): boolean {
    return this.#held !== undefined && this.mostHeld > 0;
  }

  /** The body if it is held; otherwise it is in the file. */
  async end(): Promise<Buffer | undefined> {
    if (this.#held !== undefined && this.holds) return Buffer.concat(this.#held);
    this.#file ??= await open(this.path, 'wx', 0o600);
    return undefined;
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function store(
  chunks: AsyncIterable<Buffer>,
  file: BodyFile,
  limits: BodyLimits,
  scanner: Scanner,
): Promise<Received> {
  const hash = createHash('sha256');
  let bytes = 0;
  // The disk works on one chunk while the next one is looked at.
  let writing: Promise<unknown> = Promise.resolve();
  try {
    for await (const chunk of chunks) {
      limits.decoded(chunk.length);
      await onDisk(writing);
      writing = file.write(chunk);
      writing.catch(() => undefined);
      bytes += chunk.length;
      const look = () => {
        hash.update(chunk);
        scanner.push(chunk);
      };
      // Small bodies come many at a time. The chunks of a large one leave turns by themselves, as they arrive.
      if (file.holds) await inSlice(look);
      else look();
    }
  } finally {
    await onDisk(writing);
  }
  const body = await onDisk(file.end());
  const received = { bytes, hash: hash.digest('hex'), scan: scanner.end() };
  return body === undefined ? received : { ...received, body };
}

/** Why the storing failed, or what else is known if it did not. */
async function reasonOf(stored: Promise<unknown> | undefined, otherwise: unknown): Promise<unknown> {
  try {
    await stored;
    return otherwise;
  } catch (error) {
    return error;
  }
}

/**
 * Receives a body into a new file, or into memory if it has at most `mostHeld` bytes. Throws Failure `too-large`,
 * `invalid-body` (bad compression, lost connection) or `unavailable` (disk); the file is the caller's to remove,
 * also then.
 */
export async function receive(
  body: Readable,
  media: Media,
  limits: BodyLimits,
  scanner: Scanner,
  path: string,
  mostHeld = 0,
): Promise<Received> {
  const file = new BodyFile(path, mostHeld);
  let stored: Promise<Received> | undefined;
  try {
    const wire = fromWire(body, limits);
    if (media.decoder === undefined) return await store(wire, file, limits, scanner);
    await pipeline(wire, media.decoder(), (decoded: AsyncIterable<Buffer>) => {
      stored = store(decoded, file, limits, scanner);
      return stored;
    });
    if (stored === undefined) throw new TypeError('the pipeline ended without a result');
    return await (stored as Promise<Received>);
  } catch (caught) {
    // The pipeline may report that it was aborted, even before its last member has told what made it so.
    const error = await reasonOf(stored, caught);
    if (error instanceof Failure) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!/^Z(STD)?_|^ERR_ZSTD|^ERR_ZLIB/.test(code)) throw error;
    throw new Failure('invalid-body', [`The body is not valid ${media.encoding}.`], { cause: error });
  } finally {
    await file.close();
  }
}
