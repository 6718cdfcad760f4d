/**
 * The scanner of CSV bodies: RFC 4180 to the letter, UTF-8, and as many cells in every row as in the header. The
 * engine's own parser is lenient (quotes in the middle of a cell). The header is kept, cells are not looked at.
 */
import { Automaton, refusedState } from './automaton.js';
import { maxRowBytes, type Scan, type Scanner, unreadable } from './scanner.js';

/** Most bytes of the header row. */
const maxHeaderBytes = 64 * 1024;

/** Entered with the comma or line feed that ends a cell or a row. */
const cellEnd = 1;
const rowEnd = 2;

function machineOf() {
  const automaton = new Automaton();
  if (automaton.state() !== cellEnd || automaton.state() !== rowEnd)
    throw new TypeError('states are numbered');
  const state = () => automaton.state();
  const [start, plain, quoted, quote, cr, blank, blankCr] = [
    state(),
    state(),
    state(),
    state(),
    state(),
    state(),
    state(),
  ];
  const ends = (from: number) => {
    automaton.edge(from, ',', cellEnd);
    automaton.edge(from, '\n', rowEnd);
    automaton.edge(from, '\r', cr);
  };
  automaton.edge(cr, '\n', rowEnd);
  for (const from of [cellEnd, rowEnd, start, plain]) {
    automaton.edge(from, [0x01, 0x7f], plain);
    automaton.multibyte(from, plain);
    automaton.edge(from, '"', from === plain ? refusedState : quoted);
    ends(from);
  }
  automaton.edge(quoted, [0x01, 0x7f], quoted);
  automaton.multibyte(quoted, quoted);
  automaton.edge(quoted, '"', quote);
  automaton.edge(quote, '"', quoted);
  ends(quote);
  // Blank lines may end the body but not stand between rows.
  automaton.edge(rowEnd, '\n', blank);
  automaton.edge(rowEnd, '\r', blankCr);
  automaton.edge(blank, '\n', blank);
  automaton.edge(blank, '\r', blankCr);
  automaton.edge(blankCr, '\n', blank);
  return {
    table: automaton.table(),
    start,
    blank: new Set([blank, blankCr]),
    inText: new Set([start, cellEnd, rowEnd, plain, quoted]),
    afterText: new Set([quote, cr, blank, blankCr]),
    betweenRows: new Set([start, rowEnd, blank]),
    atCellEnd: new Set([plain, quote, cellEnd]),
  };
}

const machine = machineOf();

/**
 * A scanner for one CSV body; `header()` is the text of the first row without a byte order mark, undefined while that
 * row has not come to its end. Row 0 of a problem is the header.
 */
export function csvScanner(): Scanner & { header(): string | undefined } {
  const { width, classes, next } = machine.table;
  const cellEndAt = cellEnd * width;
  const rowEndAt = rowEnd * width;
  const header: Uint8Array[] = [];
  let headerBytes = 0;
  let headerCells = 0;
  let at = machine.start * width;
  /** Rows that ended, the header included, and cells that ended in the present one. */
  let ended = 0;
  let cells = 0;
  let base = 0;
  let begun = 0;
  let problem: Scan['problem'];

  const fail = (text: string) => {
    problem = { row: ended, text };
  };
  /** What is wrong with the byte at an index of a chunk: once a body, so the states before it are gone through again. */
  const refusal = (chunk: Uint8Array, index: number) => {
    let before = at;
    for (const byte of chunk.subarray(0, index)) before = next[before + (classes[byte] as number)] as number;
    const state = before / width;
    if (machine.blank.has(state))
      return 'not CSV: a blank line, which may stand at the end of the body alone';
    const high = (chunk[index] as number) >= 0x80;
    const known = machine.inText.has(state) || machine.afterText.has(state);
    if (!known || (high && machine.inText.has(state))) return 'not UTF-8';
    return unreadable('CSV', base + index - begun + 1);
  };
  const endRow = (offset: number) => {
    cells += 1;
    if (ended === 0) headerCells = cells;
    else if (cells !== headerCells) fail(`not CSV: ${cells} cells, but the header has ${headerCells}`);
    else if (offset - begun > maxRowBytes) fail(`longer than ${maxRowBytes} bytes`);
    if (problem !== undefined) return;
    ended += 1;
    cells = 0;
    begun = offset + 1;
  };

  return {
    push(chunk) {
      if (problem !== undefined) return;
      const { length } = chunk;
      // A local variable stays in a register; this loop sees every byte.
      let here = at;
      for (let index = 0; index < length; index += 1) {
        here = next[here + (classes[chunk[index] as number] as number)] as number;
        if (here > rowEndAt) continue;
        if (here === cellEndAt) cells += 1;
        else if (here === refusedState) fail(refusal(chunk, index));
        else {
          if (ended === 0) header.push(chunk.slice(0, index));
          endRow(base + index);
        }
        if (problem !== undefined) return;
      }
      at = here;
      base += length;
      if (ended > 0) return;
      header.push(chunk.slice());
      headerBytes += length;
      if (headerBytes > maxHeaderBytes) fail(`the header is longer than ${maxHeaderBytes} bytes`);
    },
    end() {
      if (problem === undefined) {
        if (machine.atCellEnd.has(at / width)) endRow(base);
        else if (!machine.betweenRows.has(at / width)) fail('not CSV: the body ends too early');
      }
      const rows = Math.max(0, ended - 1);
      return problem === undefined ? { rows } : { rows, problem };
    },
    header() {
      if (ended === 0) return undefined;
      return Buffer.concat(header)
        .toString('utf8')
        .replace(/^\ufeff/, '')
        .replace(/\r$/, '');
    },
  };
}
