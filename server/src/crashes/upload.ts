/**
 * Receives the multipart body of a crash: the part `file` is counted and hashed and goes to disk unless it is small, the
 * part `event` is kept as text. Limits hold while it streams. A body that breaks one is not read further; whoever owns the
 * connection decides what becomes of the rest. What file and event say is nobody's matter here.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Failure } from '../failure.js';

const mib = 1024 * 1024;

/** Most bytes of the part `event`. */
const maxEventBytes = mib;

/** Files up to this size stay in memory: most dumps are small, and a file that is soon removed costs more than they. */
const maxHeldBytes = 256 * 1024;

/** Room for delimiters and headers of the parts. */
const framingBytes = 64 * 1024;

/** A body to receive and where its file goes. */
export interface UploadRequest {
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Bytes on the wire, if announced. */
  readonly contentLength: number | undefined;
  /** Most MiB of the file. */
  readonly maxFileMib: number;
  /** Path of the new file; the caller's to remove, also after a failure. */
  readonly path: string;
}

/** A received body. */
export interface Upload {
  /** The text of the part `event`; undefined if there was none. */
  readonly event: string | undefined;
  readonly bytes: number;
  /** The file's bytes; undefined if they are too many and lie at the path, not synced. */
  readonly content: Uint8Array | undefined;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
}

/** A fault of the disk is no fault of the caller. */
function diskFailure(cause: unknown): Failure {
  return new Failure('unavailable', ['The crash file cannot be written to disk.'], { retryAfter: 30, cause });
}

function invalid(sentence: string, cause?: unknown): Failure {
  return new Failure('invalid-body', [sentence], { cause });
}

/** The parser of a body with this content type. Every part is taken as bytes, whatever its own type says. */
function parserFor(contentType: string | undefined, contentEncoding: string | undefined): BusboyInstance {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new Failure('unsupported-media-type', [
      `The content encoding '${contentEncoding}' is not supported: a crash is sent as it is.`,
    ]);
  }
  if (!/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType ?? '')) {
    throw new Failure('unsupported-media-type', [
      contentType === undefined
        ? 'The content type is missing or malformed.'
        : `The content type '${contentType}' is not known.`,
      'A crash is sent as multipart/form-data with the part file and, unless the query names source and product, event.',
    ]);
  }
  try {
    return new Busboy({
      headers: { 'content-type': contentType ?? '' },
      isPartAFile: () => true,
      limits: { headerSize: 8192, headerPairs: 32 },
    });
  } catch (cause) {
    throw invalid('The content type names no boundary of the parts.', cause);
  }
}

/** The parts of one body. The first failure of any of them ends the receiving. */
class Parts {
  readonly failed: Promise<never>;
  readonly #hash = createHash('sha256');
  readonly #event: Buffer[] = [];
  readonly #ends: Promise<unknown>[] = [];
  readonly #seen = new Set<string>();
  #bytes = 0;
  #held: Buffer[] = [];
  #file: FileHandle | undefined;
  #eventBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #fail: (error: unknown) => void = () => undefined;

  constructor(
    readonly path: string,
    readonly maxFileMib: number,
  ) {
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** Takes a part; none of its bytes is lost to a later listener. */
  take(name: string | undefined, part: BusboyFileStream): void {
    part.on('error', (cause) => this.#fail(invalid('The body ends within a part.', cause)));
    if (name !== 'file' && name !== 'event') {
      const known = "expected 'file' and 'event'";
      this.#fail(
        invalid(name === undefined ? `A part has no name; ${known}.` : `Unknown part '${name}'; ${known}.`),
      );
      part.resume();
      return;
    }
    if (this.#seen.has(name)) {
      this.#fail(invalid(`The part '${name}' is there twice.`));
      part.resume();
      return;
    }
    this.#seen.add(name);
    this.#ends.push(new Promise((resolve) => part.once('end', resolve)));
    if (name === 'file') part.on('data', (chunk: Buffer) => this.#write(chunk, part));
    else part.on('data', (chunk: Buffer) => this.#keep(chunk));
  }

  /** Waits for the last bytes of all parts. */
  async end(): Promise<Upload> {
    await Promise.race([Promise.all(this.#ends), this.failed]);
    await this.close();
    await Promise.race([this.failed, Promise.resolve()]);
    if (!this.#seen.has('file')) {
      throw invalid("The part 'file' is missing: a cabinet (.cab) or a dump (.dmp).");
    }
    return {
      event: this.#seen.has('event') ? decoded(Buffer.concat(this.#event)) : undefined,
      bytes: this.#bytes,
      content: this.#file === undefined ? Buffer.concat(this.#held) : undefined,
      hash: this.#hash.digest('hex'),
    };
  }

  /** Waits until nothing is written any longer, and closes the file. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file?.close().catch((error: unknown) => this.#fail(diskFailure(error)));
  }

  #write(chunk: Buffer, part: BusboyFileStream): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.maxFileMib * mib) {
      this.#fail(new Failure('too-large', [`A crash file may have ${this.maxFileMib} MiB.`]));
      return;
    }
    this.#hash.update(chunk);
    this.#held.push(chunk);
    if (this.#bytes <= maxHeldBytes) return;
    const held = this.#held;
    this.#held = [];
    part.pause();
    this.#writing = this.#writing.then(() => this.#append(held));
    this.#writing.then(
      () => part.resume(),
      (error: unknown) => this.#fail(diskFailure(error)),
    );
  }

  async #append(chunks: readonly Buffer[]): Promise<void> {
    this.#file ??= await open(this.path, 'wx', 0o600);
    for (const chunk of chunks) await this.#file.writeFile(chunk);
  }

  #keep(chunk: Buffer): void {
    this.#eventBytes += chunk.length;
    if (this.#eventBytes > maxEventBytes) {
      this.#fail(new Failure('too-large', ["The part 'event' may have 1 MiB."]));
    } else this.#event.push(chunk);
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('invalid-rows', ["The part 'event' is not valid UTF-8."], { cause });
  }
}

async function* fromWire(body: Readable, announce: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    // The stream is left alone when a limit ends the reading: destroying it would cut the answer off.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      announce(bytes);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw invalid('The connection ended before the body was complete.', cause);
  }
}

/**
 * Receives a crash. Throws Failure `unsupported-media-type`, `too-large`, `invalid-body` for parts that are missing,
 * unknown, there twice or cut off, `invalid-rows` for an event that is no UTF-8, and `unavailable` for the disk.
 */
export async function receiveUpload(request: UploadRequest): Promise<Upload> {
  const { body, contentLength, maxFileMib, path } = request;
  const parser = parserFor(request.contentType, request.contentEncoding);
  const most = maxFileMib * mib + maxEventBytes + framingBytes;
  const within = (bytes: number) => {
    if (bytes <= most) return;
    throw new Failure('too-large', [`A crash may have a file of ${maxFileMib} MiB and an event of 1 MiB.`]);
  };
  within(contentLength ?? 0);
  const parts = new Parts(path, maxFileMib);
  const broken = new Promise<never>((_, reject) => {
    parser.on('error', (cause) => reject(invalid('The body is not valid multipart/form-data.', cause)));
  });
  broken.catch(() => undefined);
  const finished = once(parser, 'finish');
  finished.catch(() => undefined);
  parser.on('file', (name, part) => parts.take(name, part));
  const stopped = Promise.race([parts.failed, broken]);
  stopped.catch(() => undefined);
  try {
    for await (const chunk of fromWire(body, within)) {
      if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), stopped]);
      await Promise.race([stopped, Promise.resolve()]);
    }
    parser.end();
    await Promise.race([finished, stopped]);
    return await parts.end();
  } finally {
    await parts.close();
  }
}
