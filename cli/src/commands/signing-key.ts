/** `storelens signing-key`: the keys that sign access tokens. */
import type { Command } from '../command.js';
import { printObject } from '../output.js';
import { adminPath, callServer, serverOptions } from '../server-call.js';

/** Rotates and revokes the keys that sign tokens. */
export const signingKey: Command = {
  name: 'signing-key',
  summary: 'Rotate or revoke the keys that sign access tokens',
  actions: {
    rotate: {
      summary: 'Sign with the next key from now on; tokens of the old one stay valid until they expire',
      options: serverOptions,
      async run(input, context) {
        const path = adminPath('signing-keys', 'rotate');
        printObject(input, context, await callServer(input, context, { method: 'POST', path }));
      },
    },
    revoke: {
      summary: 'Make new keys; all tokens, and addresses of crash files, end at once',
      options: serverOptions,
      async run(input, context) {
        const path = adminPath('signing-keys', 'revoke');
        printObject(input, context, await callServer(input, context, { method: 'POST', path }));
      },
    },
  },
};
