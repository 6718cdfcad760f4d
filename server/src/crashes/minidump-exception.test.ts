import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DumpBuilder, numbers, packed } from '../../test/crashes/dump-builder.js';
import { nameFailure } from './failure-name.js';
import { readMinidump } from './minidump.js';

/** Class and code of an exception, joined as failure names have them. */
function name(
  platform: number,
  code: number,
  parameters: readonly bigint[] = [],
  more: { flags?: number; address?: bigint; memory?: readonly { base: bigint; bytes: Buffer }[] } = {},
): string {
  const { memory = [], ...exception } = more;
  const dump = readMinidump(
    new DumpBuilder()
      .system({ processor: numbers.x64, platform, version: [10, 0, 19045] })
      .exception({ code, parameters, ...exception })
      .memory(memory)
      .build(),
  );
  return nameFailure({ mode: 'um', exception: dump.exceptionFacts }).failureName;
}

test('access violations by what was done and to which address', () => {
  const violation = (...parameters: bigint[]) => name(numbers.windows, 0xc0000005, parameters);
  assert.equal(violation(0n, 0n), 'NULL_POINTER_READ_c0000005');
  assert.equal(violation(1n, 0n), 'NULL_POINTER_WRITE_c0000005');
  assert.equal(violation(0n, 1n), 'NULL_CLASS_PTR_READ_c0000005');
  assert.equal(violation(1n, 0xffffn), 'NULL_CLASS_PTR_WRITE_c0000005');
  assert.equal(violation(0n, 0x10000n), 'INVALID_POINTER_READ_c0000005');
  assert.equal(violation(1n, 0xffffffffffffffffn), 'INVALID_POINTER_WRITE_c0000005');
  assert.equal(violation(8n, 0n), 'SOFTWARE_NX_FAULT_c0000005');
  assert.equal(violation(3n, 0n), 'APPLICATION_FAULT_c0000005');
  assert.equal(violation(), 'APPLICATION_FAULT_c0000005');
});

test('other Windows codes', () => {
  const cases: [number, bigint[], string][] = [
    [0xc00000fd, [], 'STACK_OVERFLOW_c00000fd'],
    [0xc0000094, [], 'INTEGER_DIVIDE_BY_ZERO_c0000094'],
    [0x80000003, [], 'BREAKPOINT_80000003'],
    [0xc0000374, [], 'HEAP_CORRUPTION_c0000374'],
    [0xc0000602, [], 'FAIL_FAST_EXCEPTION_c0000602'],
    [0xc0000409, [7n], 'FAIL_FAST_FATAL_APP_EXIT_c0000409'],
    [0xc0000409, [99n], 'FAIL_FAST_c0000409'],
    [0xc0000409, [], 'FAIL_FAST_c0000409'],
    [0xe0434352, [0xffffffff80131509n], 'CLR_EXCEPTION_80131509'],
    [0xe0434352, [], 'CLR_EXCEPTION_e0434352'],
    [0xc000001d, [], 'APPLICATION_FAULT_c000001d'],
    [0x6ba, [], 'APPLICATION_FAULT_000006ba'],
  ];
  for (const [code, parameters, expected] of cases) {
    assert.equal(name(numbers.windows, code, parameters), expected);
  }
});

test('a stowed exception carries the error behind it, if the dump holds its record', () => {
  const list = { base: 0x5000n, bytes: packed([64, 0x6000n]) };
  const record = (signature: string) => ({
    base: 0x6000n,
    bytes: Buffer.concat([packed([32, 40]), Buffer.from(signature), packed([32, 0x8000ffff])]),
  });
  const stowed = (...memory: { base: bigint; bytes: Buffer }[]) =>
    name(numbers.windows, 0xc000027b, [0x5000n, 1n], { memory });
  assert.equal(stowed(list, record('20ES')), 'STOWED_EXCEPTION_8000ffff');
  assert.equal(stowed(list, record('10ES')), 'STOWED_EXCEPTION_8000ffff');
  assert.equal(stowed(list, record('????')), 'STOWED_EXCEPTION_c000027b');
  assert.equal(stowed(list), 'STOWED_EXCEPTION_c000027b');
  assert.equal(stowed(), 'STOWED_EXCEPTION_c000027b');
});

test('signals', () => {
  const signal = (code: number, flags: number, address: bigint) =>
    name(numbers.linux, code, [], { flags, address });
  assert.equal(signal(11, 1, 0n), 'NULL_POINTER_SIGSEGV');
  assert.equal(signal(11, 1, 0xffffn), 'NULL_POINTER_SIGSEGV');
  assert.equal(signal(11, 2, 0x10000n), 'INVALID_POINTER_SIGSEGV');
  assert.equal(signal(11, 0x80, 0n), 'INVALID_POINTER_SIGSEGV', 'the kernel gives no address');
  assert.equal(signal(11, 0xfffffffa, 0n), 'APPLICATION_FAULT_SIGSEGV', 'sent by a process');
  assert.equal(signal(7, 2, 0x7f0000n), 'INVALID_POINTER_SIGBUS');
  assert.equal(signal(8, 1, 0x1000n), 'INTEGER_DIVIDE_BY_ZERO_SIGFPE');
  assert.equal(signal(8, 3, 0x1000n), 'APPLICATION_FAULT_SIGFPE');
  assert.equal(signal(6, 0, 0n), 'ABORT_SIGABRT');
  assert.equal(signal(5, 1, 0n), 'BREAKPOINT_SIGTRAP');
  assert.equal(signal(4, 1, 0n), 'APPLICATION_FAULT_SIGILL');
  assert.equal(signal(0xffffffff, 0, 0n), 'APPLICATION_FAULT_ffffffff', 'a dump without a crash');
  assert.equal(name(0x8101, 1), 'APPLICATION_FAULT_00000001', 'no names for other systems');
});
