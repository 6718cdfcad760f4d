/** `storelens symbols`: the symbol files of a tenant's account, by which stacks of its crashes get functions. */
import type { Command, Input } from '../command.js';
import { upload } from '../crash/symbols-upload.js';
import { printList } from '../output.js';
import { callServer, listOf, serverOptions } from '../server-call.js';

const path = '/ingest/v1/symbols';
const columns = ['module', 'debugId', 'codeId', 'os', 'architecture', 'bytes', 'functions', 'storedAt'];

const options = {
  tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant whose account has the symbols.' },
  ...serverOptions,
} as const;

const tenantOf = (input: Input) => ({ tenant: input.required('tenant') });

/** All that can be done with symbol files. */
export const symbols: Command = {
  name: 'symbols',
  summary: 'Send and manage the symbol files of crashes',
  actions: {
    upload,
    list: {
      summary: "List a tenant's symbol files, newest first",
      options,
      async run(input, context) {
        const answer = await callServer(input, context, { method: 'GET', path, ...tenantOf(input) });
        printList(input, context, listOf(answer), columns);
      },
    },
    delete: {
      summary: 'Delete a symbol file; crashes keep their names until they are read again',
      operands: [{ name: 'DEBUG-ID', help: 'its debug id, as the list shows it' }],
      options,
      async run(input, context) {
        const id = input.operand('DEBUG-ID');
        const one = `${path}/${encodeURIComponent(id)}`;
        await callServer(input, context, { method: 'DELETE', path: one, ...tenantOf(input) });
        context.err.write(`deleted symbols ${id}\n`);
      },
    },
  },
};
