/** `storelens key`: secrets of an application. A new one is printed this once and kept hashed by the server. */
import { type Command, type Input, RefusedError } from '../command.js';
import { printList, printObject } from '../output.js';
import { adminPath, callServer, listOf, readGivenFile, serverOptions } from '../server-call.js';

const columns = ['keyId', 'hint', 'createdAt', 'expiresAt', 'lastUsedAt'];
const keyOperand = { name: 'KEY', help: 'the key id, not the secret' };

const options = {
  tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant of the application.' },
  application: { type: 'text', value: 'GUID', required: true, help: 'Client id that the key is for.' },
  ...serverOptions,
} as const;

const path = (input: Input, ...rest: readonly string[]) =>
  adminPath(
    'tenants',
    input.required('tenant'),
    'applications',
    input.required('application'),
    'keys',
    ...rest,
  );

/** All that can be done with keys. */
export const key: Command = {
  name: 'key',
  summary: 'Create and revoke the secrets of applications',
  actions: {
    create: {
      summary: 'Create a key and print its secret this once',
      options: {
        'expires-in-days': { type: 'text', value: 'DAYS', help: 'Days until it expires. Default: 365.' },
        'client-secret-file': {
          type: 'text',
          value: 'FILE',
          help: 'Take over the secret in FILE (- for standard input), at least 32 characters.',
        },
        ...options,
      },
      notes: [
        'A secret is never taken from the command line: other users of the machine could read it there.',
      ],
      async run(input, context) {
        const file = input.text('client-secret-file');
        const secret =
          file === undefined ? undefined : await readGivenFile(file, '--client-secret-file', context.in);
        const clientSecret = secret?.toString('utf8').replace(/\r?\n$/, '');
        if (clientSecret === '') throw new RefusedError('--client-secret-file is empty');
        const body = { expiresInDays: input.integer('expires-in-days', 1, 730), clientSecret };
        const made = await callServer(input, context, { method: 'POST', path: path(input), body });
        if (clientSecret === undefined) {
          printObject(input, context, made);
          context.err.write('warning: the secret is shown this once; store it now\n');
        } else {
          printObject(input, context, { keyId: made.keyId, expiresAt: made.expiresAt });
        }
      },
    },
    list: {
      summary: "List an application's keys",
      options,
      async run(input, context) {
        const answer = await callServer(input, context, { method: 'GET', path: path(input) });
        printList(input, context, listOf(answer), columns);
      },
    },
    show: {
      summary: 'Show a key, without its secret',
      operands: [keyOperand],
      options,
      async run(input, context) {
        const one = path(input, input.operand('KEY'));
        printObject(input, context, await callServer(input, context, { method: 'GET', path: one }));
      },
    },
    delete: {
      summary: 'Revoke a key: no new tokens; those that were issued end within an hour',
      operands: [keyOperand],
      options,
      async run(input, context) {
        await callServer(input, context, { method: 'DELETE', path: path(input, input.operand('KEY')) });
        context.err.write(`deleted key ${input.operand('KEY')}\n`);
      },
    },
  },
};
