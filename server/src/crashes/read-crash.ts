/**
 * Reads one crash file in two steps: opens it and names its modules, then walks the crashed thread with the symbols
 * that were found for them. Runs inside a reading thread, where nobody else waits; all of it is synchronous.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { CabError } from './cab-error.js';
import { writeCab } from './cab-writer.js';
import { type CrashFile, CrashFileError, openCrashFile, unopened } from './crash-file.js';
import { foundFrames } from './frames.js';
import { type Minidump, MinidumpError, readMinidump } from './minidump.js';
import type { Module } from './minidump-modules.js';
import type {
  DumpFacts,
  FoundFrame,
  FoundModule,
  ModuleIds,
  Reading,
  ReadingTask,
  SymbolsAt,
} from './reading.js';
import { walkStack } from './stack/walk.js';
import type { SymbolIndex } from './symbol-index.js';

/** Parses the symbols of a module, or takes them from those it has parsed before. */
export type LoadSymbols = (symbols: SymbolsAt) => SymbolIndex | undefined;

/** An opened file: with a dump, the modules whose symbols would help; without one, all that there is to say. */
export interface OpenedCrash {
  readonly modules: readonly ModuleIds[];
  /** Ends the reading, with the symbols of those modules. */
  readonly walk: (symbols: readonly SymbolsAt[], load: LoadSymbols) => Reading;
}

/** The sentence for the sender of a file that is refused; undefined for errors of another kind. */
export function refusal(error: unknown): string | undefined {
  const refused =
    error instanceof CabError || error instanceof MinidumpError || error instanceof CrashFileError;
  return refused ? error.message : undefined;
}

/** Opens a file and keeps it if that was asked. Throws CabError, MinidumpError and CrashFileError. */
export function openCrash(task: ReadingTask): OpenedCrash {
  const { file, keepTo } = task;
  const bytes =
    typeof file === 'string'
      ? readFileSync(file)
      : Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const found = task.read ? openCrashFile(bytes, task.unpackedBytes) : unopened(bytes);
  const dump = found.dump && readMinidump(found.dump);
  const cabinet = cabinetOf(found, bytes, dump?.time ?? task.now);
  const stays = cabinet === bytes && typeof file === 'string';
  const written = keepTo === undefined || stays ? undefined : keep(cabinet, keepTo);
  if (dump === undefined) {
    return { modules: [], walk: () => ({ processed: found.reason, facts: undefined, written }) };
  }
  return {
    modules: dump.modules.map(({ name, debugId, codeId }) => ({ name, debugId, codeId })),
    walk: (symbols, load) => ({ processed: 'read', facts: factsOf(dump, symbols, load), written }),
  };
}

function cabinetOf({ container, label }: CrashFile, bytes: Buffer, time: number): Uint8Array {
  return container === 'cabinet' ? bytes : writeCab([{ name: label, bytes, date: new Date(time) }], 'mszip');
}

/**
 * Writes a file that was not there and sees it on disk; answers its size. Here rather than in the main thread, whose few
 * helpers would all wait for disks, and everybody else for them.
 */
function keep(content: Uint8Array, path: string): number {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  return content.length;
}

function factsOf(dump: Minidump, symbols: readonly SymbolsAt[], load: LoadSymbols): DumpFacts {
  const { system, crashSite } = dump;
  const { osName, osRelease, osBuild, architecture } = system;
  return {
    time: dump.time,
    osName,
    osRelease,
    osBuild,
    architecture,
    exception: dump.exceptionFacts,
    program: found(dump.modules[0]),
    crashed: found(crashSite?.module),
    frames: walkWith(dump, symbols, load),
  };
}

function found(module: Module | undefined): FoundModule | undefined {
  return module && { name: module.name, version: module.version };
}

/** The stack, with symbols loaded as the walk comes to their modules. */
function walkWith(dump: Minidump, symbols: readonly SymbolsAt[], load: LoadSymbols): readonly FoundFrame[] {
  const known = new Map(symbols.map((at) => [dump.modules[at.module], at]));
  const frames = walkStack(dump, (module) => {
    const at = known.get(module);
    return at && load(at);
  });
  return foundFrames(frames);
}
