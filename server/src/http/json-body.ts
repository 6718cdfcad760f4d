/** Bodies that are read whole: JSON within a limit, plain, in UTF-8. What the values mean is for the routes. */
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';

const mebi = 1024 * 1024;

/** The media type of the body in lower case, without parameters; '' if there is none. */
export function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The body, at most 1 MiB of `application/json`, as a value; `whenEmpty` stands for a missing one. Throws Failure
 * `invalid-body`, `unsupported-media-type` and `too-large`. Duplicate keys: the last counts, as in JSON. */
export async function readJson(request: FastifyRequest, whenEmpty?: object): Promise<unknown> {
  const text = await readText(request, mebi);
  if (text.trim() === '') {
    if (whenEmpty !== undefined) return whenEmpty;
    throw new Failure('invalid-body', ['The body is empty; expected a JSON object.']);
  }
  requireType(request, ['application/json']);
  return parseJson(text, 'The body');
}

/** Parses JSON; `what` begins the sentence of a refusal. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Failure('invalid-body', [`${what} is not JSON: ${(error as Error).message}.`], {
      cause: error,
    });
  }
}

function requireType(request: FastifyRequest, types: readonly string[]): void {
  const given = mediaType(request);
  if (types.includes(given)) return;
  const shown = given === '' ? 'missing' : `'${given}'`;
  throw new Failure('unsupported-media-type', [`Content-Type is ${shown}; expected ${types.join(' or ')}.`]);
}

/** The body as UTF-8 text of at most `most` bytes; '' if there is none. */
export async function readText(request: FastifyRequest, most: number): Promise<string> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new Failure('unsupported-media-type', [`Content-Encoding is '${encoding}'; expected none.`]);
  }
  const stream = request.body;
  if (!(stream instanceof Readable)) return '';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > most) {
      // The rest is read and dropped, so that the client gets to read the answer.
      stream.resume();
      throw new Failure('too-large', [`The body exceeds ${most / mebi} MiB.`]);
    }
    chunks.push(bytes);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new Failure('invalid-body', ['The body is not valid UTF-8.'], { cause: error });
  }
}
