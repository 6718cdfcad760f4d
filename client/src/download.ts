/**
 * Files: the service answers with a redirect to a signed address, which is followed here, step by step, without the
 * token. The address is a secret for as long as it is good, so nothing shows more of it than its host.
 */
import { type Lookup, leadsToPrivateHost } from './addresses.js';
import { sizeOf, watched } from './body.js';
import type { Watch } from './clock.js';
import { ProtocolError } from './errors.js';
import type { Transport } from './transport.js';

/** A file on its way. */
export interface Download {
  /** The bytes, as they arrive. Errors with ConnectionError if they stop before the end; cancel it to hang up. */
  readonly body: ReadableStream<Uint8Array>;
  /** Bytes of the file, if the server tells. */
  readonly size: number | undefined;
  /** Name that the server suggests, without folders. */
  readonly fileName: string | undefined;
  readonly headers: Headers;
}

const mostRedirects = 3;
const isRedirect = (status: number) => [301, 302, 303, 307, 308].includes(status);

/** Fetches what a report of kind file answers. */
export async function download(
  transport: Transport,
  address: URL,
  { signal, lookup }: { readonly signal: AbortSignal | undefined; readonly lookup: Lookup | undefined },
): Promise<Download> {
  let url = address;
  for (let redirects = 0; ; redirects++) {
    const step = await transport.call(
      { url, signal, authorized: redirects === 0, accept: isRedirect },
      async (answer, progress) => {
        if (!isRedirect(answer.status)) return toDownload(answer, progress, url.host);
        progress.end();
        await answer.body?.cancel();
        return redirectTarget(answer.headers.get('location'), url, address, lookup);
      },
    );
    if (!(step instanceof URL)) return step;
    if (redirects === mostRedirects) {
      throw new ProtocolError(`The file is behind more than ${mostRedirects} redirects.`, {
        code: 'redirects',
      });
    }
    url = step;
  }
}

/** Where a redirect leads, if one may go there: to where the service is, or by https to the public internet. */
async function redirectTarget(
  location: string | null,
  from: URL,
  service: URL,
  lookup: Lookup | undefined,
): Promise<URL> {
  const refuse = (why: string) =>
    new ProtocolError(`The file is not followed: its redirect ${why}.`, { code: 'foreign-redirect' });
  const url = URL.canParse(location ?? '', from) ? new URL(location ?? '', from) : undefined;
  if (location === null || url === undefined) throw refuse('leads nowhere');
  if (url.origin === service.origin) return url;
  if (url.protocol !== 'https:') throw refuse(`to ${url.host} is not https`);
  if (url.username !== '' || url.password !== '') throw refuse('holds a name or a password');
  const isPrivate = (host: string) => leadsToPrivateHost(host, lookup);
  if ((await isPrivate(url.hostname)) && !(await isPrivate(service.hostname))) {
    throw refuse(`leads to a private address (${url.hostname})`);
  }
  return url;
}

function toDownload(answer: Response, progress: Watch, host: string): Download {
  const { headers } = answer;
  const size = sizeOf(headers);
  return { body: watched(answer, progress, host, size), size, fileName: fileNameOf(headers), headers };
}

/** The name in `Content-Disposition`, in its extended form if it has one. */
function fileNameOf(headers: Headers): string | undefined {
  const text = headers.get('content-disposition') ?? '';
  const extended = /filename\*=UTF-8''([^;\s]+)/i.exec(text)?.[1];
  const plain = /filename=(?:"([^"]*)"|([^;\s]+))/i.exec(text);
  let name = plain?.[1] ?? plain?.[2] ?? '';
  try {
    if (extended !== undefined) name = decodeURIComponent(extended);
  } catch {
    // An extended name that cannot be read; the plain one stands.
  }
  name = name.replace(/^.*[/\\]/, '');
  return name === '' || name === '.' || name === '..' ? undefined : name;
}
