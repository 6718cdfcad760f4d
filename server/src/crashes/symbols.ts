/**
 * Reads Breakpad symbol files (`.sym` text) piece by piece within limits. Reads MODULE, INFO CODE_ID, FILE, FUNC with
 * its lines, PUBLIC and STACK; inlining records are checked for their form and left out, other INFO is ignored. The
 * text is from strangers: what does not fit ends in a SymbolError that names the line. Looking up is `symbol-index.ts`.
 *
 * Within the default limits reading and indexing stay below 10 s and a heap of 512 MB. Measured on two busy cores: a
 * file of 100 MiB as compilers make them (3.6 million records, mostly lines) takes 2.8 s and 230 MB; the worst made by
 * hand (1.5 million functions out of order, 2.5 million lines) 6 s, in a heap limited to 512 MB.
 */

/** What is wrong with a symbol file. */
export type SymbolErrorCode =
  | 'too-large'
  | 'too-many-records'
  | 'line-too-long'
  | 'not-symbols'
  | 'malformed';

/** A symbol file that cannot be read. The message is a sentence for whoever sent it. */
export class SymbolError extends Error {
  constructor(
    readonly code: SymbolErrorCode,
    /** Line of the file, from 1. */
    readonly line: number,
    problem: string,
  ) {
    super(`Line ${line}: ${problem}`);
    this.name = 'SymbolError';
  }
}

/** How much of a symbol file is read before it is refused. */
export interface SymbolLimits {
  /** Unpacked bytes of the file. */
  readonly bytes: number;
  /** Lines that are not empty. */
  readonly records: number;
  /** Of these, records that are kept one by one: all but line numbers and inlining. */
  readonly kept: number;
  /** Bytes of one line. */
  readonly lineBytes: number;
}

/** Limits for files from strangers: 100 MiB, 4 million records, 1.5 million besides line numbers, 64 KiB a line. */
export const defaultSymbolLimits: SymbolLimits = {
  bytes: 100 * 1024 * 1024,
  records: 4_000_000,
  kept: 1_500_000,
  lineBytes: 64 * 1024,
};

/** A FUNC record; addresses count from the start of the module. Its lines are those from `firstLine` to `endLine`. */
export interface FunctionRecord {
  readonly address: number;
  readonly size: number;
  readonly parameterSize: number;
  readonly name: string;
  readonly firstLine: number;
  endLine: number;
}

/** A PUBLIC record: a name without an end. */
export interface PublicRecord {
  readonly address: number;
  readonly parameterSize: number;
  readonly name: string;
}

/**
 * A STACK CFI INIT record; rules are kept as their text. The records that refine it are the changes from `firstChange`
 * to `endChange`.
 */
export interface CallFrameRecord {
  readonly address: number;
  readonly size: number;
  readonly rules: string;
  readonly firstChange: number;
  endChange: number;
}

/** STACK CFI records as columns. */
export interface ChangeColumns {
  readonly addresses: number[];
  readonly rules: string[];
}

/** Line records as columns: a module has many, and objects would take several times the room. */
export interface LineColumns {
  readonly addresses: number[];
  readonly sizes: number[];
  readonly numbers: number[];
  readonly files: number[];
}

/** A symbol file in the order of its text. */
export interface SymbolFile {
  readonly os: string;
  readonly architecture: string;
  /** Upper-case hex: 32 digits of the build and the age behind. */
  readonly debugId: string;
  /** Upper-case hex; missing if the file has no INFO CODE_ID. */
  readonly codeId: string | undefined;
  /** Name of the module as the file says it; a label, never a key or path. */
  readonly module: string;
  readonly files: ReadonlyMap<number, string>;
  readonly functions: readonly FunctionRecord[];
  readonly lines: LineColumns;
  readonly publics: readonly PublicRecord[];
  readonly callFrames: readonly CallFrameRecord[];
  readonly changes: ChangeColumns;
  /** STACK WIN records, the text behind `STACK WIN `. */
  readonly windowsFrames: readonly string[];
}

const hexNumber = /^[0-9a-fA-F]{1,16}$/;
const decimalNumber = /^\d{1,10}$/;

/** Value of a byte as a digit; 255 for other bytes. */
const digits = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-f]/i.test(String.fromCharCode(byte)) ? Number.parseInt(String.fromCharCode(byte), 16) : 255,
);

/** Texts of rules that are looked up before they are kept: few rules make up most of a file. */
const sharedTexts = { count: 65_536, length: 100 } as const;

/** A text for a message: short and printable. */
const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Reads one symbol file: `push` pieces in order, then `end` once. After an error it must not be used again. */
export class SymbolReader {
  private pieces: Buffer[] = [];
  private pieceBytes = 0;
  private kept = 0;
  private bytes = 0;
  private records = 0;
  private line = 0;
  private head: { os: string; architecture: string; debugId: string; module: string } | undefined;
  private codeId: string | undefined;
  private function: FunctionRecord | undefined;
  private callFrame: CallFrameRecord | undefined;
  private readonly files = new Map<number, string>();
  private readonly functions: FunctionRecord[] = [];
  private readonly publics: PublicRecord[] = [];
  private readonly callFrames: CallFrameRecord[] = [];
  private readonly windowsFrames: string[] = [];
  private readonly lines: LineColumns = { addresses: [], sizes: [], numbers: [], files: [] };
  private readonly changes: ChangeColumns = { addresses: [], rules: [] };
  private readonly texts = new Map<string, string>();
  private readonly fields: [number, number, number, number] = [0, 0, 0, 0];

  constructor(private readonly limits: SymbolLimits = defaultSymbolLimits) {}

  /** Takes the next bytes of the file; they are copied where they are kept. Throws SymbolError. */
  push(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.bytes > this.limits.bytes) {
      this.refuse('too-large', `the symbol file has more than ${this.limits.bytes} bytes.`, 1);
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(10); end !== -1; end = buffer.indexOf(10, start)) {
      this.take(buffer, start, end);
      start = end + 1;
    }
    this.keep(buffer.subarray(start));
  }

  /** The whole file. Throws SymbolError if its last line does not fit or it holds no module. */
  end(): SymbolFile {
    if (this.pieceBytes > 0) this.take(Buffer.alloc(0), 0, 0);
    if (this.head === undefined) this.refuse('not-symbols', 'the symbol file is empty.', 1);
    return {
      ...this.head,
      codeId: this.codeId,
      files: this.files,
      functions: this.functions,
      lines: this.lines,
      publics: this.publics,
      callFrames: this.callFrames,
      changes: this.changes,
      windowsFrames: this.windowsFrames,
    };
  }

  private refuse(code: SymbolErrorCode, problem: string, ahead = 0): never {
    throw new SymbolError(code, this.line + ahead, problem);
  }

  /** Keeps the start of a line whose end has not come yet. */
  private keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.pieceBytes += piece.length;
    if (this.pieceBytes > this.limits.lineBytes) {
      this.refuse('line-too-long', `the line has more than ${this.limits.lineBytes} bytes.`, 1);
    }
    this.pieces.push(Buffer.from(piece));
  }

  /** Completes a line with its last bytes, those of `bytes` from `start` to `end`, and reads it. */
  private take(bytes: Buffer, start: number, end: number): void {
    if (this.pieceBytes > 0 || end - start > this.limits.lineBytes) {
      this.keep(bytes.subarray(start, end));
      const whole = Buffer.concat(this.pieces);
      this.pieces = [];
      this.pieceBytes = 0;
      this.takeWhole(whole, 0, whole.length);
    } else this.takeWhole(bytes, start, end);
  }

  private takeWhole(bytes: Buffer, start: number, end: number): void {
    this.line += 1;
    const plain = this.isPlainLine(bytes, start, end);
    const text = plain ? '' : this.textOf(bytes, start, end);
    if (!plain && text === '') return;
    this.records += 1;
    if (this.records > this.limits.records) {
      this.refuse('too-many-records', `the symbol file has more than ${this.limits.records} records.`);
    }
    if (plain) this.addLine(...this.fields);
    else {
      if (text.includes('\0'))
        this.refuse('not-symbols', 'the line holds a zero byte; symbol files are text.');
      this.read(text);
    }
  }

  private textOf(bytes: Buffer, start: number, end: number): string {
    const text = bytes.toString('utf8', start, end).trimEnd();
    return this.line === 1 && text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  /**
   * Whether bytes are a line record in the form that writers use; its four numbers are in `fields` then. Most of a
   * file are such records, and reading them from bytes takes a fifth of the time.
   */
  private isPlainLine(bytes: Buffer, start: number, end: number): boolean {
    if (this.function === undefined) return false;
    let at = start;
    for (let field = 0; field < 4; field += 1) {
      const base = field < 2 ? 16 : 10;
      const from = at;
      let value = 0;
      for (; at < end; at += 1) {
        const digit = digits[bytes[at] ?? 0] ?? 255;
        if (digit >= base) break;
        value = value * base + digit;
      }
      // More digits may be too large a number, which the other way of reading tells.
      if (at === from || at - from > 10) return false;
      this.fields[field] = value;
      if (field < 3 && bytes[at++] !== 32) return false;
    }
    return at === end || (at === end - 1 && bytes[at] === 13);
  }

  private read(text: string): void {
    const blank = text.indexOf(' ');
    const word = blank === -1 ? text : text.slice(0, blank);
    const rest = blank === -1 ? '' : text.slice(blank + 1).trimStart();
    if (this.head === undefined) {
      if (word !== 'MODULE') {
        this.refuse('not-symbols', `a symbol file starts with a MODULE record, not with ${shown(word)}.`);
      }
      this.readModule(rest);
      return;
    }
    if (word === 'MODULE') {
      this.refuse('malformed', 'there is a second MODULE record; send one module a file.');
    }
    switch (word) {
      case 'INFO':
        this.readInfo(rest);
        return;
      case 'FILE':
        this.readFile(rest);
        return;
      case 'FUNC':
        this.readFunction(rest);
        return;
      case 'PUBLIC':
        this.readPublic(rest);
        return;
      case 'STACK':
        this.readStack(rest);
        return;
      case 'INLINE_ORIGIN':
        if (!/^\d+ +\S/.test(rest)) this.refuse('malformed', 'INLINE_ORIGIN needs a number and a name.');
        return;
      case 'INLINE':
        if (!/^\d+ +\d+ +\d+ +\d+(?: +[0-9a-fA-F]+ +[0-9a-fA-F]+)+$/.test(rest)) {
          this.refuse('malformed', 'INLINE needs depth, line, file, origin, and pairs of address and size.');
        }
        return;
      default:
        this.readLine(text, word);
    }
  }

  /** The first `count` words and what follows them. */
  private words(text: string, count: number, what: string): string[] {
    const words: string[] = [];
    let at = 0;
    while (words.length < count) {
      if (at >= text.length) this.refuse('malformed', `${what}.`);
      const blank = text.indexOf(' ', at);
      const end = blank === -1 ? text.length : blank;
      words.push(text.slice(at, end));
      at = end;
      while (text.charCodeAt(at) === 32) at += 1;
    }
    words.push(text.slice(at));
    return words;
  }

  /** Counts a record that is kept. */
  private count(): void {
    this.kept += 1;
    if (this.kept > this.limits.kept) {
      const limit = `${this.limits.kept} records besides line numbers`;
      this.refuse('too-many-records', `the symbol file has more than ${limit}.`);
    }
  }

  /** The text, or an equal one that is kept already. */
  private shared(text: string): string {
    if (text.length > sharedTexts.length) return text;
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size < sharedTexts.count) this.texts.set(text, text);
    return text;
  }

  private hex(text: string | undefined, what: string): number {
    const value = hexNumber.test(text ?? '') ? Number.parseInt(text ?? '', 16) : Number.NaN;
    if (!Number.isSafeInteger(value)) {
      this.refuse(
        'malformed',
        `${what} is ${shown(text ?? '')}; a hexadecimal number below 2^53 is expected.`,
      );
    }
    return value;
  }

  private decimal(text: string | undefined, what: string): number {
    if (!decimalNumber.test(text ?? '')) {
      this.refuse('malformed', `${what} is ${shown(text ?? '')}; a decimal number is expected.`);
    }
    return Number(text);
  }

  private readModule(text: string): void {
    const [os = '', architecture = '', id = '', module = ''] = this.words(
      text,
      3,
      'MODULE needs system, architecture, debug id and name',
    );
    if (!/^[0-9a-fA-F]{33,40}$/.test(id)) {
      this.refuse(
        'malformed',
        `the debug id is ${shown(id)}; 32 hexadecimal digits and an age are expected.`,
      );
    }
    if (module === '') this.refuse('malformed', 'MODULE needs a name behind the debug id.');
    this.head = { os, architecture, debugId: id.toUpperCase(), module };
  }

  private readInfo(text: string): void {
    const [, id] = /^CODE_ID +(\S+)/.exec(text) ?? [];
    if (id === undefined) return;
    if (!/^[0-9a-fA-F]{1,128}$/.test(id)) {
      this.refuse('malformed', `the code id is ${shown(id)}; up to 128 hexadecimal digits are expected.`);
    }
    if (this.codeId !== undefined) this.refuse('malformed', 'there is a second INFO CODE_ID record.');
    this.codeId = id.toUpperCase();
  }

  private readFile(text: string): void {
    this.count();
    const [number, name = ''] = this.words(text, 1, 'FILE needs a number and a name');
    if (name === '') this.refuse('malformed', 'FILE needs a name behind its number.');
    this.files.set(this.decimal(number, 'the number of the file'), name);
  }

  /** FUNC and PUBLIC may have an `m` in front: several symbols share the address. */
  private withoutMark(text: string): string {
    return text.startsWith('m ') ? text.slice(2).trimStart() : text;
  }

  private readFunction(text: string): void {
    this.count();
    const form = 'FUNC needs address, size, parameter size and name';
    const [address, size, parameterSize, name = ''] = this.words(this.withoutMark(text), 3, form);
    this.function = {
      address: this.hex(address, 'the address of the function'),
      size: this.hex(size, 'the size of the function'),
      parameterSize: this.hex(parameterSize, 'the parameter size of the function'),
      name,
      firstLine: this.lines.addresses.length,
      endLine: this.lines.addresses.length,
    };
    this.functions.push(this.function);
  }

  private readPublic(text: string): void {
    this.count();
    const form = 'PUBLIC needs address, parameter size and name';
    const [address, parameterSize, name = ''] = this.words(this.withoutMark(text), 2, form);
    this.publics.push({
      address: this.hex(address, 'the address of the symbol'),
      parameterSize: this.hex(parameterSize, 'the parameter size of the symbol'),
      name,
    });
  }

  private readLine(text: string, word: string): void {
    const [, address, size, line, file, more] = /^(\S+) +(\S+) +(\S+) +(\S+)( .*)?$/s.exec(text) ?? [];
    if (!hexNumber.test(word) || file === undefined || more !== undefined) {
      this.refuse('malformed', `${shown(text)} is no record of a symbol file.`);
    }
    if (this.function === undefined)
      this.refuse('malformed', 'a line record stands before the first FUNC record.');
    this.addLine(
      this.hex(address, 'the address of the line'),
      this.hex(size, 'the size of the line'),
      this.decimal(line, 'the line number'),
      this.decimal(file, 'the number of the file'),
    );
  }

  private addLine(address: number, size: number, line: number, file: number): void {
    const { addresses, sizes, numbers, files } = this.lines;
    addresses.push(address);
    sizes.push(size);
    numbers.push(line);
    files.push(file);
    if (this.function !== undefined) this.function.endLine = addresses.length;
  }

  private readStack(text: string): void {
    this.count();
    if (text.startsWith('WIN ')) {
      this.windowsFrames.push(text.slice(4).trimStart());
      return;
    }
    if (!text.startsWith('CFI ')) {
      this.refuse('malformed', `STACK is followed by CFI or WIN, not by ${shown(text)}.`);
    }
    const rest = text.slice(4).trimStart();
    if (rest.startsWith('INIT ')) {
      const form = 'STACK CFI INIT needs address, size and rules';
      const [address, size, rules = ''] = this.words(rest.slice(5).trimStart(), 2, form);
      this.callFrame = {
        address: this.hex(address, 'the address of the rules'),
        size: this.hex(size, 'the size of the rules'),
        rules: this.shared(rules),
        firstChange: this.changes.addresses.length,
        endChange: this.changes.addresses.length,
      };
      this.callFrames.push(this.callFrame);
      return;
    }
    const [address, rules = ''] = this.words(rest, 1, 'STACK CFI needs address and rules');
    if (this.callFrame === undefined)
      this.refuse('malformed', 'STACK CFI stands before the first STACK CFI INIT.');
    this.changes.addresses.push(this.hex(address, 'the address of the rules'));
    this.changes.rules.push(this.shared(rules));
    this.callFrame.endChange = this.changes.addresses.length;
  }
}
