/** `storelens symbols upload`: sends symbol files, those of folders among them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Action, RefusedError } from '../command.js';
import { printList, type Row } from '../output.js';
import { Progress } from '../progress.js';
import { callServer, RefusedBodyError, readGivenFile, serverOptions } from '../server-call.js';

const columns = ['file', 'module', 'debugId', 'os', 'architecture', 'functions'];

/** Sends files. */
export const upload: Action = {
  summary: 'Send symbol files; one takes the place of another with the same debug id',
  operands: [
    {
      name: 'FILE',
      help: 'a Breakpad .sym file, plain or gzip, or a folder with .sym and .sym.gz files; - for standard input',
      repeated: true,
    },
  ],
  options: {
    tenant: { type: 'text', value: 'GUID', required: true, help: 'Tenant whose account gets the symbols.' },
    ...serverOptions,
  },
  notes: [
    'Folders are searched with all that are in them. A file that is refused does not stop the rest; the exit code is 4 then.',
    'Crashes that are stored already get their functions by `storelens crash reprocess`.',
  ],
  async run(input, context) {
    const files = (await Promise.all(input.operands('FILE').map(filesOf))).flat();
    const tenant = input.required('tenant');
    const progress = new Progress(context, files.length);
    const sent: Row[] = [];
    let refused = 0;
    for (const file of files) {
      const body = await readGivenFile(file, 'FILE', context.in);
      const call = {
        method: 'POST',
        path: '/ingest/v1/symbols',
        body,
        type: 'application/octet-stream',
      } as const;
      try {
        sent.push({ file, ...(await callServer(input, context, { ...call, tenant })) });
      } catch (error) {
        if (!(error instanceof RefusedBodyError)) throw error;
        refused += 1;
        progress.note(`${file}: ${error.message}`);
      }
      progress.add(1, `${sent.length} of ${files.length} files sent`);
    }
    progress.end();
    if (sent.length > 0) printList(input, context, sent, columns);
    if (refused > 0) throw new RefusedError(`${refused} of ${files.length} files refused`, 4);
    if (files.length > 1) context.err.write(`${sent.length} files sent\n`);
  },
};

/** The file itself, or the symbol files in a folder, in the order of their names. */
async function filesOf(path: string): Promise<readonly string[]> {
  // What cannot be found is told when it is read.
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const names = (await readdir(path, { recursive: true })).filter((name) => /\.sym(?:\.gz)?$/i.test(name));
  if (names.length === 0) throw new RefusedError(`${path} holds no .sym or .sym.gz files`);
  return names.sort().map((name) => join(path, name));
}
