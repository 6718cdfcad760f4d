/** `storelens dev-cert`: certificates for development, and what to do with them. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Command, type Context, RefusedError } from '../command.js';
import { aligned, printObject } from '../output.js';

/** Makes certificates; has one action. */
export const devCert: Command = {
  name: 'dev-cert',
  summary: 'Make a private authority and a server certificate for development',
  actions: {
    '': {
      summary: 'Make a private authority and a server certificate for development',
      options: {
        out: {
          type: 'text',
          value: 'DIR',
          help: 'Folder for the files; an authority that is there is used again. Default: ./storelens-tls.',
        },
        host: {
          type: 'list',
          value: 'NAME',
          help: 'Further host name or IP address of the server; may be repeated.',
        },
        days: { type: 'text', value: 'DAYS', help: 'Days until the certificate expires. Default: 365.' },
        json: { type: 'flag', help: 'Print JSON.' },
      },
      notes: [
        'The certificate names this machine and the Microsoft hosts that unchanged clients ask for. Whoever has the',
        "authority's key can pose as any host towards clients that trust it: keep it here, trust it only where you test.",
      ],
      async run(input, context) {
        const days = input.integer('days', 1, 825) ?? 365;
        const { makeDevCert, DevCertError } = await import('@storelens/server/dev-cert');
        const made = await makeDevCert({
          folder: input.text('out') ?? 'storelens-tls',
          hosts: input.list('host') ?? [],
          days,
          hostName: hostname(),
          clock: { now: () => Date.now() },
          random: { bytes: randomBytes },
        }).catch((error: unknown) => {
          const refused =
            error instanceof DevCertError || (error as NodeJS.ErrnoException).code !== undefined;
          throw refused ? new RefusedError((error as Error).message) : error;
        });
        const { certificateFile, keyFile, caFile, expiresAt, names } = made;
        if (input.flag('json')) {
          printObject(input, context, { ...made, expiresAt: expiresAt.toISOString() });
          return;
        }
        context.out.write(
          aligned([
            ['certificate', certificateFile],
            ['key', keyFile],
            ['authority', `${caFile}${made.reusedAuthority ? ' (the one that was there)' : ''}`],
            ['names', names.join(', ')],
            ['expires', expiresAt.toISOString()],
          ]),
        );
        printSteps(context, certificateFile, keyFile, caFile, names);
      },
    },
  },
};

function printSteps(
  { out }: Context,
  certificateFile: string,
  keyFile: string,
  caFile: string,
  names: readonly string[],
): void {
  const microsoft = names.filter((name) => name.includes('microsoft') || name === 'login.windows.net');
  out.write(`
Serve HTTPS:
  storelens serve --tls-cert ${quoted(certificateFile)} --tls-key ${quoted(keyFile)}

Let clients trust it (Node reads the variable at its start, so set it before):
  Node      NODE_EXTRA_CA_CERTS=${quoted(caFile)} node client.js
  Python    REQUESTS_CA_BUNDLE=${quoted(caFile)} python client.py
  curl      curl --cacert ${quoted(caFile)} https://localhost:4700/healthz
  storelens storelens tenant list --url https://localhost:4700 --ca ${quoted(caFile)}

To send clients here that cannot be configured, let the names of Microsoft's hosts lead to the server in
/etc/hosts of the client's machine, and serve on their port, 443:
  127.0.0.1 ${microsoft.join(' ')}
  storelens serve --port 443 --tls-cert ${quoted(certificateFile)} --tls-key ${quoted(keyFile)}
`);
}

/** A path as one word of a POSIX shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
