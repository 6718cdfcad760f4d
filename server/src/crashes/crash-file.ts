/**
 * Tells what a crash file is by its content (never by its name) and finds the dump in it. Pure; names inside a cabinet
 * are labels and lead nowhere. Reading the dump itself is `minidump.ts`.
 */
import { type Cab, cabLimits, readCab } from './cab.js';
import { dumpKind } from './minidump.js';

/** A crash file that is refused; the message is a sentence for its sender. */
export class CrashFileError extends Error {
  override readonly name = 'CrashFileError';
}

/** A crash file that is kept: a cabinet, or a bare dump that is to be wrapped into one. */
export interface CrashFile {
  readonly container: 'cabinet' | 'dump';
  /** The minidump in it; undefined if there is none that is read. */
  readonly dump: Buffer | undefined;
  /** Why there is no dump to read: a sentence; empty if there is one. */
  readonly reason: string;
  /** What a bare dump is called inside its cabinet. */
  readonly label: string;
}

const kernelDump = 'The file is a kernel dump; kernel dumps are kept but not read.';

/**
 * Looks into a crash file. Throws CabError for a cabinet that is damaged, hostile or over the limit of unpacked bytes,
 * CrashFileError for one with several dumps and for what is neither cabinet nor dump.
 */
export function openCrashFile(bytes: Buffer, unpackedBytes: number): CrashFile {
  if (bytes.length === 0) throw new CrashFileError('The crash file is empty.');
  if (isCabinet(bytes)) return openCabinet(bytes, unpackedBytes);
  switch (dumpKind(bytes)) {
    case 'minidump':
      return { container: 'dump', dump: bytes, reason: '', label: 'minidump.dmp' };
    case 'kernel-dump':
      return { container: 'dump', dump: undefined, reason: kernelDump, label: 'memory.dmp' };
    case 'other':
      throw new CrashFileError(
        'The file is neither a cabinet (it would begin with MSCF) nor a dump (MDMP, PAGEDUMP or PAGEDU64).',
      );
  }
}

/** A file as it is kept when it shall not be looked into: a cabinet as it is, all else to be wrapped. */
export function unopened(bytes: Buffer): CrashFile {
  const kept = { dump: undefined, reason: 'The file was not read.' };
  if (isCabinet(bytes)) return { ...kept, container: 'cabinet', label: '' };
  return {
    ...kept,
    container: 'dump',
    label: dumpKind(bytes) === 'kernel-dump' ? 'memory.dmp' : 'minidump.dmp',
  };
}

function isCabinet(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'MSCF';
}

function openCabinet(bytes: Buffer, unpackedBytes: number): CrashFile {
  const cab = readCab(bytes, { ...cabLimits, totalBytes: unpackedBytes });
  const kinds = cab.files.filter(({ opens }) => opens).map((file) => content(cab, file.name));
  const dumps = kinds.filter(({ kind }) => kind === 'minidump');
  const kept = { container: 'cabinet', label: '' } as const;
  if (dumps.length > 1) {
    throw new CrashFileError(`The cabinet holds ${dumps.length} minidumps; send one with each crash.`);
  }
  const [dump] = dumps;
  if (dump !== undefined) return { ...kept, dump: dump.bytes, reason: '' };
  return { ...kept, dump: undefined, reason: missing(cab, kinds) };
}

/** Why a cabinet without a dump to read has none. */
function missing(cab: Cab, kinds: readonly { readonly kind: string }[]): string {
  if (kinds.some(({ kind }) => kind === 'kernel-dump')) {
    return 'The cabinet holds a kernel dump; kernel dumps are kept but not read.';
  }
  const closed = [...new Set(cab.files.filter(({ opens }) => !opens).map(({ compression }) => compression))];
  return closed.length === 0
    ? 'The cabinet holds no dump.'
    : `The cabinet is compressed with ${closed.join(' and ')}, which is kept but not opened.`;
}

function content(cab: Cab, name: string): { bytes: Buffer; kind: ReturnType<typeof dumpKind> } {
  const unpacked = cab.extract(name);
  const bytes = Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.byteLength);
  return { bytes, kind: dumpKind(bytes) };
}
