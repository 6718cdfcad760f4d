import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDump } from '../../../test/crashes/dump-builder.js';
import { sample } from '../../../test/crashes/samples.js';
import { nameFailure } from '../failure-name.js';
import { storedFrame } from '../failure-row.js';
import { foundFrames } from '../frames.js';
import { readMinidump } from '../minidump.js';
import { SymbolIndex } from '../symbol-index.js';
import { SymbolReader } from '../symbols.js';
import { walkStack } from './walk.js';

const reader = new SymbolReader();
reader.push(sample('crashme.sym'));
const crashme = new SymbolIndex(reader.end());

/** Stack and failure name of a sample, with the symbols of `crashme` or without any. */
function walked(name: Parameters<typeof sampleDump>[0], symbols: boolean) {
  const dump = readMinidump(sampleDump(name));
  const frames = walkStack(dump, ({ debugId }) =>
    symbols && debugId === crashme.symbols.debugId ? crashme : undefined,
  );
  const facts = { mode: 'um', exception: dump.exceptionFacts, frames: foundFrames(frames) } as const;
  return { frames, failureName: nameFailure(facts).failureName };
}

test('linux-null.dmp with symbols: the frames of the program with their lines, and its name', () => {
  const { frames, failureName } = walked('linux-null.dmp', true);
  assert.equal(failureName, 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf');
  const lookup =
    'game::Inventory::Lookup(std::vector<game::Item const*, std::allocator<game::Item const*> > const&, unsigned long)';
  assert.deepEqual(
    frames.map(({ found, image, function: name, line }) => [found, image, name, line]),
    [
      ['context', 'crashme', 'game::Inventory::CountOf(game::Item const*)', 52],
      ['cfi', 'crashme', lookup, 55],
      ['cfi', 'crashme', 'RunLevel(game::Inventory&, int)', 62],
      ['cfi', 'crashme', 'main', undefined],
      ['cfi', 'libc.so.6', undefined, undefined],
      ['scan', 'libc.so.6', undefined, undefined],
      ['scan', 'crashme', '_start', undefined],
    ],
  );
  assert.equal(frames[0]?.file, '/src/crashme.cc');
  assert.deepEqual(foundFrames(frames).map(storedFrame).slice(2, 5), [
    {
      image: 'crashme',
      function: 'RunLevel(game::Inventory&, int)',
      offset: '0x2A',
      found: 'cfi',
      file: '/src/crashme.cc',
      line: 62,
    },
    { image: 'crashme', function: 'main', offset: '0x17D', found: 'cfi', file: '', line: 0 },
    { image: 'libc.so.6', function: '', offset: '0x2724A', found: 'cfi', file: '', line: 0 },
  ]);
});

test('linux-div.dmp with symbols: DivideScore, which main has jumped to', () => {
  const { frames, failureName } = walked('linux-div.dmp', true);
  assert.equal(failureName, 'INTEGER_DIVIDE_BY_ZERO_SIGFPE_crashme!DivideScore');
  assert.equal(frames[0]?.function, 'DivideScore(int, int)');
  assert.equal(frames[0]?.line, 64);
  assert.equal(frames[0]?.functionOffset, 3n);
  assert.equal(frames.at(-1)?.function, '_start');
});

test('samples without symbols: offsets in images, callers by scanning', () => {
  const windows = walked('win-av.dmp', false);
  assert.equal(windows.failureName, 'NULL_POINTER_READ_c0000005_ContosoGame.exe!1820');
  assert.deepEqual(
    windows.frames.slice(0, 2).map(({ found, image, offset }) => [found, image, offset]),
    [
      ['context', 'ContosoGame.exe', 0x1820n],
      ['scan', 'ContosoGame.exe', 0x1810n],
    ],
  );
  // The thread's begin is on the stack, so the walk must have come to it.
  assert.deepEqual(
    windows.frames.slice(-3).map(({ image }) => image),
    ['kernel32.dll', 'ntdll.dll', 'ntdll.dll'],
  );
  const linux = walked('linux-null.dmp', false);
  assert.equal(linux.failureName, 'NULL_POINTER_SIGSEGV_crashme!15f0');
  assert.deepEqual(
    linux.frames.slice(0, 4).map(({ offset }) => offset),
    [0x15f0n, 0x1609n, 0x163an, 0x13fdn],
    'the same callers as with symbols',
  );
});
