/** `storelens application`: applications of a tenant, the clients that get tokens. */
import { type Command, type Input, UsageError } from '../command.js';
import { printList, printObject } from '../output.js';
import { adminPath, callServer, listOf, serverOptions } from '../server-call.js';

const columns = ['clientId', 'name', 'role', 'enabled'];
const clientOperand = { name: 'CLIENT', help: 'the client id of the application' };
const role = {
  type: 'text',
  value: 'ROLE',
  help: 'Manager (reads and ingests), Reader (reads) or Ingestor (ingests).',
} as const;

const options = {
  tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant that the application belongs to.' },
  ...serverOptions,
} as const;

const listPath = (input: Input) => adminPath('tenants', input.required('tenant'), 'applications');
const onePath = (input: Input) =>
  adminPath('tenants', input.required('tenant'), 'applications', input.operand('CLIENT'));

/** All that can be done with applications. */
export const application: Command = {
  name: 'application',
  summary: 'Create and manage applications, the clients that get tokens',
  actions: {
    create: {
      summary: 'Create an application; then make it a key with `storelens key create`',
      options: {
        name: { type: 'text', value: 'NAME', required: true, help: 'Name of the application.' },
        role: { ...role, required: true },
        'client-id': {
          type: 'text',
          value: 'GUID',
          help: 'Keep the id of an application that moves here. Default: a new one.',
        },
        ...options,
      },
      async run(input, context) {
        const body = {
          name: input.required('name'),
          role: input.required('role'),
          clientId: input.text('client-id'),
        };
        printObject(
          input,
          context,
          await callServer(input, context, { method: 'POST', path: listPath(input), body }),
        );
      },
    },
    list: {
      summary: "List a tenant's applications",
      options,
      async run(input, context) {
        const answer = await callServer(input, context, { method: 'GET', path: listPath(input) });
        printList(input, context, listOf(answer), columns);
      },
    },
    show: {
      summary: 'Show an application',
      operands: [clientOperand],
      options,
      async run(input, context) {
        printObject(
          input,
          context,
          await callServer(input, context, { method: 'GET', path: onePath(input) }),
        );
      },
    },
    update: {
      summary: 'Rename an application, change its role, enable or disable it',
      operands: [clientOperand],
      options: {
        name: { type: 'text', value: 'NAME', help: 'New name.' },
        role,
        enabled: {
          type: 'text',
          value: 'true|false',
          help: 'A disabled application gets no tokens, and those it has are refused at once.',
        },
        ...options,
      },
      async run(input, context) {
        const body = {
          name: input.text('name'),
          role: input.text('role'),
          enabled: input.boolean('enabled'),
        };
        if (Object.values(body).every((value) => value === undefined)) {
          throw new UsageError('application update needs --name, --role or --enabled');
        }
        printObject(
          input,
          context,
          await callServer(input, context, { method: 'PATCH', path: onePath(input), body }),
        );
      },
    },
    delete: {
      summary: 'Delete an application with its keys',
      operands: [clientOperand],
      options,
      async run(input, context) {
        await callServer(input, context, { method: 'DELETE', path: onePath(input) });
        context.err.write(`deleted application ${input.operand('CLIENT')}\n`);
      },
    },
  },
};
