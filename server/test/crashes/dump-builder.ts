/** Builds small minidumps by hand: of processors and cases that no genuine sample shows. */
import { readFileSync } from 'node:fs';

/** A genuine dump of server/test/crash-samples, read anew each time. */
export function sampleDump(name: 'linux-div.dmp' | 'linux-null.dmp' | 'win-av.dmp'): Buffer {
  return readFileSync(new URL(`../../../test/crash-samples/${name}`, import.meta.url));
}

/** Numbers of the streams and processors that tests name. */
export const numbers = {
  threadList: 3,
  moduleList: 4,
  memoryList: 5,
  exception: 6,
  systemInfo: 7,
  memory64List: 9,
  miscInfo: 15,
  breakpadInfo: 0x47670001,
  x86: 0,
  arm: 5,
  x64: 9,
  arm64: 12,
  windows: 2,
  linux: 0x8201,
} as const;

/** Little-endian numbers one after another: `[32, 5]` is the number 5 in 32 bits. */
export function packed(...values: readonly (readonly [8 | 16 | 32 | 64, number | bigint])[]): Buffer {
  return Buffer.concat(
    values.map(([bits, value]) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
      return bytes.subarray(0, bits / 8);
    }),
  );
}

/** Collects streams and what they point at; `build` adds header and directory. */
export class DumpBuilder {
  readonly #pieces: Buffer[] = [];
  readonly #directory: Buffer[] = [];
  #size = 32;

  constructor(readonly time = 1_700_000_000) {}

  /** Places bytes and answers their offset. */
  place(bytes: Buffer): number {
    const at = this.#size;
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    return at;
  }

  /** Places a counted UTF-16 text and answers its offset. */
  text(text: string): number {
    const bytes = Buffer.from(text, 'utf16le');
    return this.place(Buffer.concat([packed([32, bytes.length]), bytes]));
  }

  stream(type: number, bytes: Buffer): this {
    const at = this.place(bytes);
    return this.entry(type, bytes.length, at);
  }

  /** A directory entry without bytes of its own. */
  entry(type: number, size: number, at: number): this {
    this.#directory.push(packed([32, type], [32, size], [32, at]));
    return this;
  }

  system(of: {
    processor: number;
    platform: number;
    version: readonly [number, number, number];
    server?: boolean;
    servicePack?: string;
  }): this {
    const textAt = of.servicePack === undefined ? 0 : this.text(of.servicePack);
    const [major, minor, build] = of.version;
    const head = packed([16, of.processor], [16, 0], [16, 0], [8, 4], [8, of.server ? 3 : 1]);
    const tail = packed([32, major], [32, minor], [32, build], [32, of.platform], [32, textAt]);
    return this.stream(numbers.systemInfo, Buffer.concat([head, tail, Buffer.alloc(28)]));
  }

  /** The exception of thread 7. */
  exception(of: {
    code: number;
    flags?: number;
    address?: bigint;
    parameters?: readonly bigint[];
    context?: Buffer;
  }): this {
    const contextAt = of.context === undefined ? 0 : this.place(of.context);
    const parameters = of.parameters ?? [];
    return this.stream(
      numbers.exception,
      packed(
        [32, 7],
        [32, 0],
        [32, of.code],
        [32, of.flags ?? 0],
        [64, 0],
        [64, of.address ?? 0n],
        [32, parameters.length],
        [32, 0],
        ...Array.from({ length: 15 }, (_, index) => [64, parameters[index] ?? 0n] as const),
        [32, of.context?.length ?? 0],
        [32, contextAt],
      ),
    );
  }

  modules(
    list: readonly {
      base: bigint;
      size: number;
      path: string;
      timestamp?: number;
      record?: Buffer;
      version?: readonly [number, number];
    }[],
    gap = 0,
  ): this {
    const entries = list.map((module) => {
      const nameAt = this.text(module.path);
      const recordAt = module.record === undefined ? 0 : this.place(module.record);
      const [high, low] = module.version ?? [0, 0];
      const version = module.version === undefined ? 0 : 0xfeef04bd;
      return Buffer.concat([
        packed([64, module.base], [32, module.size], [32, 0], [32, module.timestamp ?? 0], [32, nameAt]),
        packed([32, version], [32, 0x10000], [32, high], [32, low]),
        Buffer.alloc(36),
        packed([32, module.record?.length ?? 0], [32, recordAt]),
        Buffer.alloc(24),
      ]);
    });
    return this.stream(
      numbers.moduleList,
      Buffer.concat([packed([32, list.length]), Buffer.alloc(gap), ...entries]),
    );
  }

  threads(list: readonly { id: number; context?: Buffer; stack?: { base: bigint; bytes: Buffer } }[]): this {
    const entries = list.map(({ id, context, stack }) =>
      packed(
        [32, id],
        [32, 0],
        [64, 0],
        [64, 0],
        [64, stack?.base ?? 0n],
        [32, stack?.bytes.length ?? 0],
        [32, stack === undefined ? 0 : this.place(stack.bytes)],
        [32, context?.length ?? 0],
        [32, context === undefined ? 0 : this.place(context)],
      ),
    );
    return this.stream(numbers.threadList, Buffer.concat([packed([32, list.length]), ...entries]));
  }

  memory(list: readonly { base: bigint; bytes: Buffer }[]): this {
    const entries = list.map(({ base, bytes }) =>
      packed([64, base], [32, bytes.length], [32, this.place(bytes)]),
    );
    return this.stream(numbers.memoryList, Buffer.concat([packed([32, list.length]), ...entries]));
  }

  memory64(list: readonly { base: bigint; bytes: Buffer }[]): this {
    const at = this.place(Buffer.concat(list.map(({ bytes }) => bytes)));
    const entries = list.map(({ base, bytes }) => packed([64, base], [64, bytes.length]));
    return this.stream(
      numbers.memory64List,
      Buffer.concat([packed([64, list.length], [64, at]), ...entries]),
    );
  }

  build(): Buffer {
    const header = packed([32, 0x504d444d], [32, 0xa793], [32, this.#directory.length], [32, this.#size]);
    const rest = packed([32, 0], [32, this.time], [64, 0]);
    return Buffer.concat([header, rest, ...this.#pieces, ...this.#directory]);
  }
}

/** A context record of a size, flags at an offset, and registers by offset. */
export function contextRecord(
  size: number,
  flags: readonly [number, number],
  width: 32 | 64,
  registers: Readonly<Record<number, number | bigint>>,
): Buffer {
  const record = Buffer.alloc(size);
  record.writeUInt32LE(flags[1], flags[0]);
  for (const [offset, value] of Object.entries(registers))
    packed([width, value]).copy(record, Number(offset));
  return record;
}
