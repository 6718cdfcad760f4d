/**
 * Mutated cabinets against the reader: a result or a CabError, never another exception, and within bounds of time
 * and memory.
 */
import assert from 'node:assert/strict';
import { cpuUsage, memoryUsage } from 'node:process';
import { cabLimits, readCab } from '../../src/crashes/cab.js';
import { CabError } from '../../src/crashes/cab-error.js';
import { writeCab } from '../../src/crashes/cab-writer.js';
import { createDice, mutate } from './mutate.js';
import { rawCab } from './raw-cab.js';
import { sample } from './samples.js';

/** What a run came to: inputs by their outcome (`opened` or the reason), and the slowest in milliseconds of processor time. */
export interface FuzzReport {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly slowest: number;
}

/** Cabinets to start from. Those without checksums let changes of the content reach the decoder. */
function originals(): readonly Uint8Array[] {
  const date = new Date('2026-02-01T00:00:00Z');
  const lines = Buffer.from('a line of a log file, again and again\n'.repeat(2_000));
  const files = [
    { name: 'minidump.dmp', bytes: lines, date },
    { name: 'größe/x.txt', bytes: lines.subarray(0, 3_000), date },
  ];
  const small = writeCab(files, 'mszip');
  const stored = writeCab([{ name: 'a', bytes: lines.subarray(0, 300), date }], 'stored');
  const block = (data: Uint8Array, unpacked = data.length) => ({ data, unpacked, checksum: 0 });
  // From the blocks that the writer made: two folders, reserved areas, no checksums.
  const view = new DataView(small.buffer, small.byteOffset, small.byteLength);
  const blocks = [];
  for (let at = view.getUint32(36, true); at < small.length; ) {
    const end = at + 8 + view.getUint16(at + 4, true);
    blocks.push(block(small.subarray(at + 8, end), view.getUint16(at + 6, true)));
    at = end;
  }
  const mixed = rawCab({
    reserve: { header: 4, folder: 2, data: 2 },
    folders: [
      { type: 1, blocks },
      { blocks: [block(lines.subarray(0, 100)), block(lines.subarray(0, 40))] },
      { type: 0x1503, blocks: [block(lines.subarray(0, 20), 32_768)] },
    ],
    files: [
      { name: 'one', size: 50_000 },
      { name: 'two', size: 29_000, start: 50_000 },
      { name: 'three', size: 140, folder: 1 },
      { name: 'four', size: 32_768, folder: 2 },
    ],
  });
  const bare = rawCab({ folders: [{ type: 1, blocks }], files: [{ name: 'one', size: 79_000 }] });
  return [small, stored, mixed, mixed, bare, bare, sample('report-mszip.cab'), sample('hostile-bomb64.cab')];
}

/** Runs `count` inputs of a seed; asserts the kind of every outcome, the time of each and the memory of all. */
export function fuzzCab(seed: number, count: number): FuzzReport {
  const dice = createDice(seed);
  const seeds = originals();
  const outcomes = new Map<string, number>();
  const before = memoryUsage().rss;
  let slowest = 0;
  for (let index = 0; index < count; index += 1) {
    const original = seeds[index % seeds.length] ?? new Uint8Array(0);
    const bytes = mutate(original, dice, 160);
    const started = cpuUsage();
    let outcome = 'opened';
    try {
      const cab = readCab(bytes, cabLimits);
      for (const file of cab.files) {
        if (file.opens) assert.equal(cab.extract(file.name).length, file.size);
      }
    } catch (error) {
      if (!(error instanceof CabError)) {
        throw new Error(`seed ${seed}, input ${index}: ${String(error)}`, { cause: error });
      }
      outcome = error.reason;
    }
    slowest = Math.max(slowest, cpuUsage(started).user / 1000);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  assert.ok(slowest < 2_000, `the slowest input took ${slowest} ms`);
  const grown = memoryUsage().rss - before;
  assert.ok(grown < 256 * 1024 * 1024, `memory grew by ${grown} bytes`);
  return { outcomes, slowest };
}
