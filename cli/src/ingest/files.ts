/** Bytes of files, or of standard input for `-`, unpacked if they are gzip. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { RefusedError, UsageError } from '../command.js';
import { type Form, forms } from './batches.js';

const pieceSize = 1024 * 1024;

/** The form that a file's name tells, or that was given. */
export function formOf(file: string, given: string | undefined): Form {
  const text = given ?? /\.(\w+?)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase() ?? '';
  const form = text === 'jsonl' ? 'ndjson' : forms.find((one) => one === text);
  if (form !== undefined) return form;
  throw new UsageError(
    given === undefined
      ? `${file === '-' ? 'standard input' : `the name ${file}`} does not tell the form of the rows; say --type ${forms.join(', ')}`
      : `--type is '${given}'; expected one of ${forms.join(', ')}`,
  );
}

/**
 * Bytes of all files together; undefined if standard input or a pipe is among them. Throws RefusedError for one that
 * cannot be read.
 */
export async function sizeOf(files: readonly string[]): Promise<number | undefined> {
  let sum: number | undefined = 0;
  for (const file of files) {
    if (file === '-') {
      sum = undefined;
      continue;
    }
    const found = await stat(file).catch((error: Error) => {
      throw new RefusedError(`${file} cannot be read: ${error.message}`);
    });
    if (found.isDirectory()) throw new RefusedError(`${file} is a folder; name the files in it`);
    // The output of another command, as in `<(zcat rows.gz)`, has no size.
    if (!found.isFile()) sum = undefined;
    else if (sum !== undefined) sum += found.size;
  }
  return sum;
}

/** The bytes of a file; `read` is told how many were read, packed as they are. */
export async function* bytesOf(
  file: string,
  input: NodeJS.ReadableStream,
  read: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const source = file === '-' ? input : createReadStream(file, { highWaterMark: pieceSize });
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      read(piece.length);
      yield Buffer.from(piece as Buffer);
    }
  }
  const pieces = counted();
  const { value: first } = await pieces.next();
  if (first === undefined) return;
  async function* all(): AsyncGenerator<Buffer> {
    yield first as Buffer;
    yield* pieces;
  }
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    yield* all();
    return;
  }
  // Errors reach the reader through the destroyed stream.
  const unpacked = pipeline(Readable.from(all()), createGunzip({ chunkSize: pieceSize }), () => undefined);
  try {
    for await (const piece of unpacked) yield piece as Buffer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new RefusedError(`the gzip is damaged or broken off (${code})`, 4);
    throw error;
  }
}
