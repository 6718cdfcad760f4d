/**
 * Why the process stopped: the exception record, and its class and code as failure names have them. Windows codes are
 * told by their parameters, POSIX ones by the signal; codes without a class of their own are an APPLICATION_FAULT.
 */
import { asAddress } from './address-map.js';
import { type DumpBytes, MinidumpError } from './dump-bytes.js';
import type { Memory } from './minidump-memory.js';
import type { SystemFacts } from './minidump-system.js';

/** The exception as the dump has it. */
export interface ExceptionRecord {
  readonly threadId: number;
  /** Windows exception code or number of the signal. */
  readonly code: number;
  /** Windows exception flags; on POSIX systems what the signal says of its cause (`si_code`). */
  readonly flags: number;
  /** Windows: where it happened. POSIX: what the signal is about, the address that could not be read for example. */
  readonly address: bigint;
  /** At most 15. */
  readonly parameters: readonly bigint[];
  /** The registers at that moment; undefined if the record has none. */
  readonly context: DumpBytes | undefined;
}

/** Class and code of a failure name: `NULL_POINTER_READ` and `c0000005`, `NULL_POINTER` and `SIGSEGV`. */
export interface ExceptionName {
  readonly class: string;
  readonly code: string;
}

/** Reads the Exception stream; `file` holds the context it points at. Throws MinidumpError. */
export function readException(file: DumpBytes, stream: DumpBytes, system: SystemFacts): ExceptionRecord {
  const count = stream.u32(32);
  if (count > 15) {
    throw new MinidumpError('malformed', `The exception has ${count} parameters; there are at most 15.`);
  }
  const contextSize = stream.u32(160);
  const contextAt = stream.u32(164);
  return {
    threadId: stream.u32(0),
    code: stream.u32(8),
    flags: stream.u32(12),
    address: asAddress(stream.u64(24), system.architecture),
    parameters: Array.from({ length: count }, (_, index) =>
      asAddress(stream.u64(40 + index * 8), system.architecture),
    ),
    context:
      contextSize === 0 ? undefined : file.part(contextAt, contextSize, 'the context of the exception'),
  };
}

/** Class and code of an exception. `memory` tells the error behind a stowed exception, if the dump holds it. */
export function nameException(
  exception: ExceptionRecord,
  system: SystemFacts,
  memory: Memory,
): ExceptionName {
  switch (system.kind) {
    case 'windows':
      return windowsName(exception, memory);
    case 'linux':
    case 'android':
      return signalName(exception);
    default:
      return { class: 'APPLICATION_FAULT', code: digits(exception.code) };
  }
}

const digits = (value: number): string => value.toString(16).padStart(8, '0');

/** Below this address lie the fields of an object at address 0. */
const nullObject = 0x1_0000n;

const windowsClasses: Readonly<Record<number, string>> = {
  2147483651: 'BREAKPOINT',
  3221225620: 'INTEGER_DIVIDE_BY_ZERO',
  3221225725: 'STACK_OVERFLOW',
  3221226356: 'HEAP_CORRUPTION',
  3221227010: 'FAIL_FAST_EXCEPTION',
};

/** What the first parameter of c0000409 stands for, as the Windows headers (FAST_FAIL_*) name it. */
const failFastClasses: Readonly<Record<string, string>> = {
  0: 'LEGACY_GS_VIOLATION',
  1: 'VTGUARD_CHECK_FAILURE',
  2: 'STACK_COOKIE_CHECK_FAILURE',
  3: 'CORRUPT_LIST_ENTRY',
  4: 'INCORRECT_STACK',
  5: 'INVALID_ARG',
  6: 'GS_COOKIE_INIT',
  7: 'FATAL_APP_EXIT',
  8: 'RANGE_CHECK_FAILURE',
  9: 'UNSAFE_REGISTRY_ACCESS',
  10: 'GUARD_ICALL_CHECK_FAILURE',
};

function windowsName({ code, parameters }: ExceptionRecord, memory: Memory): ExceptionName {
  const [first = 0n, second = 0n] = parameters;
  switch (code) {
    case 0xc0000005:
      if (parameters.length < 2) break;
      if (first === 8n) return { class: 'SOFTWARE_NX_FAULT', code: digits(code) };
      if (first > 1n) break;
      return { class: `${pointerClass(second)}_${first === 0n ? 'READ' : 'WRITE'}`, code: digits(code) };
    case 0xc0000409: {
      const reason = parameters.length === 0 ? undefined : failFastClasses[String(first)];
      return {
        class: reason === undefined ? 'FAIL_FAST_EXCEPTION' : `FAIL_FAST_${reason}`,
        code: digits(code),
      };
    }
    case 0xe0434352: // thrown by managed code; its first parameter is the HRESULT
      return {
        class: 'CLR_EXCEPTION',
        code: digits(parameters.length === 0 ? code : Number(BigInt.asUintN(32, first))),
      };
    case 0xc000027b:
      return { class: 'STOWED_EXCEPTION', code: digits(stowedError(parameters, memory) ?? code) };
  }
  return { class: windowsClasses[code] ?? 'APPLICATION_FAULT', code: digits(code) };
}

function pointerClass(address: bigint): string {
  if (address === 0n) return 'NULL_POINTER';
  return address < nullObject ? 'NULL_CLASS_PTR' : 'INVALID_POINTER';
}

/**
 * The HRESULT of the first stowed exception: the first parameter points at a list of pointers to records of size,
 * signature `SE01` or `SE02`, and the error.
 */
function stowedError([list, count]: readonly bigint[], memory: Memory): number | undefined {
  if (list === undefined || count === undefined || count === 0n) return undefined;
  const record = memory.pointer(list);
  const bytes = record === undefined ? undefined : memory.bytes(record, 12);
  // The signature is a number, so the file has its letters backwards.
  if (bytes === undefined || !/^[12]0ES$/.test(bytes.toString('latin1', 4, 8))) return undefined;
  return bytes.readUInt32LE(8);
}

const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  16: 'SIGSTKFLT',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** Signals that say nothing of reading or writing: the access is left out of their class. */
function signalName({ code, flags, address }: ExceptionRecord): ExceptionName {
  const name = signals[code];
  const text = name ?? digits(code);
  switch (name) {
    case 'SIGSEGV':
    case 'SIGBUS': {
      // Sent by the kernel without an address (si_code SI_KERNEL, 0x80) or by a process (0 and below): no pointer to judge.
      const known = flags !== 0x80 && (flags | 0) > 0;
      return { class: known && address < nullObject ? 'NULL_POINTER' : 'INVALID_POINTER', code: text };
    }
    case 'SIGFPE': // si_code FPE_INTDIV
      return { class: flags === 1 ? 'INTEGER_DIVIDE_BY_ZERO' : 'APPLICATION_FAULT', code: text };
    case 'SIGABRT':
      return { class: 'ABORT', code: text };
    case 'SIGTRAP':
      return { class: 'BREAKPOINT', code: text };
    default:
      return { class: 'APPLICATION_FAULT', code: text };
  }
}
