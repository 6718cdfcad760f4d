/**
 * How a failure row is completed, for the oracle: frames as stacks print them, the name, its hash and the symbol where
 * the client gave none. A small reading of the naming rules, for the rows that the generator makes: it knows a few
 * system images and functions, and finds printed functions in a list written by hand. Shares nothing with the server.
 */
import { createHash } from 'node:crypto';
import type { Cell } from './filter.js';
import { Num, type PostedRow, type PostedValue } from './posted.js';

/** A frame as a stack prints it, without its level. */
export interface Frame {
  readonly image: string;
  readonly function: string;
  readonly offset: string;
}

/** Functions as clients send them, and what stands for them in a name. */
export const functions: readonly (readonly [sent: string, printed: string])[] = [
  ['game::Inventory::CountOf', 'game::Inventory::CountOf'],
  ['Contoso.ContosoApp.MainPage.DoWork', 'Contoso.ContosoApp.MainPage.DoWork'],
  ['void game::Level::Load(std::string const&, int)', 'game::Level::Load'],
  ['Vector<int, 4>::at(unsigned long)', 'Vector_int,_4_::at'],
  ['~Guard', '_Guard'],
  ['Spiel::\u00d6ffnen', 'Spiel::_ffnen'],
  ['DivideScore.cold', 'DivideScore'],
  ['Update+0x1f', 'Update'],
  ['L2802_3ParseMacHeader', 'L2802_3ParseMacHeader'],
];

/** Images of the program's own. */
export const ownImages: readonly string[] = [
  'ContosoGame.exe',
  'contosogame.exe',
  'StoreWrapper.ni.DLL',
  'game_logic.dll',
  'wfplwfs.sys',
  'Fastboot.sys',
  'C:\\Games\\Contoso Game\\engine.dll',
  '/opt/contoso/bin/crashme',
];

/** Images of the system: a failure is not named after them while another frame is there. */
export const systemImages: readonly string[] = [
  'ntdll.dll',
  'KERNELBASE.dll',
  'ucrtbase.dll',
  'ntoskrnl.exe',
  'libc.so.6',
];

/** Functions that pass a failure on, in whatever image. */
export const passingFunctions: readonly string[] = ['_CxxThrowException', 'abort', 'memcpy', 'raise'];

/** Exception codes with a class of their own; others are an `APPLICATION_FAULT`. */
const classes: ReadonlyMap<string, string> = new Map([
  ['80000003', 'BREAKPOINT'],
  ['c0000094', 'INTEGER_DIVIDE_BY_ZERO'],
  ['c00000fd', 'STACK_OVERFLOW'],
  ['c0000602', 'FAIL_FAST_EXCEPTION'],
  ['e0434352', 'CLR_EXCEPTION'],
  ['c000027b', 'STOWED_EXCEPTION'],
]);

/** Bug checks that say no more than a bad access. */
const accessChecks: readonly string[] = ['a', '50', 'd1'];

/** Sources whose failures are those of kernel mode. */
const kernelSources: readonly string[] = ['driver', 'ihvdriver', 'hardware'];

/** `um` or `km`, by the source of a row. */
export function modeOf(source: string): 'um' | 'km' {
  return kernelSources.includes(source) ? 'km' : 'um';
}

/** Lower case, letter by letter. */
function lower(text: string): string {
  const letters = Array.from({ length: text.length }, (_, at) => text.charAt(at));
  return letters
    .map((letter) => (letter.toLowerCase().length === 1 ? letter.toLowerCase() : letter))
    .join('');
}

/** The hash of a failure name: MD5 over UTF-16LE, its bytes as Windows lays out a GUID. */
export function hashOf(name: string, mode: 'um' | 'km'): string {
  const digest = createHash('md5')
    .update(Buffer.from(lower(`${mode}:${name}`), 'utf16le'))
    .digest();
  const part = (from: number, to: number, turned: boolean): string => {
    const bytes = [...digest.subarray(from, to)];
    if (turned) bytes.reverse();
    return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  return [part(0, 4, true), part(4, 6, true), part(6, 8, true), part(8, 10, false), part(10, 16, false)].join(
    '-',
  );
}

/** A name that the client gave, as it is kept; empty if nothing is left of it. */
export function keptName(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
    .trim()
    .slice(0, 255)
    .trim();
}

const textOf = (value: PostedValue | undefined): string => (typeof value === 'string' ? value : '');

/** A posted frame as a stack prints it. */
function printedFrame(frame: PostedRow): Frame {
  const { offset } = frame;
  const number =
    offset instanceof Num ? `0x${BigInt(offset.text).toString(16).toUpperCase()}` : textOf(offset);
  return { image: textOf(frame.image), function: textOf(frame.function), offset: number };
}

/** Last part of a path, every other character than those of names as an underscore, at most 100 of them. */
function imageOf(text: string): string {
  const last = text.trim().split(/[\\/]/).at(-1) ?? '';
  return last
    .trim()
    .replace(/[^A-Za-z0-9_.:$@?+,-]/gu, '_')
    .slice(0, 100);
}

const bare = (image: string): string => image.replace(/\.[A-Za-z0-9]{1,8}$/, '');

interface Place {
  readonly image: string;
  readonly function: string;
}

/** The frame that a failure is named after: the first of the program's own doing, else the top one. */
function placeOf(frames: readonly Frame[], kernel: boolean): Place | undefined {
  const named = frames.filter((frame) => frame.image !== '' || frame.function !== '');
  const own = named.find((frame) => {
    const system = systemImages.some((name) => name.toLowerCase() === imageOf(frame.image).toLowerCase());
    return !system && !passingFunctions.includes(frame.function);
  });
  const frame = own ?? named[0];
  if (frame === undefined) return undefined;
  let name = functions.find(([sent]) => sent === frame.function)?.[1] ?? frame.function;
  if (name === '') {
    const number = /^(?:0x[0-9a-f]+|\d+)$/i.test(frame.offset);
    name = kernel ? 'unknown_function' : number ? BigInt(frame.offset).toString(16) : 'Unknown';
  }
  return { image: frame.image === '' ? 'Unknown' : imageOf(frame.image), function: name };
}

/** Hex digits of an exception code, no zeros in front; undefined if there is none. */
function codeOf(value: PostedValue | undefined): string | undefined {
  if (value instanceof Num) return BigInt.asUintN(32, BigInt(value.text)).toString(16);
  const text = textOf(value);
  if (text === '') return undefined;
  return BigInt(text.startsWith('0x') || text.startsWith('0X') ? text : `0x${text}`).toString(16);
}

/** Class and code, as they stand in front of the place. */
function headOf(exception: PostedRow | undefined, eventType: string, kernel: boolean): string {
  if (eventType === 'hang') return 'APPLICATION_HANG_cfffffff';
  if (eventType === 'memory') return 'MEMORY_FAILURE';
  const said = textOf(exception?.class);
  const signal = textOf(exception?.code).toUpperCase();
  if (!kernel && signal.startsWith('SIG')) {
    const known = signal === 'SIGABRT' ? 'ABORT' : signal === 'SIGTRAP' ? 'BREAKPOINT' : 'APPLICATION_FAULT';
    return `${said === '' ? known : said}_${signal}`;
  }
  const hex = codeOf(exception?.code);
  if (hex === undefined) return said === '' ? 'APPLICATION_FAULT' : said;
  if (kernel) {
    // The code of drivers and hardware is the bug check.
    if (said === '') return accessChecks.includes(hex) ? 'AV' : `0x${hex}`;
    return `0x${hex}_${said}`;
  }
  const code = hex.padStart(8, '0');
  const known = classes.get(code);
  const wrapper = code === 'e0434352' || code === 'c000027b';
  if (wrapper && said !== '') return `${known}_${said}_${code}`;
  return `${said === '' ? (known ?? 'APPLICATION_FAULT') : said}_${code}`;
}

/**
 * Completes a failure: fills `failureName`, `failureHash`, `symbol`, `cabId` and `cabIdHash` of the cells (the two ids
 * are random: they are empty until they are learnt) and returns the frames.
 */
export function completeFailure(row: PostedRow, cells: Map<string, Cell>): readonly Frame[] {
  const mode = modeOf(String(cells.get('source')));
  const kernel = mode === 'km';
  const posted = Array.isArray(row.frames) ? (row.frames as readonly PostedRow[]) : [];
  const frames = posted.map((frame) => printedFrame(frame));
  const exception =
    typeof row.exception === 'object' && row.exception !== null ? (row.exception as PostedRow) : undefined;
  const head = headOf(exception, String(cells.get('eventType')).toLowerCase(), kernel);
  const framed = placeOf(frames, kernel);
  const module = imageOf(
    ['moduleName', 'fileName', 'driverName'].map((key) => textOf(row[key])).find(Boolean) ?? '',
  );
  const unknown = kernel ? 'unknown_function' : 'Unknown';
  const place = framed ?? (module === '' ? undefined : { image: module, function: unknown });
  let name = head;
  let symbol = '';
  if (place !== undefined) {
    const image = kernel ? bare(place.image) : place.image;
    name = kernel && framed === undefined ? `${head}_IMAGE_${module}` : `${head}_${image}!${place.function}`;
    symbol = `${bare(place.image).replaceAll('.', '_').toLowerCase()}!${place.function}`;
  }
  const kept = keptName(textOf(row.failureName));
  const keptHash = keptName(textOf(row.failureHash));
  const failureName = kept === '' ? name.slice(0, 255) : kept;
  cells.set('failureName', failureName);
  cells.set('failureHash', keptHash === '' ? hashOf(failureName, mode) : keptHash);
  if (cells.get('symbol') === '' || !cells.has('symbol')) cells.set('symbol', symbol);
  cells.set('cabId', '');
  cells.set('cabIdHash', '');
  return frames;
}
