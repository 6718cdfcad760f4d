/**
 * Names failures the way the vendor's reports do: `CLASS_CODE_IMAGE!FUNCTION`. Pure and deterministic: the same facts
 * give the same name under the same rule-set version. A name that the client gives is kept; everywhere but here
 * names are opaque text. Knows nothing of dumps or symbols: it takes what their readers found.
 */
import { blamedFrame, type NamedFrame } from './blamed-frame.js';
import {
  accessBugChecks,
  addressUnknown,
  failFastReasons,
  integerDivision,
  memorySignals,
  signalClasses,
  unknownClass,
  windowsClasses,
  windowsCodes,
} from './failure-classes.js';
import type { FailureMode } from './failure-hash.js';
import { className, functionName, imageName, withoutExtension } from './function-name.js';

/** The version of the rules below, kept with each record. A change that alters any name raises it. */
export const namingVersion = 1;

/** Longest failureName, given or made, in characters. */
const longestName = 255;

/** What is known of the exception. Numbers are unsigned; a code or HRESULT has 32 bits. */
export interface ExceptionFacts {
  /** Windows exception code, such as 0xc0000005. */
  readonly code?: number | undefined;
  /** The exception's parameters in their order. */
  readonly parameters?: readonly bigint[] | undefined;
  /** The error behind a managed or stowed exception; for managed ones parameter 0 if missing. */
  readonly hresult?: number | undefined;
  /** POSIX signal by name, such as `SIGSEGV`. */
  readonly signal?: string | undefined;
  /** The signal's detail (`si_code`). */
  readonly signalDetail?: number | undefined;
  /** Address whose access raised the signal. */
  readonly address?: bigint | undefined;
  /** Bug check of a kernel, such as 0x139. */
  readonly bugCheck?: number | undefined;
  /** What the vendor prints between a bug check and the class, such as 0x1d. */
  readonly bugCheckDetail?: number | undefined;
  /** Class as the client says it; for managed and stowed exceptions the exception's type. */
  readonly class?: string | undefined;
}

/** What a failure is named from. */
export interface FailureFacts {
  readonly mode: FailureMode;
  /** Name that the client sent; it wins. */
  readonly given?: string | undefined;
  /** `crash` if missing; `hang` and `memory` give the class. */
  readonly eventType?: string | undefined;
  readonly exception?: ExceptionFacts | undefined;
  /** Frames of the failed thread, innermost first. */
  readonly frames?: readonly NamedFrame[] | undefined;
  /** Module that failed, for failures without frames. */
  readonly module?: string | undefined;
}

/** A name and where it is from. */
export interface FailureName {
  readonly failureName: string;
  /** `module!function` in the short form that reports print; empty if neither frame nor module is known. */
  readonly symbol: string;
  readonly version: number;
  /** True if the client's own name was kept. */
  readonly given: boolean;
  /** Position of the frame that the failure is named after. */
  readonly blamed?: number;
}

/** A number as lower-case hex without prefix, as two's complement of 32 bits if negative. */
const hex = (value: number): string => (value < 0 ? value >>> 0 : value).toString(16);

const code = (value: number): string => hex(value).padStart(8, '0');

/** Text with at most `longest` characters, without half a surrogate pair at its end. */
function cut(text: string, longest: number): string {
  return text.slice(0, longest).replace(/[\ud800-\udbff]$/, '');
}

/**
 * A client's own name as it is kept: without control characters and blanks around, at most 255 characters;
 * `undefined` if nothing is left.
 */
export function givenName(text: string): string | undefined {
  const kept = cut(text.replace(/\p{Cc}/gu, '').trim(), longestName).trimEnd();
  return kept === '' ? undefined : kept;
}

/**
 * A Windows exception code from a row: a whole number (negative ones as two's complement), or text as `0xc0000005`,
 * `c0000005` (eight digits) or `-1073741819`. `undefined` if it is none of these or wider than 32 bits.
 */
export function exceptionCode(value: number | string): number | undefined {
  const text = typeof value === 'string' ? value.trim() : undefined;
  let read = Number.NaN;
  if (text === undefined) read = Number(value);
  else if (/^0x[0-9a-f]{1,8}$/i.test(text)) read = Number.parseInt(text.slice(2), 16);
  else if (/^[0-9a-f]{8}$/i.test(text)) read = Number.parseInt(text, 16);
  else if (/^-\d{1,10}$/.test(text)) read = Number(text);
  return Number.isInteger(read) && read >= -0x8000_0000 && read <= 0xffff_ffff ? read >>> 0 : undefined;
}

/** Below this address lie null pointers and the fields of an object at address 0. */
const nullPage = 0x10000n;

/** Class of a bad access at an address, without the kind of access. */
function pointerClass(address: bigint): string {
  if (address === 0n) return 'NULL_POINTER';
  return address < nullPage ? 'NULL_CLASS_PTR' : 'INVALID_POINTER';
}

/** Class of a Windows access violation: what was tried and where. */
function accessClass([kind, address]: readonly bigint[]): string {
  if (kind === 8n) return 'SOFTWARE_NX_FAULT';
  if (address === undefined || (kind !== 0n && kind !== 1n)) return unknownClass;
  return `${pointerClass(address)}_${kind === 0n ? 'READ' : 'WRITE'}`;
}

/** Class and code of a Windows exception. */
function windowsHead(number: number, facts: ExceptionFacts): string[] {
  const parameters = facts.parameters ?? [];
  const said = className(facts.class ?? '');
  const managed = number === windowsCodes.managed || number === windowsCodes.managedEarly;
  if (managed || number === windowsCodes.stowed) {
    const behind = managed ? Number(BigInt.asUintN(32, parameters[0] ?? 0n)) : 0;
    const known = windowsClasses.get(number) ?? unknownClass;
    const type = said === undefined || said === known ? [] : [said];
    return [known, ...type, code(facts.hresult || behind || number)];
  }
  if (said !== undefined) return [said, code(number)];
  if (number === windowsCodes.accessViolation) return [accessClass(parameters), code(number)];
  const reason = number === windowsCodes.failFast ? failFastReasons.get(parameters[0] ?? -1n) : undefined;
  return [
    `${windowsClasses.get(number) ?? unknownClass}${reason === undefined ? '' : `_${reason}`}`,
    code(number),
  ];
}

/** Class of a POSIX signal. */
function signalClass(signal: string, { address, signalDetail }: ExceptionFacts): string {
  if (memorySignals.has(signal)) {
    if (signal === 'SIGSEGV' && signalDetail === addressUnknown) return 'INVALID_POINTER';
    if (address === undefined) return unknownClass;
    // Signals do not tell a null pointer from the field of an object there: names have one class for both.
    return address < nullPage ? 'NULL_POINTER' : 'INVALID_POINTER';
  }
  if (signal === 'SIGFPE' && signalDetail === integerDivision) return 'INTEGER_DIVIDE_BY_ZERO';
  return signalClasses.get(signal) ?? unknownClass;
}

/** Bug check, its detail and class of a kernel's failure, as far as they are known. */
function kernelHead(facts: ExceptionFacts): string[] {
  const said = className(facts.class ?? '');
  const { bugCheck, bugCheckDetail } = facts;
  if (bugCheck !== undefined) {
    if (said === undefined && accessBugChecks.has(bugCheck)) return ['AV'];
    const detail = bugCheckDetail === undefined ? [] : [hex(bugCheckDetail)];
    return [`0x${hex(bugCheck)}`, ...detail, ...(said === undefined ? [] : [said])];
  }
  if (facts.code !== undefined) return windowsHead(facts.code, facts);
  return [said ?? unknownClass];
}

/** Everything before the place: class and code, in the order in which they are printed. */
function head({ mode, eventType, exception = {} }: FailureFacts): string[] {
  if (eventType === 'hang') return ['APPLICATION_HANG', code(windowsCodes.hang)];
  if (eventType === 'memory') return ['MEMORY_FAILURE'];
  if (mode === 'km') return kernelHead(exception);
  const signal = className(exception.signal ?? '');
  if (signal !== undefined)
    return [className(exception.class ?? '') ?? signalClass(signal, exception), signal];
  if (exception.code !== undefined) return windowsHead(exception.code, exception);
  return [className(exception.class ?? '') ?? unknownClass];
}

/** Function of a frame, or what stands for it. */
function functionOf(frame: NamedFrame, mode: FailureMode): string {
  const name = frame.function === undefined ? undefined : functionName(frame.function);
  if (name !== undefined) return name;
  if (mode === 'km') return 'unknown_function';
  return frame.offset === undefined ? 'Unknown' : frame.offset.toString(16);
}

/** `module!function` as the reports' symbol: no extension, dots as underscores, lower case. */
function symbolOf(image: string, functionText: string): string {
  return `${withoutExtension(image).replaceAll('.', '_').toLowerCase()}!${functionText}`;
}

/** The name made from facts, and the symbol beside it. */
function made(facts: FailureFacts): Pick<FailureName, 'failureName' | 'symbol' | 'blamed'> {
  const front = head(facts).join('_');
  const frames = facts.frames ?? [];
  const blamed = blamedFrame(frames);
  const frame = blamed === undefined ? undefined : frames[blamed];
  const module =
    imageName(frame?.image ?? '') ?? (frame === undefined ? imageName(facts.module ?? '') : 'Unknown');
  if (module === undefined) return { failureName: cut(front, longestName), symbol: '' };
  const kernel = facts.mode === 'km';
  const functionText = functionOf(frame ?? {}, facts.mode);
  const image = kernel ? withoutExtension(module) : module;
  // Of a kernel failure without a stack only the driver is known, and that is how the vendor prints it.
  const place = kernel && frame === undefined ? `IMAGE_${module}` : `${image}!${functionText}`;
  return {
    failureName: cut(`${front}_${place}`, longestName),
    symbol: symbolOf(module, functionText),
    ...(blamed === undefined ? {} : { blamed }),
  };
}

/**
 * Names a failure. Never throws on well-typed facts: what is missing leaves its part out. A given name replaces the
 * made one, the symbol is made either way.
 */
export function nameFailure(facts: FailureFacts): FailureName {
  const given = givenName(facts.given ?? '');
  const own = made(facts);
  return {
    ...own,
    failureName: given ?? own.failureName,
    version: namingVersion,
    given: given !== undefined,
  };
}
