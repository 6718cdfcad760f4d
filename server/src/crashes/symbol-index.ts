/**
 * Answers which function, file and line an address of a module belongs to, and which call-frame rules hold there.
 * Built once from a symbol file, whose lines it puts in order; a lookup costs the logarithm of functions and lines.
 */
import type { CallFrameRecord, FunctionRecord, PublicRecord, SymbolFile } from './symbols.js';
import { readWindowsFrame, type WindowsFrame } from './windows-frames.js';

/** The function at an address. */
export interface SymbolFunction {
  /** Function as the symbols spell it, with arguments. */
  readonly function: string;
  /** Where the function starts, in bytes from the start of the module. */
  readonly functionAddress: number;
  /** Bytes of parameters on the stack. */
  readonly parameterSize: number;
  /** `PUBLIC` names come from an export list: the address may as well lie in a nameless function behind. */
  readonly record: 'FUNC' | 'PUBLIC';
}

/** What symbols say about an address. */
export interface SymbolPlace extends SymbolFunction {
  readonly file?: string;
  readonly line?: number;
}

/** Call-frame rules as text, in the order in which they apply: later ones replace registers of earlier ones. */
export interface CallFrameRules {
  readonly initial: string;
  readonly changes: readonly string[];
}

interface Range {
  readonly address: number;
  readonly size: number;
}

/** Ranges cut into pieces that do not overlap, sorted by address. */
interface Pieces<Item> {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly items: readonly Item[];
}

/** Ranges by address, of those with one start the first in the file last. Files are mostly in order already. */
function inOrder<Item extends Range>(ranges: readonly Item[]): readonly Item[] {
  let before = -1;
  const ascending = ranges.every(({ address }) => {
    const further = address > before;
    before = address;
    return further;
  });
  if (ascending) return ranges;
  return ranges.toReversed().sort((left, right) => left.address - right.address);
}

/**
 * Cuts ranges into pieces: where some overlap, the one that starts last holds, and of those with one start the
 * first in the file (the linker folded equal functions; any name is as good, but it must be the same each time).
 */
function cutPieces<Item extends Range>(ranges: readonly Item[]): Pieces<Item> {
  const ordered = inOrder(ranges);
  const starts: number[] = [];
  const ends: number[] = [];
  const items: Item[] = [];
  const open: Item[] = [];
  let at = 0;
  const emit = (until: number) => {
    for (let top = open.at(-1); top !== undefined && at < until; top = open.at(-1)) {
      const end = Math.min(top.address + top.size, until);
      if (end > at) {
        starts.push(at);
        ends.push(end);
        items.push(top);
        at = end;
      }
      if (top.address + top.size <= at) open.pop();
    }
    at = until;
  };
  for (const item of ordered) {
    emit(item.address);
    if (item.size > 0) open.push(item);
  }
  emit(Number.POSITIVE_INFINITY);
  return { starts, ends, items };
}

/** Records that refine the rules of one piece of code; more are no code, and would make every frame slow. */
const mostChanges = 16_384;

/** Lines before an address that are looked through for one that covers it; compilers nest few. */
const overlappingLines = 64;

/** The position from `from` to below `to` of the last number that is not above `value`; `from - 1` if there is none. */
function lastAtMost(numbers: readonly number[], value: number, from = 0, to = numbers.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? Number.POSITIVE_INFINITY) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function pieceAt<Item>(pieces: Pieces<Item>, address: number): Item | undefined {
  const index = lastAtMost(pieces.starts, address);
  return address < (pieces.ends[index] ?? 0) ? pieces.items[index] : undefined;
}

/** Looks addresses up in one symbol file. Addresses are bytes from the start of the module. */
export class SymbolIndex {
  private readonly functions: Pieces<FunctionRecord>;
  private readonly functionStarts: readonly number[];
  private readonly publics: readonly PublicRecord[];
  private readonly publicStarts: readonly number[];
  private readonly callFrames: Pieces<CallFrameRecord>;
  private windowsFrames: readonly Pieces<WindowsFrame>[] | undefined;

  /** Takes the symbols over: their lines may be put into another order. */
  constructor(readonly symbols: SymbolFile) {
    orderLines(symbols);
    this.functions = cutPieces(symbols.functions);
    this.functionStarts = symbols.functions.map(({ address }) => address).sort((left, right) => left - right);
    // Of several names for an address the first in the file counts: sorting leaves them in their order.
    this.publics = symbols.publics
      .toSorted((left, right) => left.address - right.address)
      .filter(({ address }, index, all) => all[index - 1]?.address !== address);
    this.publicStarts = this.publics.map(({ address }) => address);
    this.callFrames = cutPieces(symbols.callFrames);
  }

  /** Function, file and line of an address; `undefined` if the symbols do not know it. */
  lookup(address: number): SymbolPlace | undefined {
    const found = pieceAt(this.functions, address);
    if (found === undefined) return this.publicAt(address);
    return { ...place(found, 'FUNC'), ...this.lineAt(found, address) };
  }

  /** The function alone, without file and line. */
  functionAt(address: number): SymbolFunction | undefined {
    const found = pieceAt(this.functions, address);
    return found === undefined ? this.publicAt(address) : place(found, 'FUNC');
  }

  /** Whether there are rules for any address. */
  get hasCallFrames(): boolean {
    return this.callFrames.items.length > 0;
  }

  /** Whether there are rules for an address. */
  hasRules(address: number): boolean {
    return pieceAt(this.callFrames, address) !== undefined;
  }

  /** The rules by which a stack is walked from an address; `undefined` if the symbols have none for it. */
  callFrameRules(address: number): CallFrameRules | undefined {
    const found = pieceAt(this.callFrames, address);
    if (found === undefined || found.endChange - found.firstChange > mostChanges) return undefined;
    const { addresses, rules } = this.symbols.changes;
    const changes: string[] = [];
    for (let index = found.firstChange; index < found.endChange; index += 1) {
      if ((addresses[index] ?? 0) <= address) changes.push(rules[index] ?? '');
    }
    return { initial: found.rules, changes };
  }

  /** The layout of frames of x86 Windows code at an address; programs before sizes. Read when first asked for. */
  windowsFrame(address: number): WindowsFrame | undefined {
    if (this.windowsFrames === undefined) {
      const frames = this.symbols.windowsFrames.flatMap((text) => readWindowsFrame(text) ?? []);
      this.windowsFrames = (['program', 'fpo'] as const).map((wanted) =>
        cutPieces(frames.filter(({ kind }) => kind === wanted)),
      );
    }
    for (const pieces of this.windowsFrames) {
      const found = pieceAt(pieces, address);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** An exported name reaches until the next name or function, as in Breakpad's own lookup. */
  private publicAt(address: number): SymbolFunction | undefined {
    const found = this.publics[lastAtMost(this.publicStarts, address)];
    const before = this.functionStarts[lastAtMost(this.functionStarts, address)];
    if (found === undefined || (before !== undefined && before >= found.address)) return undefined;
    return place(found, 'PUBLIC');
  }

  /** The line record of a function that covers an address; if several do, the one that starts last. */
  private lineAt(
    { firstLine, endLine }: FunctionRecord,
    address: number,
  ): Pick<SymbolPlace, 'file' | 'line'> {
    const { addresses, sizes, numbers, files } = this.symbols.lines;
    let best = -1;
    const last = lastAtMost(addresses, address, firstLine, endLine);
    for (let index = last; index >= firstLine && index > last - overlappingLines; index -= 1) {
      const start = addresses[index] ?? 0;
      // Of several that start there, the first in the file.
      if (best >= 0 && start < (addresses[best] ?? 0)) break;
      if (address < start + (sizes[index] ?? 0)) best = index;
    }
    const line = numbers[best];
    const file = this.symbols.files.get(files[best] ?? -1);
    return { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
  }
}

function place(
  { name, address, parameterSize }: FunctionRecord | PublicRecord,
  record: SymbolFunction['record'],
): SymbolFunction {
  return { function: name, functionAddress: address, parameterSize, record };
}

/** Puts the lines of each function in the order of their addresses, those of one address in the order of the file. */
function orderLines({ functions, lines }: SymbolFile): void {
  const { addresses } = lines;
  for (const { firstLine, endLine } of functions) {
    let ordered = true;
    for (let index = firstLine + 1; index < endLine && ordered; index += 1) {
      ordered = (addresses[index - 1] ?? 0) <= (addresses[index] ?? 0);
    }
    if (ordered) continue;
    const order = Array.from({ length: endLine - firstLine }, (_, index) => firstLine + index);
    order.sort((left, right) => (addresses[left] ?? 0) - (addresses[right] ?? 0));
    for (const column of [lines.sizes, lines.numbers, lines.files, addresses]) {
      const sorted = order.map((index) => column[index] ?? 0);
      for (const [index, value] of sorted.entries()) column[firstLine + index] = value;
    }
  }
}
