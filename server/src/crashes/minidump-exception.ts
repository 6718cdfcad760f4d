/**
 * Why the process stopped: the exception record, and the facts of it that a failure is named from.
 */
import { asAddress } from './address-map.js';
import { type DumpBytes, MinidumpError } from './dump-bytes.js';
import { linuxSignals, windowsCodes } from './failure-classes.js';
import type { ExceptionFacts } from './failure-name.js';
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

/** What naming a failure needs to know of an exception. `memory` tells the error behind a stowed exception. */
export function exceptionFacts(
  { code, flags, address, parameters }: ExceptionRecord,
  system: SystemFacts,
  memory: Memory,
): ExceptionFacts {
  if (system.kind === 'linux' || system.kind === 'android') {
    const signal = linuxSignals.get(code);
    if (signal === undefined) return { code };
    // Details of 0 and below tell of a signal that a process sent: no address was accessed.
    const faulted = (flags | 0) > 0;
    return { signal, signalDetail: flags | 0, address: faulted ? address : undefined };
  }
  const hresult = code === windowsCodes.stowed ? stowedError(parameters, memory) : undefined;
  return { code, parameters: system.kind === 'windows' ? parameters : undefined, hresult };
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
