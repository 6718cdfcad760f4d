/**
 * Answers which function, file and line an address of a module belongs to, and which call-frame rules hold there.
 * Built once from a symbol file; a lookup costs the logarithm of the functions and a walk over the lines of one.
 */
import type { CallFrameRecord, FunctionRecord, PublicRecord, SymbolFile } from './symbols.js';
import { readWindowsFrame, type WindowsFrame } from './windows-frames.js';

/** What symbols say about an address. */
export interface SymbolPlace {
  /** Function as the symbols spell it, with arguments. */
  readonly function: string;
  /** Where the function starts, in bytes from the start of the module. */
  readonly functionAddress: number;
  /** Bytes of parameters on the stack. */
  readonly parameterSize: number;
  /** `PUBLIC` names come from an export list: the address may as well lie in a nameless function behind. */
  readonly record: 'FUNC' | 'PUBLIC';
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

/**
 * Cuts ranges into pieces: where some overlap, the one that starts last holds, and of those with one start the
 * first in the file (the linker folded equal functions; any name is as good, but it must be the same each time).
 */
function cutPieces<Item extends Range>(ranges: readonly Item[]): Pieces<Item> {
  const order = ranges.map((item, index) => ({ item, index }));
  order.sort((left, right) => left.item.address - right.item.address || right.index - left.index);
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
  for (const { item } of order) {
    emit(item.address);
    if (item.size > 0) open.push(item);
  }
  emit(Number.POSITIVE_INFINITY);
  return { starts, ends, items };
}

/** The position of the last number that is not above `value`; -1 if there is none. */
function lastAtMost(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
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

  constructor(readonly symbols: SymbolFile) {
    this.functions = cutPieces(symbols.functions);
    this.functionStarts = symbols.functions.map(({ address }) => address).sort((left, right) => left - right);
    const seen = new Set<number>();
    this.publics = symbols.publics
      .filter(({ address }) => !seen.has(address) && seen.add(address))
      .sort((left, right) => left.address - right.address);
    this.publicStarts = this.publics.map(({ address }) => address);
    this.callFrames = cutPieces(symbols.callFrames);
  }

  /** Function, file and line of an address; `undefined` if the symbols do not know it. */
  lookup(address: number): SymbolPlace | undefined {
    const found = pieceAt(this.functions, address);
    if (found === undefined) return this.publicAt(address);
    return {
      function: found.name,
      functionAddress: found.address,
      parameterSize: found.parameterSize,
      record: 'FUNC',
      ...this.lineAt(found, address),
    };
  }

  /** Whether there are rules for any address. */
  get hasCallFrames(): boolean {
    return this.callFrames.items.length > 0;
  }

  /** The rules by which a stack is walked from an address; `undefined` if the symbols have none for it. */
  callFrameRules(address: number): CallFrameRules | undefined {
    const found = pieceAt(this.callFrames, address);
    if (found === undefined) return undefined;
    const changes = found.changes.filter((change) => change.address <= address).map(({ rules }) => rules);
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
  private publicAt(address: number): SymbolPlace | undefined {
    const found = this.publics[lastAtMost(this.publicStarts, address)];
    const before = this.functionStarts[lastAtMost(this.functionStarts, address)];
    if (found === undefined || (before !== undefined && before >= found.address)) return undefined;
    return {
      function: found.name,
      functionAddress: found.address,
      parameterSize: found.parameterSize,
      record: 'PUBLIC',
    };
  }

  /** The line record of a function that covers an address; if several do, the one that starts last. */
  private lineAt(
    { firstLine, endLine }: FunctionRecord,
    address: number,
  ): Pick<SymbolPlace, 'file' | 'line'> {
    const { addresses, sizes, numbers, files } = this.symbols.lines;
    let best = -1;
    let bestStart = -1;
    for (let index = firstLine; index < endLine; index += 1) {
      const start = addresses[index] ?? 0;
      if (start <= address && address < start + (sizes[index] ?? 0) && start > bestStart) {
        best = index;
        bestStart = start;
      }
    }
    const line = numbers[best];
    const file = this.symbols.files.get(files[best] ?? -1);
    return { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
  }
}
