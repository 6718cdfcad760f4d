/** Bodies that the caller reads at a pace of its own. */
import type { Watch } from './clock.js';
import { ConnectionError } from './errors.js';

/** Bytes of a body, if its headers tell them. */
export function sizeOf(headers: Headers): number | undefined {
  const length = Number(headers.get('content-length') ?? Number.NaN);
  return headers.has('content-encoding') || Number.isNaN(length) ? undefined : length;
}

/** The same answer with such a body. */
export function followed(answer: Response, progress: Watch, host: string): Response {
  if (answer.body === null) {
    progress.end();
    return answer;
  }
  // Nothing is expected of the service until its reader begins.
  progress.pause();
  const { status, statusText, headers, url } = answer;
  const body = watched(answer, progress, host, sizeOf(headers));
  return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url });
}

/** The body under the eyes of the watch, which ends with it: silence, a cut and a missing end are errors of its reader. */
export function watched(
  answer: Response,
  progress: Watch,
  host: string,
  size: number | undefined,
): ReadableStream<Uint8Array> {
  const reader = answer.body?.getReader();
  let received = 0;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      try {
        progress.touch();
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (value !== undefined) {
          received += value.byteLength;
          controller.enqueue(value);
        }
        // Nobody is to blame for the time that passes until the reader wants more.
        progress.pause();
        if (!done) return;
        progress.end();
        if (size !== undefined && received !== size) {
          throw new Error(`${received} of ${size} bytes arrived`);
        }
        controller.close();
      } catch (error) {
        progress.end();
        controller.error(progress.canceled ? error : broken(error, progress, host));
      }
    },
    async cancel(reason) {
      progress.end();
      await reader?.cancel(reason);
    },
  };
  // Nothing is asked for before somebody reads.
  return new ReadableStream(source, { highWaterMark: 0 });
}

function broken(error: unknown, progress: Watch, host: string): ConnectionError {
  const why = progress.expired ? 'it fell silent' : (error as Error).message;
  return new ConnectionError(`${host} did not send its answer to the end: ${why}.`, {
    code: progress.expired ? 'timeout' : 'cut',
    cause: error,
  });
}
