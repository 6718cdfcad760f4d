/** `storelens tenant`: tenants of a server; each has one account with its products and data. */
import { type Command, UsageError } from '../command.js';
import { printList, printObject } from '../output.js';
import { adminPath, callServer, listOf, serverOptions } from '../server-call.js';

const columns = ['tenantId', 'accountId', 'sellerId', 'name', 'domains', 'enabled'];
const tenantOperand = { name: 'TENANT', help: 'the tenant id' };

/** All that can be done with tenants. */
export const tenant: Command = {
  name: 'tenant',
  summary: 'Create and manage tenants',
  actions: {
    create: {
      summary: 'Create a tenant with its account',
      options: {
        name: { type: 'text', value: 'NAME', required: true, help: 'Name of the publisher.' },
        'tenant-id': {
          type: 'text',
          value: 'GUID',
          help: 'Keep the id of a tenant that moves here. Default: a new one.',
        },
        'seller-id': { type: 'text', value: 'DIGITS', help: 'Seller id, 8 digits. Default: a new one.' },
        domain: {
          type: 'list',
          value: 'NAME',
          help: 'Domain that stands for the tenant in token URLs; may be repeated.',
        },
        ...serverOptions,
      },
      async run(input, context) {
        const body = {
          name: input.required('name'),
          tenantId: input.text('tenant-id'),
          sellerId: input.text('seller-id'),
          domains: input.list('domain'),
        };
        printObject(
          input,
          context,
          await callServer(input, context, { method: 'POST', path: adminPath('tenants'), body }),
        );
      },
    },
    list: {
      summary: 'List all tenants',
      options: serverOptions,
      async run(input, context) {
        const answer = await callServer(input, context, { method: 'GET', path: adminPath('tenants') });
        printList(input, context, listOf(answer), columns);
      },
    },
    show: {
      summary: 'Show a tenant',
      operands: [tenantOperand],
      options: serverOptions,
      async run(input, context) {
        const path = adminPath('tenants', input.operand('TENANT'));
        printObject(input, context, await callServer(input, context, { method: 'GET', path }));
      },
    },
    update: {
      summary: 'Rename a tenant, change its domains, enable or disable it',
      operands: [tenantOperand],
      options: {
        name: { type: 'text', value: 'NAME', help: 'New name.' },
        domain: {
          type: 'list',
          value: 'NAME',
          help: 'Domain that stands for the tenant from now on; may be repeated, the others go.',
        },
        enabled: {
          type: 'text',
          value: 'true|false',
          help: 'A disabled tenant gets no tokens and no answers.',
        },
        ...serverOptions,
      },
      async run(input, context) {
        const path = adminPath('tenants', input.operand('TENANT'));
        const body = {
          name: input.text('name'),
          domains: input.list('domain'),
          enabled: input.boolean('enabled'),
        };
        if (Object.values(body).every((value) => value === undefined)) {
          throw new UsageError('tenant update needs --name, --domain or --enabled');
        }
        printObject(input, context, await callServer(input, context, { method: 'PATCH', path, body }));
      },
    },
    delete: {
      summary: 'Delete a tenant with its applications, keys and products',
      operands: [tenantOperand],
      options: serverOptions,
      async run(input, context) {
        const path = adminPath('tenants', input.operand('TENANT'));
        await callServer(input, context, { method: 'DELETE', path });
        context.err.write(`deleted tenant ${input.operand('TENANT')}\n`);
      },
    },
  },
};
