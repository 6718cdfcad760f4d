/** `storelens product`: apps, add-ons, desktop and driver products of a tenant's account. */
import { type Command, type Input, UsageError } from '../command.js';
import { printList, printObject } from '../output.js';
import { adminPath, callServer, listOf, readGivenFile, serverOptions } from '../server-call.js';

const columns = ['id', 'kind', 'parentId', 'name'];
const productOperand = { name: 'PRODUCT', help: 'the product id' };

const options = {
  tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant whose account has the product.' },
  ...serverOptions,
} as const;

const path = (input: Input, ...rest: readonly string[]) =>
  adminPath('tenants', input.required('tenant'), 'products', ...rest);

/** All that can be done with products. */
export const product: Command = {
  name: 'product',
  summary: 'Create and manage products: apps, add-ons, desktop and driver products',
  actions: {
    create: {
      summary: 'Create a product',
      options: {
        kind: { type: 'text', value: 'KIND', required: true, help: 'app, addon, desktop or driver.' },
        name: { type: 'text', value: 'NAME', required: true, help: 'Name, as reports print it.' },
        id: { type: 'text', value: 'ID', help: 'Keep the id it has elsewhere. Default: a new one.' },
        'parent-id': { type: 'text', value: 'ID', help: 'App that an add-on belongs to.' },
        ...options,
      },
      async run(input, context) {
        const body = {
          kind: input.required('kind'),
          id: input.text('id'),
          parentId: input.text('parent-id'),
          name: input.required('name'),
        };
        printObject(
          input,
          context,
          await callServer(input, context, { method: 'POST', path: path(input), body }),
        );
      },
    },
    import: {
      summary: 'Create many products, all or none',
      operands: [
        {
          name: 'FILE',
          help: 'lines of JSON, each {"kind", "id"?, "parentId"?, "name"}; - for standard input',
        },
      ],
      options,
      async run(input, context) {
        const body = await readGivenFile(input.operand('FILE'), 'FILE', context.in);
        const answer = await callServer(input, context, { method: 'POST', path: path(input), body });
        printList(input, context, listOf(answer), columns);
      },
    },
    list: {
      summary: "List a tenant's products",
      options,
      async run(input, context) {
        const answer = await callServer(input, context, { method: 'GET', path: path(input) });
        printList(input, context, listOf(answer), columns);
      },
    },
    show: {
      summary: 'Show a product',
      operands: [productOperand],
      options,
      async run(input, context) {
        const one = path(input, input.operand('PRODUCT'));
        printObject(input, context, await callServer(input, context, { method: 'GET', path: one }));
      },
    },
    update: {
      summary: 'Rename a product; all reports show the new name at once',
      operands: [productOperand],
      options: { name: { type: 'text', value: 'NAME', help: 'New name.' }, ...options },
      async run(input, context) {
        const name = input.text('name');
        if (name === undefined) throw new UsageError('product update needs --name');
        const one = path(input, input.operand('PRODUCT'));
        const answer = await callServer(input, context, { method: 'PATCH', path: one, body: { name } });
        printObject(input, context, answer);
      },
    },
    delete: {
      summary: 'Delete a product; its data stays but can no longer be asked for',
      operands: [productOperand],
      options,
      async run(input, context) {
        await callServer(input, context, { method: 'DELETE', path: path(input, input.operand('PRODUCT')) });
        context.err.write(`deleted product ${input.operand('PRODUCT')}\n`);
      },
    },
  },
};
