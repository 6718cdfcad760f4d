import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleDump } from '../../test/crashes/dump-builder.js';
import { Failure } from '../failure.js';
import { cabLimits, readCab } from './cab.js';
import { createReaders } from './readers.js';
import type { ReadingTask } from './reading.js';

const folder = mkdtempSync(join(tmpdir(), 'storelens-readers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const samplePath = (name: string) =>
  fileURLToPath(new URL(`../../../test/crash-samples/${name}`, import.meta.url));

const task = (name: string, more: Partial<ReadingTask> = {}): ReadingTask => ({
  file: samplePath(name),
  keepTo: undefined,
  read: true,
  unpackedBytes: 100 * 1024 * 1024,
  now: 0,
  ...more,
});

function readersWith(milliseconds: number, queueLength = 10) {
  const logged: string[] = [];
  const note = (...said: unknown[]) => logged.push(String(said.at(-1)));
  const log = { warn: note, error: note };
  return { logged, readers: createReaders({ threads: 1, queueLength, milliseconds, log }) };
}

const none = async () => [];

describe('reading threads', () => {
  it('tell what a dump says, and wrap it', async () => {
    const { readers } = readersWith(30_000);
    const keepTo = join(folder, 'wrapped.cab');
    const read = await readers.read(task('win-av.dmp', { keepTo }), none);
    assert.ok(read.outcome === 'done');
    const { processed, written, facts } = read.reading;
    assert.deepEqual([processed, written], ['read', statSync(keepTo).size]);
    assert.equal(facts?.osName, 'Windows 7');
    assert.equal(facts?.program?.name, 'ContosoGame.exe');
    assert.equal(facts?.crashed?.name, 'ContosoGame.exe');
    assert.deepEqual(facts?.exception?.parameters, [0n, 0n]);
    assert.equal(facts?.frames[0]?.offset, 0x1820n);
    const content = readCab(readFileSync(keepTo), cabLimits).extract('minidump.dmp');
    assert.deepEqual(Buffer.from(content), sampleDump('win-av.dmp'));
    await readers.close();
  });

  it('walk with the symbols that are found for the modules they name', async () => {
    const { readers } = readersWith(30_000);
    const { gzipSync } = await import('node:zlib');
    const path = join(folder, 'crashme.sym.gz');
    writeFileSync(path, gzipSync(readFileSync(samplePath('crashme.sym'))));
    let asked: readonly (string | undefined)[] = [];
    const read = await readers.read(task('linux-null.dmp'), async (modules) => {
      asked = modules.map(({ debugId }) => debugId);
      const module = modules.findIndex(({ name }) => name === 'crashme');
      return [{ module, path, version: '1' }];
    });
    assert.ok(read.outcome === 'done');
    assert.ok(asked.includes('6665FEAE09C7306804147C5669CFDC1E0'));
    const [top] = read.reading.facts?.frames ?? [];
    assert.match(top?.function ?? '', /^game::Inventory::CountOf/);
    assert.equal(top?.line, 52);
    await readers.close();
  });

  it('give a file up that takes too long, and go on with the next', async () => {
    const { readers, logged } = readersWith(3_000);
    // The search for symbols is part of the time; this one never ends.
    const forever = () => new Promise<never>(() => undefined);
    const late = await readers.read(task('win-av.dmp'), forever);
    const sentence = 'Reading the file took longer than 3 seconds.';
    assert.deepEqual(late, { outcome: 'given up', sentence });
    assert.deepEqual(logged, [sentence]);
    // A busy machine may take three seconds for a small dump, too; a thread that is lost would never read one.
    let next = await readers.read(task('win-av.dmp'), none);
    for (let tries = 0; next.outcome === 'given up' && tries < 20; tries += 1) {
      next = await readers.read(task('win-av.dmp'), none);
    }
    assert.equal(next.outcome, 'done');
    await readers.close();
  });

  it('are ended while they work', async () => {
    const { readers } = readersWith(1);
    const late = await readers.read(task('win-av.dmp'), none);
    assert.deepEqual(late, {
      outcome: 'given up',
      sentence: 'Reading the file took longer than 0.001 seconds.',
    });
    await readers.close();
  });

  it('wrap alone if that is asked, and do not look into cabinets then', async () => {
    const { readers } = readersWith(30_000);
    const keepTo = join(folder, 'alone.cab');
    const dump = await readers.read(task('linux-div.dmp', { keepTo, read: false }), none);
    assert.deepEqual(dump, {
      outcome: 'done',
      reading: { processed: 'The file was not read.', facts: undefined, written: statSync(keepTo).size },
    });
    assert.equal(readCab(readFileSync(keepTo), cabLimits).files.length, 1);
    const cabinet = await readers.read(task('hostile-bomb64.cab', { read: false }), none);
    assert.deepEqual(cabinet.outcome, 'done');
    await readers.close();
  });

  it('refuse files by the sentence of their reader', async () => {
    const { readers } = readersWith(30_000);
    const refused = await readers.read(task('hostile-bomb64.cab'), none);
    assert.ok(refused.outcome === 'refused');
    assert.match(refused.sentence, /more than 200 to 1/);
    const missing = await readers.read(task('nowhere.dmp'), none);
    assert.equal(missing.outcome, 'given up');
    await readers.close();
  });

  it('take no more files than may wait', async () => {
    const { readers } = readersWith(30_000, 1);
    const all = await Promise.allSettled([1, 2, 3].map(() => readers.read(task('linux-div.dmp'), none)));
    const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    assert.equal(refused.length, 1);
    assert.ok(refused[0] instanceof Failure && refused[0].code === 'unavailable');
    await readers.close();
  });
});
