/**
 * Modules of a minidump: where each image was loaded, its version, and the ids by which symbols are found.
 */
import { asAddress, checkRange } from './address-map.js';
import { type DumpBytes, longestText, MinidumpError } from './dump-bytes.js';
import { entryOffsets, minidumpLimits } from './minidump-streams.js';
import type { Architecture } from './minidump-system.js';

/** An image that was loaded into the process. */
export interface Module {
  readonly base: bigint;
  readonly size: number;
  /** Last part of the path, in its own spelling: `ContosoGame.exe`. */
  readonly name: string;
  readonly path: string;
  /** File version from the image's resources, four numbers; undefined if it has none. */
  readonly version: string | undefined;
  /** When the image was linked, seconds since 1970, or a hash in its place; 0 if unknown. */
  readonly timestamp: number;
  /** Id of the debug file as Breakpad's MODULE lines spell it (upper case); undefined without a CodeView record. */
  readonly debugId: string | undefined;
  /** Name of the debug file (PDB), last part of its path; undefined if the record has none. */
  readonly debugFile: string | undefined;
  /** Id of the image, lower case: ELF build id, or link time and size of a PE image; undefined if unknown. */
  readonly codeId: string | undefined;
}

const moduleSize = 108;
const codeView = { pdb70: 0x53445352, pdb20: 0x3031424e, elf: 0x4270454c } as const;

/** Reads the ModuleList stream; `file` holds names and records it points at. Throws MinidumpError. */
export function readModules(
  file: DumpBytes,
  stream: DumpBytes | undefined,
  architecture: Architecture,
): readonly Module[] {
  if (stream === undefined) return [];
  const shape = { size: moduleSize, limit: minidumpLimits.modules, what: 'modules' };
  return entryOffsets(stream, shape).map((at, index) => {
    const what = `module ${index + 1}`;
    const base = asAddress(stream.u64(at), architecture);
    const size = stream.u32(at + 8);
    checkRange({ base, size }, `The range of ${what}`);
    const timestamp = stream.u32(at + 16);
    const path = file.text(stream.u32(at + 20), `the name of ${what}`);
    const recordSize = stream.u32(at + 76);
    const record =
      recordSize === 0
        ? undefined
        : file.part(stream.u32(at + 80), recordSize, `the CodeView record of ${what}`);
    return {
      base,
      size,
      name: lastPart(path),
      path,
      version: version(stream, at + 24),
      timestamp,
      ...idsOf(record, timestamp, size),
    };
  });
}

/** The last part of a Windows or POSIX path. */
function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** VS_FIXEDFILEINFO: a signature, then the file version from its third number on. All zeros stand for none. */
function version(stream: DumpBytes, at: number): string | undefined {
  if (stream.u32(at) !== 0xfeef04bd) return undefined;
  const parts = [stream.u16(at + 10), stream.u16(at + 8), stream.u16(at + 14), stream.u16(at + 12)];
  return parts.every((part) => part === 0) ? undefined : parts.join('.');
}

type Ids = Pick<Module, 'debugId' | 'debugFile' | 'codeId'>;

function idsOf(record: DumpBytes | undefined, timestamp: number, size: number): Ids {
  // As Breakpad and symbol servers form it: eight digits of the time, then the size without leading zeros.
  const image = timestamp === 0 ? undefined : `${hex(timestamp, 8)}${hex(size, 1)}`.toLowerCase();
  const none: Ids = { debugId: undefined, debugFile: undefined, codeId: image };
  if (record === undefined || record.size < 4) return none;
  switch (record.u32(0)) {
    case codeView.pdb70:
      return { ...none, debugId: guid(record, 4) + hex(record.u32(20), 1), debugFile: debugFile(record, 24) };
    case codeView.pdb20:
      return {
        ...none,
        debugId: hex(record.u32(8), 8) + hex(record.u32(12), 1),
        debugFile: debugFile(record, 16),
      };
    case codeView.elf:
      return elfIds(record);
    default:
      return none;
  }
}

/** A build id of any length; its first 16 bytes, read as a GUID, and the age 0 make Breakpad's id. */
function elfIds(record: DumpBytes): Ids {
  if (record.size - 4 > 64) {
    throw new MinidumpError('over-limit', `A build id has ${record.size - 4} bytes; at most 64 are read.`);
  }
  const build = record.bytes.subarray(4);
  if (build.every((byte) => byte === 0)) {
    return { debugId: undefined, debugFile: undefined, codeId: undefined };
  }
  const padded = Buffer.alloc(16);
  build.copy(padded);
  return {
    debugId: `${guidOf(padded)}0`,
    debugFile: undefined,
    codeId: build.toString('hex'),
  };
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

function guid(record: DumpBytes, at: number): string {
  return guidOf(record.part(at, 16, 'the GUID of a CodeView record').bytes);
}

/** Sixteen bytes as the digits of a GUID: its first three numbers are little-endian. */
function guidOf(bytes: Buffer): string {
  const numbers =
    hex(bytes.readUInt32LE(0), 8) + hex(bytes.readUInt16LE(4), 4) + hex(bytes.readUInt16LE(6), 4);
  return numbers + bytes.toString('hex', 8, 16).toUpperCase();
}

function debugFile(record: DumpBytes, at: number): string | undefined {
  const bytes = record.bytes.subarray(at, at + longestText);
  const end = bytes.indexOf(0);
  const name = lastPart(bytes.toString('utf8', 0, end < 0 ? bytes.length : end));
  return name === '' ? undefined : name;
}
