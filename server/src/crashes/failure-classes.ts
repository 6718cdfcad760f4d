/**
 * Data of the naming rules: which class an exception code, a fail-fast reason, a bug check or a signal gives. Codes
 * that are not listed give `APPLICATION_FAULT`. A change here changes names and asks for a new rule-set version.
 */

/** The class of a failure about which nothing more is known. */
export const unknownClass = 'APPLICATION_FAULT';

/** Codes whose class depends on the exception's parameters or on facts behind it. */
export const windowsCodes = {
  accessViolation: 0xc0000005,
  failFast: 0xc0000409,
  stowed: 0xc000027b,
  managed: 0xe0434352,
  /** The code of .NET Framework before version 4. */
  managedEarly: 0xe0434f4d,
  hang: 0xcfffffff,
} as const;

/** Windows exception codes with one class each. */
export const windowsClasses: ReadonlyMap<number, string> = new Map([
  [0x80000003, 'BREAKPOINT'],
  [0xc0000094, 'INTEGER_DIVIDE_BY_ZERO'],
  [0xc00000fd, 'STACK_OVERFLOW'],
  [windowsCodes.stowed, 'STOWED_EXCEPTION'],
  [0xc0000374, 'HEAP_CORRUPTION'],
  [windowsCodes.failFast, 'FAIL_FAST'],
  [0xc0000602, 'FAIL_FAST_EXCEPTION'],
  [windowsCodes.managed, 'CLR_EXCEPTION'],
  [windowsCodes.managedEarly, 'CLR_EXCEPTION'],
]);

/** Reasons of a fail-fast (first parameter of c0000409), behind `FAIL_FAST_`; the numbers are those of `winnt.h`. */
export const failFastReasons: ReadonlyMap<bigint, string> = new Map([
  [0n, 'LEGACY_GS_VIOLATION'],
  [1n, 'VTGUARD_CHECK_FAILURE'],
  [2n, 'STACK_COOKIE_CHECK_FAILURE'],
  [3n, 'CORRUPT_LIST_ENTRY'],
  [4n, 'INCORRECT_STACK'],
  [5n, 'INVALID_ARG'],
  [6n, 'GS_COOKIE_INIT'],
  [7n, 'FATAL_APP_EXIT'],
  [8n, 'RANGE_CHECK_FAILURE'],
  [9n, 'UNSAFE_REGISTRY_ACCESS'],
  [10n, 'GUARD_ICALL_CHECK_FAILURE'],
  [11n, 'GUARD_WRITE_CHECK_FAILURE'],
  [12n, 'INVALID_FIBER_SWITCH'],
  [13n, 'INVALID_SET_OF_CONTEXT'],
  [14n, 'INVALID_REFERENCE_COUNT'],
  [18n, 'INVALID_JUMP_BUFFER'],
  [19n, 'MRDATA_MODIFIED'],
  [20n, 'CERTIFICATION_FAILURE'],
  [21n, 'INVALID_EXCEPTION_CHAIN'],
  [22n, 'CRYPTO_LIBRARY'],
  [23n, 'INVALID_CALL_IN_DLL_CALLOUT'],
  [24n, 'INVALID_IMAGE_BASE'],
]);

/** Bug checks that say nothing but a bad memory access; the vendor names them by class alone (`AV_module!function`). */
export const accessBugChecks: ReadonlySet<number> = new Set([0x0a, 0x50, 0xd1]);

/** Signals of Linux by number, the same on x86 and ARM; for dumps, which hold the number alone. */
export const linuxSignals: ReadonlyMap<number, string> = new Map([
  [3, 'SIGQUIT'],
  [4, 'SIGILL'],
  [5, 'SIGTRAP'],
  [6, 'SIGABRT'],
  [7, 'SIGBUS'],
  [8, 'SIGFPE'],
  [9, 'SIGKILL'],
  [11, 'SIGSEGV'],
  [13, 'SIGPIPE'],
  [15, 'SIGTERM'],
  [16, 'SIGSTKFLT'],
  [24, 'SIGXCPU'],
  [25, 'SIGXFSZ'],
  [31, 'SIGSYS'],
]);

/** Signals with one class each, whatever their detail. */
export const signalClasses: ReadonlyMap<string, string> = new Map([
  ['SIGABRT', 'ABORT'],
  ['SIGTRAP', 'BREAKPOINT'],
]);

/** Signals that report a bad memory access at an address. */
export const memorySignals: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGBUS']);

/** Detail of SIGFPE (`si_code`) for a division by zero of whole numbers. */
export const integerDivision = 1;

/** Detail of SIGSEGV for faults whose address the processor does not tell; the system then writes 0. */
export const addressUnknown = 0x80;
