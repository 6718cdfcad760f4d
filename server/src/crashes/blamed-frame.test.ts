import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import { blamedFrame, isPassingFunction, isSystemImage, type NamedFrame } from './blamed-frame.js';

test('system images are known in any case and version, programs are not', () => {
  for (const image of [
    'NTDLL.DLL',
    'KernelBase.dll',
    'libc.so.6',
    'libc-2.31.so',
    'libstdc++.so.6',
    'nt',
    'ld-linux-x86-64.so.2',
  ]) {
    assert.equal(isSystemImage(image), true, image);
  }
  for (const image of [
    'ContosoGame.exe',
    'crashme',
    'libcontoso.so',
    'ntdll2.dll',
    'NETIO.SYS',
    'Qt6Core.dll',
  ]) {
    assert.equal(isSystemImage(image), false, image);
  }
});

test('functions that pass a failure on are known with underscores and processor variants', () => {
  for (const name of [
    '_CxxThrowException',
    '__cxa_throw',
    '__GI_abort',
    'raise',
    'RaiseFailFastException',
    'KeBugCheckEx',
    'memcpy',
    '__memmove_avx_unaligned_erms',
    'malloc',
    'operator_new',
    'operator_delete__',
    'NtWaitForSingleObject',
    'std::mutex::lock',
    'std::__throw_out_of_range_fmt',
    'core::panicking::panic_fmt',
  ]) {
    assert.equal(isPassingFunction(name), true, name);
  }
  for (const name of [
    'main',
    'memcpyAll',
    'game::raise',
    'Store::operator_',
    'DivideScore',
    'Store::abort',
  ]) {
    assert.equal(isPassingFunction(name), false, name);
  }
});

const own = (found?: NamedFrame['found']): NamedFrame => ({ image: 'game.exe', function: 'Play', found });
const system: NamedFrame = { image: 'C:\\Windows\\System32\\ntdll.dll', function: 'RtlUserThreadStart' };
const passing: NamedFrame = { image: 'game.exe', function: 'memcpy' };
const nowhere: NamedFrame = { offset: 0x1234 };

const cases: readonly (readonly [string, readonly NamedFrame[], number | undefined])[] = [
  ['nothing', [], undefined],
  ['addresses in no module', [nowhere, nowhere], undefined],
  ['the top frame', [own(), own()], 0],
  ['the first own frame', [system, passing, nowhere, own(), own()], 3],
  ['the top frame if none is our own', [nowhere, system, passing], 1],
  ['no scanned frame above a founded one', [system, own('scan'), own('cfi'), system], 2],
  ['a scanned frame rather than the root', [system, own('scan'), own('frame-pointer')], 1],
  ['a scanned frame if there is no other', [system, own('scan'), system], 1],
  ['the root if it is the only own one', [system, own('cfi')], 1],
  ['a frame without image but with a function', [system, { function: 'Play' }], 1],
];

test('the blamed frame is the first of the program itself', () => {
  for (const [what, frames, index] of cases) assert.equal(blamedFrame(frames), index, what);
});

test('random stacks: a blamed frame can be named, and no better one stands before it', () => {
  const dice = new Dice('blamed', 3);
  const plain = [
    own('context'),
    own('cfi'),
    own('frame-pointer'),
    own('scan'),
    own(),
    system,
    passing,
    nowhere,
  ];
  for (let turn = 0; turn < 5000; turn += 1) {
    const frames = Array.from({ length: dice.whole(0, 9) }, () => dice.pick(plain));
    const blamed = blamedFrame(frames);
    const ours = (frame: NamedFrame | undefined) => frame?.function === 'Play';
    if (blamed === undefined) {
      assert.ok(frames.every((frame) => frame === nowhere));
      continue;
    }
    const frame = frames[blamed];
    assert.notEqual(frame, nowhere);
    if (frame?.found === 'scan') {
      assert.ok(!frames.slice(0, -1).some((other) => ours(other) && other.found !== 'scan'));
    }
    if (frames.some(ours)) assert.ok(ours(frame));
    if (ours(frame) && frame?.found !== 'scan' && blamed < frames.length - 1) {
      assert.ok(frames.slice(0, blamed).every((other) => !ours(other) || other.found === 'scan'));
    }
  }
});
