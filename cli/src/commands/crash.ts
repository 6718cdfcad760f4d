/** `storelens crash`: crashes of an account, and of a tenant for its operator. */
import type { Command } from '../command.js';
import { download, list, stack } from '../crash/read.js';
import { upload } from '../crash/upload.js';
import { printObject, type Row } from '../output.js';
import { callServer, serverOptions } from '../server-call.js';

/** What all calls of one run came to. */
interface Summary extends Row {
  readonly examined: number;
  readonly changed: number;
  readonly renamed: number;
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** All that can be done with stored crashes. */
export const crash: Command = {
  name: 'crash',
  summary: 'Send, list and download crashes; read stored ones anew',
  actions: {
    upload,
    list,
    stack,
    download,
    reprocess: {
      summary: 'Read stored crash files again with the symbols of now, as the operator',
      options: {
        tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant whose crashes are read.' },
        source: {
          type: 'text',
          value: 'SOURCE',
          help: 'Only those of app, desktop, driver, ihvdriver or hardware.',
        },
        app: { type: 'text', value: 'PRODUCT', help: 'Only those of the product with this id.' },
        'failure-hash': {
          type: 'text',
          value: 'HASH',
          help: 'Only those with this failureHash, now or formerly.',
        },
        since: { type: 'text', value: 'DAY', help: 'Only those from this day on (UTC): 2026-11-22.' },
        until: { type: 'text', value: 'DAY', help: 'Only those to this day.' },
        ...serverOptions,
      },
      notes: [
        'examined counts the crashes that were looked at, changed those with another stack or name, renamed those with',
        'another failureHash; the old hash still answers. What a sender named keeps its name. Running it again is safe.',
      ],
      async run(input, context) {
        const narrow = {
          source: input.text('source'),
          applicationId: input.text('app'),
          failureHash: input.text('failure-hash'),
          startDate: input.text('since'),
          endDate: input.text('until'),
        };
        let summary: Summary = { examined: 0, changed: 0, renamed: 0 };
        let after: string | undefined;
        do {
          const answer = await callServer(input, context, {
            method: 'POST',
            path: '/ingest/v1/crashes/reprocess',
            tenant: input.required('tenant'),
            body: { ...narrow, after },
          });
          summary = {
            examined: summary.examined + number(answer.examined),
            changed: summary.changed + number(answer.changed),
            renamed: summary.renamed + number(answer.renamed),
          };
          after = typeof answer.next === 'string' ? answer.next : undefined;
          if (after !== undefined) context.err.write(`${summary.examined} crashes so far\n`);
        } while (after !== undefined);
        printObject(input, context, summary);
      },
    },
  },
};
