/** `storelens operator-key`: the key of the operator API itself. */
import type { Command } from '../command.js';
import { printObject } from '../output.js';
import { adminPath, callServer, serverOptions } from '../server-call.js';

/** Rotates the operator key. */
export const operatorKey: Command = {
  name: 'operator-key',
  summary: 'Rotate the key of the operator API',
  actions: {
    rotate: {
      summary: 'Replace the operator key; the old one ends at once',
      options: serverOptions,
      notes: [
        'The server writes the new key to the file that its ready line names, and it is printed this once.',
      ],
      async run(input, context) {
        const path = adminPath('operator-key', 'rotate');
        printObject(input, context, await callServer(input, context, { method: 'POST', path }));
        context.err.write(
          'warning: the new key is shown this once; other holders of the old one need it now\n',
        );
      },
    },
  },
};
