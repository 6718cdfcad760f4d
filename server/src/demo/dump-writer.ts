/**
 * Writes the demo's crash files and symbols: small minidumps of x64 Windows with modules, an exception, registers and
 * a stack; the head of a kernel dump; and Breakpad symbols by whose rules those stacks are walked. The layouts are
 * those of the format's documentation; what no reader asks for is left empty.
 */
import { Chance } from './chance.js';
import { callsOf, type KnownFailure, type Program, type ProgramFunction, type Trouble } from './programs.js';

/** Bytes of every function, where the first one begins, and how many bytes one line of source has. */
const functionBytes = 0x200;
const firstFunction = 0x1000;
const lineBytes = 0x40;

/** Images of Windows with the places that they are loaded at. */
const systemImages: Readonly<Record<string, { readonly base: bigint; readonly size: number }>> = {
  'ntdll.dll': { base: 0x7ffc_3a80_0000n, size: 0x216000 },
  'KERNEL32.DLL': { base: 0x7ffc_391e_0000n, size: 0xc4000 },
  'KERNELBASE.dll': { base: 0x7ffc_3815_0000n, size: 0x3a6000 },
  'ucrtbase.dll': { base: 0x7ffc_3850_0000n, size: 0x111000 },
};

/** A place in a stack: bytes from the start of the image, and of the function where it is one of the program's. */
export interface DemoFrame {
  readonly image: string;
  readonly function: string | undefined;
  readonly offset: number;
  /** Bytes from the start of the function; undefined without one. */
  readonly within: number | undefined;
  /** Bytes of stack that the function takes. */
  readonly stack: number;
}

/** The frames of a failure, innermost first; the same whenever it happens. */
export function framesOf(program: Program, failure: KnownFailure): readonly DemoFrame[] {
  const { image, functions } = program;
  return callsOf(program, failure).map((call, level) => {
    const [library = '', place] = call.split('+');
    if (place !== undefined) {
      return { image: library, function: undefined, offset: Number(place), within: undefined, stack: 0x58 };
    }
    const index = functions.findIndex(({ name }) => name === call);
    if (index < 0) throw new TypeError(`${image} has no function ${call}`);
    const chance = new Chance(`${image}/${call}/${failure.calls.join()}/${level}`);
    // An odd number, as return addresses are no multiples of 16.
    const within = 0x20 + 2 * chance.whole(0, 0xd0) + 1;
    const offset = firstFunction + index * functionBytes + within;
    return { image, function: call, offset, within, stack: stackOf(index) };
  });
}

const stackOf = (index: number) => 0x48 + 0x10 * (index % 5);

/** The program's symbols as Breakpad text. */
export function symbolText({ image, debugId, functions }: Program): string {
  const files = [...new Set(functions.map(({ file }) => file))];
  const lines = [`MODULE windows x86_64 ${debugId} ${debugFile(image)}`];
  for (const [index, file] of files.entries()) lines.push(`FILE ${index} D:\\build\\${file}`);
  for (const [index, entry] of functions.entries()) lines.push(...functionRecords(entry, index, files));
  for (const [index] of functions.entries()) {
    const rules = `.cfa: $rsp ${stackOf(index)} + .ra: .cfa -8 + ^`;
    lines.push(`STACK CFI INIT ${hex(addressOf(index))} ${hex(functionBytes)} ${rules}`);
  }
  return `${lines.join('\n')}\n`;
}

function functionRecords(entry: ProgramFunction, index: number, files: readonly string[]): string[] {
  const start = addressOf(index);
  const records = [`FUNC ${hex(start)} ${hex(functionBytes)} 0 ${entry.name}`];
  for (let at = 0; at < functionBytes; at += lineBytes) {
    const line = entry.line + (2 * at) / lineBytes;
    records.push(`${hex(start + at)} ${hex(lineBytes)} ${line} ${files.indexOf(entry.file)}`);
  }
  return records;
}

const addressOf = (index: number) => firstFunction + index * functionBytes;
const hex = (value: number) => value.toString(16);
const debugFile = (image: string) => image.replace(/\.[^.]+$/, '.pdb');

/** What a dump is made of besides the failure. */
export interface DumpOf {
  readonly program: Program;
  readonly failure: KnownFailure & { readonly trouble: Trouble };
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Four numbers. */
  readonly version: string;
  /** Major, minor and build number. */
  readonly osBuild: string;
  readonly chance: Chance;
}

/** A minidump of a program that was stopped by trouble. */
export function minidump({ program, failure, time, version, osBuild, chance }: DumpOf): Buffer {
  const { trouble } = failure;
  const file = new DumpFile(time);
  const programBase = 0x7ff6_0000_0000n + BigInt(chance.whole(1, 0xffff)) * 0x1_0000n;
  const images = new Map([
    [program.image, { base: programBase, size: addressOf(program.functions.length + 8) & ~0xfff }],
    ...Object.entries(systemImages),
  ]);
  const frames = framesOf(program, failure).map(({ image, offset, stack }) => ({
    address: (images.get(image)?.base ?? 0n) + BigInt(offset),
    stack,
  }));
  const top = 0x9_f000n + BigInt(chance.whole(1, 0xfff)) * 0x1_0000_0000n;
  const stack = stackBytes(frames, chance);
  const base = top - BigInt(stack.length);
  const context = contextBytes(frames[0]?.address ?? 0n, base, chance);

  const [major = 10, minor = 0, build = 0] = osBuild.split('.').map(Number);
  const system = numbers(
    [16, 9],
    [16, 6],
    [16, 0x8c03],
    [8, 8],
    [8, 1],
    [32, major],
    [32, minor],
    [32, build],
  );
  file.stream(7, Buffer.concat([system, numbers([32, 2], [32, 0]), Buffer.alloc(28)]));
  const contextAt = file.place(context);
  file.stream(6, exceptionBytes(trouble, frames[0]?.address ?? 0n, context.length, contextAt));
  const modules = [...images].map(([name, image]) =>
    file.module(name, image, name === program.image ? { program, version } : undefined),
  );
  file.stream(4, Buffer.concat([numbers([32, modules.length]), ...modules]));
  const stackAt = file.place(stack);
  const thread = numbers(
    [32, threadId],
    ...([
      [32, 0],
      [32, 0],
      [32, 0],
    ] as const),
    [64, 0x2f_3000n],
    [64, base],
    [32, stack.length],
    [32, stackAt],
    [32, context.length],
    [32, contextAt],
  );
  file.stream(3, Buffer.concat([numbers([32, 1]), thread]));
  const started = Math.floor(time / 1000) - chance.whole(20, 7200);
  file.stream(
    15,
    numbers([32, 24], [32, 3], [32, chance.whole(1000, 30_000)], [32, started], [32, 0], [32, 0]),
  );
  return file.build();
}

const threadId = 4712;

/** Little-endian numbers one after another, each with its bits. */
function numbers(...values: readonly (readonly [8 | 16 | 32 | 64, number | bigint])[]): Buffer {
  const bytes = Buffer.alloc(values.reduce((sum, [bits]) => sum + bits / 8, 0));
  let at = 0;
  for (const [bits, value] of values) {
    if (bits === 64) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
    else bytes.writeUIntLE(Number(value), at, bits / 8);
    at += bits / 8;
  }
  return bytes;
}

/** The stack from the innermost frame's locals up: each function's locals, then where it returns to. */
function stackBytes(frames: readonly { address: bigint; stack: number }[], chance: Chance): Buffer {
  const parts = frames.map((frame, index) => {
    const locals = Buffer.alloc(frame.stack - 8);
    // Numbers that are no addresses of code.
    for (let at = 0; at + 8 <= locals.length; at += 8) locals.writeUInt32LE(chance.whole(0, 0xffff), at);
    return Buffer.concat([locals, numbers([64, frames[index + 1]?.address ?? 0n])]);
  });
  return Buffer.concat([...parts, Buffer.alloc(0x100)]);
}

/** A CONTEXT record: flags for all of it, general registers, the instruction and stack pointer. */
function contextBytes(instruction: bigint, stack: bigint, chance: Chance): Buffer {
  const record = Buffer.alloc(1232);
  record.writeUInt32LE(0x10005f, 0x30);
  for (let register = 0; register < 16; register += 1) {
    record.writeUInt32LE(chance.whole(0, 0xffff), 0x78 + 8 * register);
  }
  record.writeBigUInt64LE(stack, 0x98);
  record.writeBigUInt64LE(instruction, 0xf8);
  return record;
}

function exceptionBytes({ code, parameters }: Trouble, address: bigint, size: number, at: number): Buffer {
  const all = Array.from({ length: 15 }, (_, index) => [64, parameters[index] ?? 0n] as const);
  return numbers(
    [32, threadId],
    [32, 0],
    [32, code],
    [32, 0],
    [64, 0],
    [64, address],
    [32, parameters.length],
    [32, 0],
    ...all,
    [32, size],
    [32, at],
  );
}

/** A minidump as it grows: streams, and what they point at. */
class DumpFile {
  readonly #parts: Buffer[] = [];
  readonly #directory: Buffer[] = [];
  #size = 32;

  constructor(private readonly time: number) {}

  /** Adds bytes; returns where they are. */
  place(bytes: Buffer): number {
    const at = this.#size;
    // Everything begins at a multiple of eight.
    const padded = Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
    this.#parts.push(padded);
    this.#size += padded.length;
    return at;
  }

  stream(type: number, bytes: Buffer): void {
    const at = this.place(bytes);
    this.#directory.push(numbers([32, type], [32, bytes.length], [32, at]));
  }

  /** An entry of the module list; a program of ours has a version and says where its symbols are. */
  module(
    name: string,
    { base, size }: { readonly base: bigint; readonly size: number },
    own: { readonly program: Program; readonly version: string } | undefined,
  ): Buffer {
    const path = own === undefined ? `C:\\Windows\\System32\\${name}` : `C:\\Program Files\\${name}`;
    const text = Buffer.from(path, 'utf16le');
    const nameAt = this.place(Buffer.concat([numbers([32, text.length]), text, Buffer.alloc(2)]));
    const record = own === undefined ? Buffer.alloc(0) : codeView(own.program);
    const recordAt = own === undefined ? 0 : this.place(record);
    const [major = 0, minor = 0, build = 0, revision = 0] = (own?.version ?? '10.0.22621.3672')
      .split('.')
      .map(Number);
    return Buffer.concat([
      numbers(
        [64, base],
        [32, size],
        [32, 0],
        [32, own === undefined ? 0x5f3c_1a27 : 0x66a1_09d2],
        [32, nameAt],
      ),
      numbers([32, 0xfeef04bd], [32, 0x10000], [32, major * 65_536 + minor], [32, build * 65_536 + revision]),
      Buffer.alloc(36),
      numbers([32, record.length], [32, recordAt]),
      Buffer.alloc(24),
    ]);
  }

  build(): Buffer {
    const seconds = Math.floor(this.time / 1000);
    const header = numbers([32, 0x504d444d], [32, 0xa793], [32, this.#directory.length], [32, this.#size]);
    return Buffer.concat([
      header,
      numbers([32, 0], [32, seconds], [64, 0]),
      ...this.#parts,
      ...this.#directory,
    ]);
  }
}

/** The record that leads from an image to its symbols: `RSDS`, the GUID as Windows stores it, age, name. */
function codeView({ debugId, image }: Program): Buffer {
  const guid = Buffer.from(debugId.slice(0, 32), 'hex');
  const stored = Buffer.concat([
    Buffer.from(guid.subarray(0, 4)).reverse(),
    Buffer.from(guid.subarray(4, 6)).reverse(),
    Buffer.from(guid.subarray(6, 8)).reverse(),
    guid.subarray(8),
  ]);
  const age = numbers([32, Number.parseInt(debugId.slice(32), 16)]);
  return Buffer.concat([Buffer.from('RSDS'), stored, age, Buffer.from(`D:\\build\\${debugFile(image)}\0`)]);
}

/** The head of a small kernel dump, two pages: which system, which bug check, when. */
export function kernelDump(of: { bugCheck: number; osBuild: number; time: number; chance: Chance }): Buffer {
  const bytes = Buffer.alloc(0x2000);
  bytes.write('PAGEDU64', 0, 'latin1');
  bytes.writeUInt32LE(15, 0x8);
  bytes.writeUInt32LE(of.osBuild, 0xc);
  bytes.writeUInt32LE(0x8664, 0x30);
  bytes.writeUInt32LE(8, 0x34);
  bytes.writeUInt32LE(of.bugCheck, 0x38);
  for (let parameter = 0; parameter < 4; parameter += 1) {
    bytes.writeUInt32LE(of.chance.whole(0, 0xffff), 0x40 + 8 * parameter);
  }
  bytes.writeUInt32LE(4, 0xf98);
  // Hundreds of nanoseconds since 1601.
  bytes.writeBigUInt64LE((BigInt(of.time) + 11_644_473_600_000n) * 10_000n, 0xfa8);
  return bytes;
}
