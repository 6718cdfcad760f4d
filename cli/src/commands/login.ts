/** `storelens login`: stores an account under a name, once the service has granted it a token. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Readable, Writable } from 'node:stream';
import { accountOptions, connectTo } from '../account.js';
import { type Command, type Context, RefusedError, UsageError } from '../command.js';
import { storeProfile } from '../profiles.js';

/** Asks on the terminal. What is typed for a secret is not shown. */
async function ask(context: Context, question: string, secret = false): Promise<string> {
  let hidden = false;
  const shown = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!hidden) context.err.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: context.in as Readable, output: shown, terminal: true });
  // Ctrl-C makes the question fail, Ctrl-D leaves it open for ever.
  const left = once(lines, 'close').then(() => undefined);
  try {
    const answer = lines.question(`${question}: `);
    hidden = secret;
    const text = await Promise.race([answer.catch(() => undefined), left]);
    if (text === undefined) throw new RefusedError('nothing was stored');
    return text.trim();
  } finally {
    lines.close();
    if (secret) context.err.write('\n');
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8').trim();
}

/** Stores an account. */
export const login: Command = {
  name: 'login',
  summary: 'Store an account, so that other commands need no credentials',
  actions: {
    '': {
      summary: 'Store an account, so that other commands need no credentials',
      options: {
        ...accountOptions,
        profile: { type: 'text', value: 'NAME', help: 'Name to store it under; default: default.' },
        'secret-stdin': { type: 'flag', help: 'Read the secret from standard input instead of asking.' },
      },
      notes: [
        'Asks on a terminal for what is not given. The account is stored once a token was granted, in',
        'storelens/profiles.json of $XDG_CONFIG_HOME or ~/.config, readable for you alone. So is the place of the file that',
        '--ca names: other commands need no --ca for this account then.',
      ],
      async run(input, context) {
        const { environment } = context;
        const name = input.text('profile') ?? environment.profile ?? 'default';
        const value = async (given: string | undefined, option: string, question: string) => {
          if (given !== undefined && given !== '') return given;
          if (context.in.isTTY !== true || input.flag('secret-stdin'))
            throw new UsageError(`login needs --${option} where it cannot ask`);
          return await ask(context, question);
        };
        const tenantId = await value(
          input.text('tenant-id') ?? environment.tenantId,
          'tenant-id',
          'Tenant id',
        );
        const clientId = await value(
          input.text('client-id') ?? environment.clientId,
          'client-id',
          'Client id',
        );
        const clientSecret = await secretOf(input.flag('secret-stdin'), context);
        const account = {
          url: input.text('url') ?? environment.url,
          ...{ tenantId, clientId, clientSecret, origin: `profile ${name}` },
        };
        const authority = input.text('ca') ?? environment.ca;
        await connectTo(account, input).token();
        const file = await storeProfile(environment, name, {
          ...(account.url !== undefined && { url: account.url }),
          ...{ tenantId, clientId, clientSecret },
          ...(authority !== undefined && { ca: resolve(authority) }),
        });
        context.err.write(`stored profile ${name} in ${file}\n`);
      },
    },
  },
};

async function secretOf(fromInput: boolean, context: Context): Promise<string> {
  const secret = fromInput
    ? await readAll(context.in)
    : (context.environment.clientSecret ??
      (context.in.isTTY === true ? await ask(context, 'Client secret', true) : ''));
  if (secret !== '') return secret;
  throw new UsageError(
    'login needs the secret: STORELENS_CLIENT_SECRET, --secret-stdin, or a terminal to ask on',
  );
}
