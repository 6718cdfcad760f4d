/**
 * A process of its own that stores made batches until it is killed, by its parent or by itself at a given step. It
 * writes one line to standard output for every batch that is acknowledged: `<batchId> <seq>`.
 *
 * node made-process.js <folder> <first number> <step> <occurrence>
 */
import { argv, pid, stdout } from 'node:process';
import { crash, guid, openMade } from './made-bench.js';

const [, , folder = '', first = '0', step = 'never', occurrence = '1'] = argv;
const writers = 3;
let seen = 0;

/** Ends the process without a warning at the wanted occurrence of the wanted step. */
function reached(name: string): void {
  if (name !== step) return;
  seen += 1;
  if (seen >= Number(occurrence)) process.kill(pid, 'SIGKILL');
}

const bench = await openMade(folder, {
  engine: (engine) => ({
    ...engine,
    async insert(batch) {
      reached('before insert');
      await engine.insert(batch);
      reached('after insert');
    },
    async command(statement) {
      reached('before superseding');
      await engine.command(statement);
      reached('after superseding');
    },
  }),
  files: (files) => ({
    ...files,
    async take(path, key) {
      reached('before take');
      await files.take(path, key);
      reached('after take');
    },
  }),
  ledger: (ledger) => ({
    ...ledger,
    async beginAll(requests) {
      reached('before begin');
      const begun = await ledger.beginAll(requests);
      reached('after begin');
      return begun;
    },
    async finishAll(written) {
      reached('before finish');
      await ledger.finishAll(written);
      reached('after finish');
    },
  }),
});

async function write(writer: number): Promise<void> {
  for (let number = Number(first) + writer; ; number += writers) {
    const batch = await crash(bench.ingest, number);
    reached('file written');
    const { seq } = await bench.ingest.store(batch);
    stdout.write(`${batch.batchId} ${seq}\n`);
    const change = await crash(bench.ingest, number, {
      file: false,
      name: 'New',
      supersedes: [guid(number)],
    });
    const changed = await bench.ingest.store(change);
    stdout.write(`${change.batchId} ${changed.seq}\n`);
  }
}

stdout.write('ready\n');
await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
