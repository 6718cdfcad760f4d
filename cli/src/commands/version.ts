/** `storelens version`. */
import { readFile } from 'node:fs/promises';
import type { Command } from '../command.js';

/** Prints the version; has one action. */
export const version: Command = {
  name: 'version',
  summary: 'Print the version',
  actions: {
    '': {
      summary: 'Print the version',
      options: {},
      async run(_input, { out }) {
        const manifest = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
        out.write(`storelens ${(JSON.parse(manifest) as { version: string }).version}\n`);
      },
    },
  },
};
