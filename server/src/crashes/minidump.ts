/**
 * Reads a minidump: where, when and why a process crashed, its modules, threads and memory. Pure: bytes in, facts out.
 * Sound dumps of any writer are read, damaged ones refused with a MinidumpError. Walking stacks, symbols and failure
 * names are not done here, and kernel dumps are not read.
 */
import { AddressMap } from './address-map.js';
import { type ContextArchitecture, type CpuContext, readContext } from './contexts.js';
import { type DumpBytes, MinidumpError } from './dump-bytes.js';
import type { ExceptionFacts } from './failure-name.js';
import { type ExceptionRecord, exceptionFacts, readException } from './minidump-exception.js';
import {
  type Memory,
  type MemoryRange,
  memoryOf,
  readMemory64List,
  readMemoryList,
  readMemoryRange,
} from './minidump-memory.js';
import { type Module, readModules } from './minidump-modules.js';
import { entryOffsets, minidumpLimits, readStreams } from './minidump-streams.js';
import { type Architecture, readSystem, type SystemFacts } from './minidump-system.js';

export { MinidumpError, type MinidumpErrorCode } from './dump-bytes.js';
export { dumpKind } from './minidump-streams.js';

/** A thread of the crashed process. */
export interface Thread {
  readonly id: number;
  /** The memory of its stack; of size 0 if the dump has none. */
  readonly stack: MemoryRange;
  /** Its registers as the dump holds them; undefined if it has none. Read with `contextOf`. */
  readonly context: DumpBytes | undefined;
}

/** The place of a crash. */
export interface CrashSite {
  readonly address: bigint;
  /** The module that holds the address; undefined if none does. */
  readonly module: Module | undefined;
  /** Bytes from the module's base; undefined without a module. */
  readonly offset: bigint | undefined;
}

/** All that is known of a crash from its dump. Memory is looked up in the file's bytes, which must stay unchanged. */
export interface Minidump {
  /** When the dump was written, in milliseconds since 1970; undefined if it does not say. */
  readonly time: number | undefined;
  readonly system: SystemFacts;
  /** Id of the process and its start in milliseconds since 1970, where MiscInfo has them. */
  readonly process: { readonly id: number | undefined; readonly started: number | undefined };
  /** The exception; undefined in dumps of a process that only hung or was asked for a dump. */
  readonly exception: ExceptionRecord | undefined;
  /** The exception as `nameFailure` takes it. */
  readonly exceptionFacts: ExceptionFacts | undefined;
  readonly modules: readonly Module[];
  readonly threads: readonly Thread[];
  /** The thread of the exception, else the one that asked for the dump; undefined if neither is listed. */
  readonly crashedThread: Thread | undefined;
  /** Registers of the crashed thread; undefined if the dump has none or they are of another processor. */
  readonly context: CpuContext | undefined;
  readonly crashSite: CrashSite | undefined;
  readonly memory: Memory;
  readonly moduleAt: (address: bigint) => Module | undefined;
  /** Registers of any thread. Throws MinidumpError if they are damaged. */
  readonly contextOf: (thread: Thread) => CpuContext | undefined;
}

/** Reads a minidump. Throws MinidumpError, and nothing else, for bytes that are none or are damaged. */
export function readMinidump(bytes: Buffer): Minidump {
  const { file, time, stream } = readStreams(bytes);
  const systemStream = stream('systemInfo');
  if (systemStream === undefined) {
    throw new MinidumpError(
      'malformed',
      'The dump does not say which system it is from (no SystemInfo stream).',
    );
  }
  const system = readSystem(file, systemStream);
  const { architecture } = system;
  const modules = readModules(file, stream('moduleList'), architecture);
  const threads = readThreads(file, stream('threadList'), architecture);
  const memory = memoryOf(
    file,
    [
      ...readMemoryList(file, stream('memoryList'), architecture),
      ...readMemory64List(file, stream('memory64List'), architecture),
      ...threads.map(({ stack }) => stack),
    ],
    architecture,
  );
  const exceptionStream = stream('exception');
  const exception = exceptionStream && readException(file, exceptionStream, system);
  const crashedId = exception?.threadId ?? requestingThread(stream('breakpadInfo'));
  const crashedThread = threads.find(({ id }) => id === crashedId);
  const context = contextFrom(exception?.context ?? crashedThread?.context, architecture);
  const moduleMap = new AddressMap(modules);
  const moduleAt = (address: bigint) => moduleMap.at(address);
  return {
    time,
    system,
    process: readProcess(stream('miscInfo')),
    exception,
    exceptionFacts: exception && exceptionFacts(exception, system, memory),
    modules,
    threads,
    crashedThread,
    context,
    crashSite: findCrashSite(system, exception, context, moduleAt),
    memory,
    moduleAt,
    contextOf: (thread) => contextFrom(thread.context, architecture),
  };
}

function readThreads(file: DumpBytes, stream: DumpBytes | undefined, architecture: Architecture): Thread[] {
  if (stream === undefined) return [];
  const shape = { size: 48, limit: minidumpLimits.threads, what: 'threads' };
  return entryOffsets(stream, shape).map((at, index) => {
    const contextSize = stream.u32(at + 40);
    return {
      id: stream.u32(at),
      stack: readMemoryRange(file, stream, at + 24, architecture),
      context:
        contextSize === 0
          ? undefined
          : file.part(stream.u32(at + 44), contextSize, `the context of thread ${index + 1}`),
    };
  });
}

/** Breakpad's own stream: which of its two thread ids are valid, the thread that wrote, the one that asked. */
function requestingThread(stream: DumpBytes | undefined): number | undefined {
  return stream !== undefined && (stream.u32(0) & 2) !== 0 ? stream.u32(8) : undefined;
}

/** MiscInfo: its size, flags for what is valid, process id, start in seconds since 1970. */
function readProcess(stream: DumpBytes | undefined): Minidump['process'] {
  const flags = stream?.u32(4) ?? 0;
  const started = (flags & 2) !== 0 ? stream?.u32(12) : undefined;
  return {
    id: (flags & 1) !== 0 ? stream?.u32(8) : undefined,
    started: started === undefined ? undefined : started * 1000,
  };
}

function contextFrom(record: DumpBytes | undefined, architecture: Architecture): CpuContext | undefined {
  const readable: readonly string[] = ['x64', 'x86', 'arm64'] satisfies ContextArchitecture[];
  if (record === undefined || !readable.includes(architecture)) return undefined;
  return readContext(record, architecture as ContextArchitecture);
}

/**
 * Windows records the address of the instruction; where no module holds it (a jump astray), the instruction pointer is
 * asked too. Elsewhere the exception's address is data, and the instruction pointer alone counts.
 */
function findCrashSite(
  system: SystemFacts,
  exception: ExceptionRecord | undefined,
  context: CpuContext | undefined,
  moduleAt: Minidump['moduleAt'],
): CrashSite | undefined {
  if (exception === undefined) return undefined;
  const candidates: bigint[] = [];
  if (system.kind === 'windows') candidates.push(exception.address);
  if (context !== undefined) candidates.push(context.instructionPointer);
  const address = candidates.find((candidate) => moduleAt(candidate) !== undefined) ?? candidates[0];
  if (address === undefined) return undefined;
  const module = moduleAt(address);
  return { address, module, offset: module && address - module.base };
}
