import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createDice } from '../../test/crashes/mutate.js';
import { missing, sample } from '../../test/crashes/samples.js';
import { cabLimits, readCab } from './cab.js';
import { type CabInput, writeCab } from './cab-writer.js';

const date = new Date('2016-02-29T23:59:59Z');
const dice = createDice(7);
const noise = (length: number) => Uint8Array.from({ length }, () => dice(256));
const prose = (length: number) => new Uint8Array(Buffer.alloc(length, 'frames of a thread, '));

/** Sets of files whose sizes lie around the bounds of blocks. */
const sets: Readonly<Record<string, readonly CabInput[]>> = {
  'a dump': [{ name: 'minidump.dmp', bytes: sample('win-av.dmp'), date }],
  'one byte': [{ name: 'a', bytes: noise(1), date }],
  'one whole block of noise': [{ name: 'a', bytes: noise(32_768), date }],
  'a byte more than a block': [{ name: 'a', bytes: prose(32_769), date }],
  'several files, folders and an empty one': [
    { name: 'one.txt', bytes: prose(40_000), date },
    { name: 'empty', bytes: new Uint8Array(0), date },
    { name: 'folder/two.bin', bytes: noise(60_000), date },
    { name: 'größe.txt', bytes: prose(5), date },
  ],
};

for (const compression of ['stored', 'mszip'] as const) {
  describe(`${compression} cabinets`, () => {
    for (const [title, files] of Object.entries(sets)) {
      const cabinet = writeCab(files, compression);

      it(`come back from our reader: ${title}`, () => {
        const cab = readCab(cabinet, cabLimits);
        assert.deepEqual(
          cab.files.map((file) => [file.name, file.size, file.date, file.compression]),
          files.map((file) => [file.name, file.bytes.length, '2016-02-29T23:59:58', compression]),
        );
        for (const file of files) assert.deepEqual(cab.extract(file.name), file.bytes);
      });

      it(`open with cabextract: ${title}`, { skip: missing('cabextract') }, () => {
        opens(cabinet, files, 'cabextract', (file, folder) => ['-q', '-d', folder, file]);
      });

      it(`open with gcab: ${title}`, { skip: missing('gcab') }, () => {
        opens(cabinet, files, 'gcab', (file, folder) => ['-x', '-n', '-C', folder, file]);
      });
    }
  });
}

function opens(
  cabinet: Uint8Array,
  files: readonly CabInput[],
  program: string,
  args: (file: string, folder: string) => string[],
): void {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-cab-'));
  try {
    const file = join(folder, 'written.cab');
    writeFileSync(file, cabinet);
    const run = spawnSync(program, args(file, folder), { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    for (const { name, bytes } of files) {
      assert.deepEqual(new Uint8Array(readFileSync(join(folder, name))), bytes, name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('writing', () => {
  it('packs with the block before as dictionary', () => {
    const repeated = noise(20_000);
    const bytes = Buffer.concat([noise(12_768), repeated, repeated]);
    const packed = writeCab([{ name: 'a', bytes, date }], 'mszip').length;
    assert.ok(packed < 34_000, `${packed} bytes`);
  });

  it('gives the same bytes for the same files', () => {
    for (const files of Object.values(sets)) {
      assert.deepEqual(writeCab(files, 'mszip'), writeCab(files, 'mszip'));
    }
  });

  it('writes the nearest date that exists', () => {
    const written = (value: string) =>
      readCab(writeCab([{ name: 'a', bytes: noise(1), date: new Date(value) }], 'stored'), cabLimits).files[0]
        ?.date;
    assert.equal(written('1970-01-01T00:00:00Z'), '1980-01-01T00:00:00');
    assert.equal(written('2200-01-01T00:00:00Z'), '2107-12-31T23:59:58');
    assert.throws(() => written('never'), TypeError);
  });

  it('refuses names that the reader refuses, and nothing to write', () => {
    const named = (...names: string[]) =>
      writeCab(
        names.map((name) => ({ name, bytes: noise(1), date })),
        'stored',
      );
    assert.throws(() => named('../a'), { reason: 'name-traversal' });
    assert.throws(() => named('/a'), { reason: 'name-absolute' });
    assert.throws(() => named('a\0'), { reason: 'name-invalid' });
    assert.throws(() => named('\ud800'), { reason: 'name-invalid' });
    assert.throws(() => named('ö'.repeat(128)), { reason: 'name-too-long' });
    assert.throws(() => named('a', 'A'), { reason: 'name-duplicate' });
    assert.throws(() => named(), { reason: 'empty' });
    assert.throws(() => writeCab([{ name: 'a', bytes: new Uint8Array(0), date }], 'stored'), {
      reason: 'empty',
    });
  });
});
