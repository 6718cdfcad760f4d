/**
 * Brings names of functions and images into the form that failure names use. Works on text alone: it knows how C++,
 * Rust, Go and .NET print their functions, and demangles nothing.
 */

/** Longest function in a failure name, in characters. */
const longestFunction = 180;

/** Longest image in a failure name, in characters. */
const longestImage = 100;

/** Longest input that is looked at, so that hostile symbols cost nothing. */
const longestInput = 4096;

/** Longest ending that is taken off: patterns that end with the text try every place before it. */
const longestEnding = 256;

/** What debuggers print where they know no function. */
const nameless = new Set(['', '?', '??', '<unknown>', '<name omitted>']);

/** Copies of a function that compilers split off or specialise: `.cold`, `.isra.0`, `.part.1.constprop.2`. */
const cloneSuffix = /(?:\.(?:cold|isra|part|constprop|lto_priv|localalias|llvm|clone)(?:\.\d+)*)+$/;

/** Endings that are not part of a name. */
const endings: readonly RegExp[] = [
  cloneSuffix,
  / *\[clone [^[\]]*\]$/,
  / *\(\.[a-z0-9_.]+\)$/,
  / *\[[^[\]]* @ ?\d+\]$/,
  /\+(?:0x[0-9a-f]+|\d+)$/i,
  /(?<!:):\d+$/,
  / (?:const|volatile|noexcept|&&?)$/,
];

/** Operators that may follow the keyword, longest first; `()` and `[]` are names here, not brackets. */
const operatorSigns =
  /^ *(?:\(\)|\[\]|<=>|<<=|>>=|->\*|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|->|[-+*/%^&|]=|[-+*/%^&|~!=<>,])/;

const openers = '(<[{';
const closers = ')>]}';

/** Every character that a failure name may not hold, as one underscore each. */
function clean(text: string): string {
  return text.replace(/[^A-Za-z0-9_.:$@?+,-]/gu, '_');
}

/** The text without endings such as clones, offsets and line numbers; hostile names may keep some. */
function withoutEndings(text: string): string {
  let rest = text.trimEnd();
  for (let turn = 0; turn < 8; turn += 1) {
    const shorter = endings.reduce(withoutEnding, rest).trimEnd();
    if (shorter === rest || shorter === '') break;
    rest = shorter;
  }
  return rest;
}

function withoutEnding(text: string, ending: RegExp): string {
  const from = Math.max(0, text.length - longestEnding);
  return text.slice(0, from) + text.slice(from).replace(ending, '');
}

/** A declaration without return type and argument lists. */
function bareName(text: string): string {
  const lastQuote = text.lastIndexOf("'");
  const stack: string[] = [];
  let kept = '';
  let start = 0;
  let keyword = false;
  let at = 0;
  while (at < text.length) {
    const sign = text.charAt(at);
    if (
      stack.length === 0 &&
      /^operator(?![A-Za-z0-9_$])/.test(text.slice(at, at + 9)) &&
      !/[\w$]/.test(kept.at(-1) ?? '')
    ) {
      // From here on blanks belong to the name: `operator bool`, `operator new`.
      const signs = operatorSigns.exec(text.slice(at + 8, at + 13))?.[0] ?? '';
      kept += `operator${signs.trimStart()}`;
      at += 8 + signs.length;
      keyword = true;
      continue;
    }
    const before = kept.length > start ? (kept.at(-1) ?? '') : '';
    if (stack.length === 0 && sign === '(' && /[\w$>\])}'~!=<+*/%^&|,-]/.test(before)) {
      const end = closing(text, at);
      const rest = text.slice(end);
      // Arguments in the middle belong to an enclosing function; behind the last ones nothing is part of the name.
      if (!rest.startsWith('::')) break;
      at = end;
      continue;
    }
    if (stack.length === 0 && sign === ' ' && !keyword) start = kept.length + 1;
    if (openers.includes(sign)) stack.push(closers.charAt(openers.indexOf(sign)));
    else if (sign === '`' && at < lastQuote) stack.push("'");
    else if (stack.at(-1) === sign && !(sign === '>' && text.charAt(at - 1) === '-')) stack.pop();
    kept += sign;
    at += 1;
  }
  return kept.slice(start).replace(/^[*&]+/, '');
}

/** The position behind the bracket that closes the one at `open`, or the end of the text. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text.charAt(at) === '(') depth += 1;
    else if (text.charAt(at) === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/**
 * A function as failure names print it: no return type, arguments, clone suffix, offset or line; other characters
 * than `A-Za-z0-9_.:$@?+,-` as `_`; at most 180 characters. `undefined` if the text names no function.
 */
export function functionName(text: string): string | undefined {
  const raw = text.slice(0, longestInput).trim().replace(/ {2,}/g, ' ');
  if (nameless.has(raw)) return undefined;
  const bare = withoutEndings(bareName(withoutEndings(raw)));
  const name = clean(bare === '' ? raw : bare).slice(0, longestFunction);
  return name === '' ? undefined : name;
}

/**
 * An image (a module's file) as failure names print it: the last part of a path in its own spelling, characters
 * cleaned like a function's, at most 100. `undefined` if nothing is left.
 */
export function imageName(text: string): string | undefined {
  const last = text.slice(-longestInput).trim().split(/[\\/]/).at(-1) ?? '';
  const name = clean(last.trim());
  return name === '' ? undefined : name.slice(0, longestImage);
}

/** An image without its extension: `Driver.sys` gives `Driver`, `StoreWrapper.ni.DLL` gives `StoreWrapper.ni`. */
export function withoutExtension(image: string): string {
  return image.replace(/(?<=.)\.[A-Za-z0-9]{1,8}$/, '');
}

/** An exception type or class as failure names print it, at most 100 characters; `undefined` if nothing is left. */
export function className(text: string): string | undefined {
  const name = clean(text.slice(0, longestInput).trim()).slice(0, longestImage);
  return name === '' ? undefined : name;
}
