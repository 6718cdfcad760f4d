import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextRecord, DumpBuilder, numbers, packed, sampleDump } from '../../test/crashes/dump-builder.js';
import { fuzzMinidumps } from '../../test/crashes/minidump-fuzz.js';
import { nameFailure } from './failure-name.js';
import { dumpKind, type Minidump, MinidumpError, type MinidumpErrorCode, readMinidump } from './minidump.js';

function refuses(bytes: Buffer, code: MinidumpErrorCode, message: RegExp): void {
  assert.throws(
    () => readMinidump(bytes),
    (error) => error instanceof MinidumpError && error.code === code && message.test(error.message),
  );
}

/** The failure's name, were the place of the crash the whole stack. */
function topFrameName({ exceptionFacts, crashSite }: Minidump, symbol?: string): string {
  const frame = { image: crashSite?.module?.name, function: symbol, offset: crashSite?.offset };
  return nameFailure({ mode: 'um', exception: exceptionFacts, frames: [frame] }).failureName;
}

const windows10 = {
  processor: numbers.x64,
  platform: numbers.windows,
  version: [10, 0, 19045],
} as const;

test('the Windows sample: a null read in ContosoGame.exe', () => {
  const dump = readMinidump(sampleDump('win-av.dmp'));
  assert.equal(topFrameName(dump), 'NULL_POINTER_READ_c0000005_ContosoGame.exe!1820');
  assert.equal(dump.exception?.address, 0x140001820n);
  assert.deepEqual(dump.exception?.parameters, [0n, 0n]);
  assert.equal(dump.crashSite?.module?.name, 'ContosoGame.exe');
  assert.equal(dump.crashSite?.offset, 0x1820n);
  assert.equal(dump.crashSite?.module?.path, 'Z:\\opt\\contoso\\ContosoGame.exe');
  assert.equal(dump.crashSite?.module?.codeId, '6b02e1966f000');
  assert.equal(dump.context?.instructionPointer, 0x140001820n);
  assert.equal(dump.context?.stackPointer, 0x11fc48n);
  assert.equal(dump.crashedThread?.id, 36);
  assert.equal(dump.threads.length, 1);
  assert.equal(dump.time, 1_795_350_935_000);
  assert.deepEqual(dump.system, {
    architecture: 'x64',
    kind: 'windows',
    osName: 'Windows 7',
    osRelease: 'Service Pack 1',
    osBuild: '6.1.7601',
    servicePack: 'Service Pack 1',
    processors: 2,
  });
  assert.deepEqual(
    dump.modules.map(({ name, version }) => [name, version]),
    [
      ['ContosoGame.exe', undefined],
      ['ntdll.dll', '6.1.7601.24059'],
      ['kernel32.dll', '10.0.18362.1350'],
      ['kernelbase.dll', undefined],
      ['dbghelp.dll', '6.1.7601.17514'],
      ['zlib1.dll', '1.2.13.0'],
      ['msvcrt.dll', '7.0.2600.2180'],
      ['ucrtbase.dll', '10.0.14393.2247'],
    ],
  );
});

test('the Windows sample holds stack and code, and nothing where it says nothing', () => {
  const bytes = sampleDump('win-av.dmp');
  const { memory, context } = readMinidump(bytes);
  const stack = context?.stackPointer ?? 0n;
  const word = memory.bytes(stack, 8);
  assert.equal(word?.buffer, bytes.buffer, 'a view, not a copy');
  assert.equal(memory.pointer(stack), word?.readBigUInt64LE());
  assert.deepEqual(memory.range(stack), { base: 0x11fc40n, size: 0x3c0, at: 0x1e4d3 });
  assert.equal(memory.bytes(0x1400017a0n, 0x100)?.length, 0x100);
  assert.equal(memory.bytes(0x1400017a0n, 0x101), undefined);
  assert.equal(memory.bytes(0x11fc40n, 0x3c0)?.length, 0x3c0);
  assert.equal(memory.pointer(0x11fc40n + 0x3c0n - 7n), undefined);
  assert.equal(memory.pointer(0n), undefined);
});

test('the Linux samples: signals, modules and the ids of crashme.sym', () => {
  const nullDump = readMinidump(sampleDump('linux-null.dmp'));
  assert.equal(
    topFrameName(nullDump, 'game::Inventory::CountOf'),
    'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf',
  );
  assert.equal(nullDump.exception?.address, 0x10n);
  assert.equal(nullDump.crashSite?.module?.name, 'crashme');
  assert.equal(nullDump.crashSite?.offset, 0x15f0n);
  assert.equal(nullDump.crashSite?.module?.debugId, '6665FEAE09C7306804147C5669CFDC1E0');
  assert.equal(nullDump.crashSite?.module?.codeId, 'aefe6566c709683004147c5669cfdc1e38ee39d8');
  assert.deepEqual(nullDump.process, { id: 29618, started: 1_795_350_921_000 });
  assert.deepEqual(
    nullDump.modules.map(({ name }) => name),
    [
      'crashme',
      'linux-vdso.so.1',
      'libstdc++.so.6',
      'libgcc_s.so.1',
      'libc.so.6',
      'libm.so.6',
      'ld-linux-x86-64.so.2',
    ],
  );
  const { servicePack: _, ...system } = nullDump.system;
  assert.deepEqual(system, {
    architecture: 'x64',
    kind: 'linux',
    osName: 'Linux',
    osRelease: 'Unknown',
    osBuild: '6.18.44',
    processors: 2,
  });
  assert.notEqual(nullDump.memory.pointer(nullDump.context?.stackPointer ?? 0n), undefined);

  const division = readMinidump(sampleDump('linux-div.dmp'));
  assert.equal(
    topFrameName(division, 'DivideScore(int, int)'),
    'INTEGER_DIVIDE_BY_ZERO_SIGFPE_crashme!DivideScore',
  );
  assert.equal(division.crashSite?.module?.name, 'crashme');
  assert.equal(division.crashSite?.offset, 0x1653n);
  assert.equal(division.crashedThread?.id, 29627);
});

test('an x86 dump has 32-bit registers and addresses, even where a writer extended the sign', () => {
  const context = contextRecord(716, [0, 0x1001f], 32, {
    156: 1,
    160: 2,
    164: 3,
    168: 4,
    172: 5,
    176: 6,
    180: 0xbfff0010,
    184: 0x80001234,
    196: 0xbfff0000,
  });
  const dump = readMinidump(
    new DumpBuilder()
      .system({ processor: numbers.x86, platform: numbers.windows, version: [6, 3, 9600] })
      .exception({
        code: 0xc0000005,
        address: 0xffffffff80001234n,
        parameters: [1n, 0xffffffffdeadbeefn],
        context,
      })
      .modules([{ base: 0xffffffff80000000n, size: 0x10000, path: 'C:\\Games\\Old.EXE' }])
      .memory([{ base: 0xbfff0000n, bytes: packed([32, 0x80004321]) }])
      .build(),
  );
  assert.deepEqual(dump.context?.registers, {
    edi: 1n,
    esi: 2n,
    ebx: 3n,
    edx: 4n,
    ecx: 5n,
    eax: 6n,
    ebp: 0xbfff0010n,
    eip: 0x80001234n,
    esp: 0xbfff0000n,
  });
  assert.equal(dump.context?.framePointer, 0xbfff0010n);
  assert.equal(dump.crashSite?.module?.name, 'Old.EXE');
  assert.equal(dump.crashSite?.offset, 0x1234n);
  assert.equal(topFrameName(dump), 'INVALID_POINTER_WRITE_c0000005_Old.EXE!1234');
  assert.equal(dump.memory.pointer(0xbfff0000n), 0x80004321n);
  assert.equal(dump.system.architecture, 'x86');
  assert.equal(dump.system.osName, 'Windows 8.1');
});

test('an arm64 dump, of Windows and of older Breakpad', () => {
  const registers = { 8: 0x11n, 240: 0x7000_0010n, 248: 0x4000_2000n, 256: 0x7000_0000n, 264: 0x4000_1000n };
  for (const [processor, flags, size] of [
    [numbers.arm64, 0x40001f, 912],
    [0x8003, 0x80000006, 796],
  ] as const) {
    const { context, system, crashSite } = readMinidump(
      new DumpBuilder()
        .system({ processor, platform: numbers.linux, version: [5, 10, 0] })
        .exception({ code: 6, context: contextRecord(size, [0, flags], 64, registers) })
        .modules([{ base: 0x4000_0000n, size: 0x10000, path: '/data/app/libgame.so' }])
        .build(),
    );
    assert.equal(system.architecture, 'arm64');
    assert.equal(context?.instructionPointer, 0x4000_1000n);
    assert.equal(context?.stackPointer, 0x7000_0000n);
    assert.equal(context?.framePointer, 0x7000_0010n);
    assert.equal(context?.registers.x0, 0x11n);
    assert.equal(context?.registers.x30, 0x4000_2000n);
    assert.equal(crashSite?.module?.name, 'libgame.so');
  }
});

test('CodeView records become the ids by which symbols are found', () => {
  const guid = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const name = Buffer.from('D:\\build\\game.pdb\0rest');
  const { modules } = readMinidump(
    new DumpBuilder()
      .system(windows10)
      .modules(
        [
          {
            base: 1n,
            size: 0x1a000,
            timestamp: 0xbeef,
            path: 'C:\\game.dll',
            version: [0x10002, 0x30004],
            record: Buffer.concat([Buffer.from('RSDS'), guid, packed([32, 0x1a]), name]),
          },
          {
            base: 2n,
            size: 1,
            path: 'old.dll',
            record: Buffer.concat([Buffer.from('NB10'), packed([32, 0], [32, 0x3c0ffee], [32, 2]), name]),
          },
          { base: 3n, size: 1, path: '/lib/short.so', record: Buffer.from('LEpB\x01\x02\x03') },
          { base: 4n, size: 1, path: 'none.so', record: Buffer.from('LEpB\0\0\0\0') },
          { base: 5n, size: 1, path: 'other.dll', record: Buffer.from('????') },
        ],
        4,
      )
      .build(),
  );
  assert.deepEqual(
    modules.map(({ name, debugId, debugFile, codeId, version }) => [
      name,
      debugId,
      debugFile,
      codeId,
      version,
    ]),
    [
      ['game.dll', '33221100554477668899AABBCCDDEEFF1A', 'game.pdb', '0000beef1a000', '1.2.3.4'],
      ['old.dll', '03C0FFEE2', 'game.pdb', undefined, undefined],
      ['short.so', `00030201${'0'.repeat(25)}`, undefined, '010203', undefined],
      ['none.so', undefined, undefined, undefined, undefined],
      ['other.dll', undefined, undefined, undefined, undefined],
    ],
  );
});

test('memory of Memory64List and of stacks is found, overlaps answer from the piece that starts last', () => {
  const { memory } = readMinidump(
    new DumpBuilder()
      .system(windows10)
      .threads([{ id: 1, stack: { base: 0x9000n, bytes: Buffer.from('stack') } }])
      .memory64([
        { base: 0x2000n, bytes: Buffer.from('second') },
        { base: 0x1000n, bytes: Buffer.from('first') },
        { base: 0x2004n, bytes: Buffer.from('overlap') },
        { base: 0x2001n, bytes: Buffer.from('in') },
        { base: 0xfffffffffffffffcn, bytes: Buffer.from('last') },
      ])
      .build(),
  );
  const text = (address: bigint, size: number) => memory.bytes(address, size)?.toString();
  assert.equal(text(0x1000n, 5), 'first');
  assert.equal(text(0x2000n, 6), 'second');
  assert.equal(text(0x2001n, 2), 'ec');
  assert.equal(text(0x2004n, 7), 'overlap');
  assert.equal(text(0x9001n, 4), 'tack');
  assert.equal(text(0xfffffffffffffffcn, 4), 'last');
  assert.equal(text(0x1005n, 1), undefined);
});

test('without an exception the thread that asked for the dump counts', () => {
  const context = contextRecord(1232, [0x30, 0x100003], 64, { 248: 0x1010n });
  const dump = readMinidump(
    new DumpBuilder(0)
      .system({ ...windows10, version: [10, 0, 22631] })
      .threads([{ id: 5 }, { id: 6, context }])
      .stream(numbers.breakpadInfo, packed([32, 3], [32, 5], [32, 6]))
      .build(),
  );
  assert.equal(dump.exception, undefined);
  assert.equal(dump.exceptionFacts, undefined);
  assert.equal(dump.crashSite, undefined);
  assert.equal(dump.time, undefined);
  assert.equal(dump.crashedThread?.id, 6);
  assert.equal(dump.context?.instructionPointer, 0x1010n);
  assert.deepEqual(dump.process, { id: undefined, started: undefined });
  assert.deepEqual(dump.modules, []);
});

test('a jump astray is placed by the instruction pointer if that lies in a module', () => {
  const site = (address: bigint, instruction: bigint) =>
    readMinidump(
      new DumpBuilder()
        .system(windows10)
        .exception({
          code: 0xc0000005,
          parameters: [8n, address],
          address,
          context: contextRecord(1232, [0x30, 0x100003], 64, { 248: instruction }),
        })
        .modules([{ base: 0x1000n, size: 0x100, path: 'a.exe' }])
        .build(),
    ).crashSite;
  assert.equal(site(0x50n, 0x1010n)?.offset, 0x10n);
  assert.deepEqual(site(0x50n, 0x60n), { address: 0x50n, module: undefined, offset: undefined });
});

test('processors without readable contexts give everything else', () => {
  const dump = readMinidump(
    new DumpBuilder()
      .system({ processor: numbers.arm, platform: numbers.linux, version: [4, 1, 0] })
      .exception({ code: 11, flags: 1, address: 4n, context: Buffer.alloc(16) })
      .build(),
  );
  assert.equal(dump.system.architecture, 'arm');
  assert.equal(dump.context, undefined);
  assert.equal(dump.crashSite, undefined);
  assert.deepEqual(dump.exceptionFacts, { signal: 'SIGSEGV', signalDetail: 1, address: 4n });
});

test('kernel dumps are told apart and not read', () => {
  for (const signature of ['PAGEDU64', 'PAGEDUMP']) {
    const bytes = Buffer.from(signature.padEnd(4096));
    assert.equal(dumpKind(bytes), 'kernel-dump');
    refuses(bytes, 'kernel-dump', /kernel dump; kernel dumps are kept but not read\.$/);
  }
  assert.equal(dumpKind(sampleDump('win-av.dmp')), 'minidump');
  assert.equal(dumpKind(Buffer.from('MSCF')), 'other');
});

test('damaged dumps are refused with the reason', () => {
  const system = () => new DumpBuilder().system(windows10);
  const changed = (at: number, value: number) => {
    const bytes = system().build();
    bytes.writeUInt32LE(value, at);
    return bytes;
  };
  refuses(Buffer.alloc(0), 'not-a-minidump', /does not begin with MDMP/);
  refuses(
    Buffer.from('MDMP'),
    'out-of-bounds',
    /header would be 32 bytes at offset 0, outside the file of 4 bytes/,
  );
  refuses(changed(4, 0x12345678), 'malformed', /format version 5678, not a793/);
  refuses(changed(8, 257), 'over-limit', /lists 257 streams; at most 256/);
  refuses(changed(8, 200), 'out-of-bounds', /stream directory/);
  refuses(changed(12, 8), 'malformed', /In the dump .* overlap\.$/);
  refuses(new DumpBuilder().build(), 'malformed', /no SystemInfo stream/);
  refuses(system().entry(99, 10, 0xffffff00).build(), 'out-of-bounds', /The stream 0x63 would be 10 bytes/);
  refuses(system().entry(99, 10, 40).build(), 'malformed', /overlap/);
  refuses(system().entry(99, 10, 8).build(), 'malformed', /the header and the stream 0x63 overlap/);
  refuses(system().system(windows10).build(), 'malformed', /the stream systemInfo twice/);
  assert.ok(readMinidump(system().entry(0, 0xffffffff, 0xffffffff).build()), 'unused entries are skipped');
  const list = (type: number, count: number) =>
    system()
      .stream(type, packed([32, count]))
      .build();
  refuses(list(numbers.moduleList, 4097), 'over-limit', /lists 4097 modules; at most 4096/);
  refuses(list(numbers.threadList, 4097), 'over-limit', /lists 4097 threads/);
  refuses(list(numbers.memoryList, 65_537), 'over-limit', /lists 65537 pieces of memory/);
  refuses(list(numbers.moduleList, 1), 'out-of-bounds', /The list of modules would be 108 bytes at offset 4/);
  const memory64 = (...values: bigint[]) =>
    system()
      .stream(numbers.memory64List, packed(...values.map((value) => [64, value] as const)))
      .build();
  refuses(memory64(1n << 60n, 0n), 'over-limit', /pieces of memory; at most 65536/);
  refuses(memory64(1n, 0n, 0n, 1n << 62n), 'out-of-bounds', /outside the file/);
  refuses(memory64(1n, 0n, 0xfffffffffffffff0n, 17n), 'malformed', /runs past the end of the address space/);
  const module = { base: 0xffffffffffffff00n, size: 0x200, path: 'a.exe' };
  refuses(system().modules([module]).build(), 'malformed', /The range of module 1 runs past the end/);
  const longName = { base: 0n, size: 1, path: 'a'.repeat(2049) };
  refuses(system().modules([longName]).build(), 'over-limit', /The name of module 1 has 4098 bytes/);
  const longId = { base: 0n, size: 1, path: 'a', record: Buffer.from('LEpB'.padEnd(200)) };
  refuses(system().modules([longId]).build(), 'over-limit', /build id has 196 bytes/);
  const parameters = Array.from({ length: 16 }, () => 0n);
  refuses(system().exception({ code: 1, parameters }).build(), 'malformed', /16 parameters/);
  const context = contextRecord(1232, [0x30, 0x10001], 64, {});
  refuses(system().exception({ code: 1, context }).build(), 'malformed', /not of the processor x64/);
  refuses(
    system()
      .exception({ code: 1, context: Buffer.alloc(20) })
      .build(),
    'out-of-bounds',
    /The context of the exception ends after 20 bytes/,
  );
});

test('a dump cut at any length is refused or read, never more', () => {
  const whole = sampleDump('linux-div.dmp');
  for (let length = 0; length < whole.length; length += 7) {
    assert.throws(() => readMinidump(whole.subarray(0, length)), MinidumpError, `cut at ${length}`);
  }
});

test('five thousand damaged dumps give a result, whose stack can be walked, or a MinidumpError', (context) => {
  const { failures, ...result } = fuzzMinidumps(5_000, 1);
  context.diagnostic(JSON.stringify(result));
  assert.deepEqual(failures.slice(0, 3), []);
  const { read, refused, frames, symbols, slowest, grown } = result;
  assert.ok(read > 250 && (refused['out-of-bounds'] ?? 0) > 250);
  assert.ok(symbols.read > 250 && symbols.refused > 25);
  for (const found of ['context', 'cfi', 'frame-pointer', 'scan']) {
    assert.ok((frames[found] ?? 0) > 250, `frames of every kind: ${JSON.stringify(frames)}`);
  }
  assert.ok(slowest < 2000, `the slowest took ${slowest} ms`);
  assert.ok(grown < 256 * 1024 * 1024, `memory grew by ${grown} bytes`);
});
