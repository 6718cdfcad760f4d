/** Which content types and encodings a batch may have. Reads the two headers, nothing of the body. */
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Failure } from '../failure.js';

/** Formats that hold a row after the other: JSON objects by line, an array of them, or CSV with a header row. */
export type RowFormat = 'lines' | 'array' | 'csv';

/** Format of a batch. */
export type BatchFormat = RowFormat | 'parquet';

const formats: Readonly<Record<string, BatchFormat>> = {
  'application/x-ndjson': 'lines',
  'application/json': 'array',
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
};

type Decoder = () => Transform;

// zstd is in Node from 22.15 and 23.8 on; the types are those of the oldest version that we run on.
const { createZstdDecompress } = zlib as { createZstdDecompress?: Decoder };

const decoders: Readonly<Record<string, Decoder | undefined>> = {
  identity: undefined,
  gzip: () => zlib.createGunzip(),
  ...(createZstdDecompress === undefined ? {} : { zstd: () => createZstdDecompress() }),
};

/** Content encodings that this runtime decodes. */
export const acceptedEncodings: readonly string[] = Object.keys(decoders);

/** How to read a body: its format, and the decoder of its encoding unless it is plain. */
export interface Media {
  readonly format: BatchFormat;
  readonly encoding: string;
  readonly decoder: Decoder | undefined;
}

function unsupported(problem: string): Failure {
  return new Failure('unsupported-media-type', [
    problem,
    `Accepted content types: ${Object.keys(formats).join(', ')}, in UTF-8.`,
    `Accepted content encodings: ${acceptedEncodings.join(', ')}.`,
  ]);
}

/** Understands `Content-Type` and `Content-Encoding`; anything else than one accepted value each is refused. */
export function readMedia(contentType: string | undefined, contentEncoding: string | undefined): Media {
  const [name = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
  const format = Object.hasOwn(formats, name.toLowerCase()) ? formats[name.toLowerCase()] : undefined;
  if (format === undefined) {
    throw unsupported(
      name === '' ? 'The content type is missing or malformed.' : `The content type '${name}' is not known.`,
    );
  }
  for (const parameter of parameters) {
    const [, key = '', value = ''] = /^([^=]*)=\s*"?([^"]*)"?$/.exec(parameter) ?? [];
    if (key.trim().toLowerCase() === 'charset' && !/^utf-?8$/i.test(value)) {
      throw unsupported(`The charset '${value}' is not supported.`);
    }
    if (key.trim().toLowerCase() === 'header' && !/^present$/i.test(value)) {
      throw unsupported('CSV needs a header row.');
    }
  }
  const encoding = (contentEncoding ?? '').trim().toLowerCase() || 'identity';
  if (!Object.hasOwn(decoders, encoding)) {
    throw unsupported(`The content encoding '${contentEncoding}' is not supported.`);
  }
  return { format, encoding, decoder: decoders[encoding] };
}

/** Refuses an `Idempotency-Key` that is not 1 to 255 visible ASCII characters; undefined passes. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new Failure('invalid-body', ['Idempotency-Key takes 1 to 255 visible ASCII characters.']);
}
