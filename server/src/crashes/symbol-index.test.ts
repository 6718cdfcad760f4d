import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import { SymbolIndex } from './symbol-index.js';
import { SymbolReader } from './symbols.js';

function index(text: string | Uint8Array): SymbolIndex {
  const reader = new SymbolReader();
  reader.push(Buffer.from(text));
  return new SymbolIndex(reader.end());
}

const crashme = index(readFileSync(new URL('../../../test/crash-samples/crashme.sym', import.meta.url)));

test('the functions of the sample are found with file and line', () => {
  const place = (address: number) => {
    const found = crashme.lookup(address);
    return found && [found.function, found.file, found.line];
  };
  assert.deepEqual(crashme.lookup(0x15f0), {
    function: 'game::Inventory::CountOf(game::Item const*)',
    functionAddress: 0x15f0,
    parameterSize: 0,
    record: 'FUNC',
    file: '/src/crashme.cc',
    line: 52,
  });
  assert.deepEqual(place(0x15f5), ['game::Inventory::CountOf(game::Item const*)', '/src/crashme.cc', 53]);
  assert.equal(place(0x1609)?.[2], 55);
  assert.deepEqual(place(0x1653), ['DivideScore(int, int)', '/src/crashme.cc', 64]);
  assert.deepEqual(place(0x1611), [
    'RunLevel(game::Inventory&, int)',
    '/usr/include/c++/12/bits/new_allocator.h',
    137,
  ]);
});

test('exports answer where no function does, but not behind one', () => {
  assert.equal(crashme.lookup(0x1280)?.function, 'main');
  assert.equal(crashme.lookup(0x143f)?.function, 'main');
  assert.equal(crashme.lookup(0x1280)?.record, 'PUBLIC');
  assert.equal(crashme.lookup(0x15f6), undefined);
  assert.equal(crashme.lookup(0xfff), undefined);
  assert.equal(crashme.lookup(0x1690)?.function, '_fini');
});

test('call-frame rules apply from their address to the end of their range', () => {
  const initial = '.cfa: $rsp 8 + .ra: .cfa -8 + ^';
  assert.deepEqual(crashme.callFrameRules(0x1530), { initial, changes: [] });
  assert.deepEqual(crashme.callFrameRules(0x153b), {
    initial,
    changes: ['$rbp: .cfa -16 + ^ .cfa: $rsp 16 +', '$rbx: .cfa -24 + ^ .cfa: $rsp 24 +'],
  });
  assert.equal(crashme.callFrameRules(0x15f6), undefined);
  assert.equal(crashme.callFrameRules(0), undefined);
});

test('of overlapping functions the one that starts last answers, of equal ones the first', () => {
  const dice = new Dice('symbol index', 2);
  const module = 'MODULE Linux x86_64 000000000000000000000000000000000 random';
  for (let turn = 0; turn < 200; turn += 1) {
    const functions = Array.from({ length: dice.whole(0, 12) }, (_, order) => ({
      name: `f${order}`,
      address: dice.whole(0, 60),
      size: dice.whole(0, 30),
    }));
    const publics = Array.from({ length: dice.whole(0, 4) }, (_, order) => ({
      name: `p${order}`,
      address: dice.whole(0, 90),
    }));
    const lines = functions.map(() =>
      Array.from({ length: dice.whole(0, 4) }, (_, order) => ({
        address: dice.whole(0, 90),
        size: dice.whole(0, 9),
        number: order + 1,
      })),
    );
    const found = index(
      [
        module,
        ...functions.flatMap(({ name, address, size }, order) => [
          `FUNC ${address.toString(16)} ${size.toString(16)} 0 ${name}`,
          ...(lines[order] ?? []).map((line) => `${line.address.toString(16)} ${line.size} ${line.number} 0`),
        ]),
        ...publics.map(({ name, address }) => `PUBLIC ${address.toString(16)} 0 ${name}`),
      ].join('\n'),
    );
    const last = <Item extends { address: number }>(items: readonly Item[]): Item | undefined =>
      items.reduce<Item | undefined>(
        (best, item) => (best === undefined || item.address > best.address ? item : best),
        undefined,
      );
    for (let address = 0; address < 130; address += 1) {
      const covers = (range: { address: number; size: number }) =>
        range.address <= address && address < range.address + range.size;
      const best = last(functions.filter(covers));
      const line = best && last((lines[functions.indexOf(best)] ?? []).filter(covers));
      const before = last(functions.filter((item) => item.address <= address));
      const exported = last(publics.filter((item) => item.address <= address));
      const expected =
        best ??
        (exported && (before === undefined || before.address < exported.address) ? exported : undefined);
      assert.equal(found.lookup(address)?.function, expected?.name, `turn ${turn}, address ${address}`);
      assert.equal(found.lookup(address)?.line, line?.number, `turn ${turn}, line at ${address}`);
    }
  }
});

test('many functions at one address are indexed and looked up quickly', () => {
  const records = Array.from(
    { length: 100_000 },
    (_, order) => `FUNC 10 ${(order + 1).toString(16)} 0 f${order}`,
  );
  const started = performance.now();
  const found = index(`MODULE Linux x86_64 000000000000000000000000000000000 same\n${records.join('\n')}`);
  assert.equal(found.lookup(0x10)?.function, 'f0');
  assert.equal(found.lookup(0x10 + 99_999)?.function, 'f99999');
  assert.ok(performance.now() - started < 10_000, 'slow index');
});
