/**
 * Finds callers by call-frame information: rules from symbol files (Breakpad's STACK CFI) that say, for each address
 * of a function, where its frame begins and where it put the caller's registers.
 */
import {
  type Callee,
  callerState,
  type Found,
  type KnownPlace,
  keptRegisters,
  type Walk,
} from './frame-state.js';
import { evaluatePostfix, type Surroundings } from './postfix.js';
import { registerName } from './processors.js';

/** Rules by register, as words; `.cfa` and `.ra` stand for the frame's begin and the return address. */
export type RegisterRules = ReadonlyMap<string, readonly string[]>;

/** A rule that says that the caller's value is lost; for `.ra`, that there is no caller. */
const lost = '.undef';

/** Return addresses below it are none: the first function of a thread was not called. */
const lowestCode = 0x1000n;

/**
 * Reads rule texts, later ones replacing registers of earlier ones. Undefined if a text does not begin with the name
 * of a register.
 */
function parseRules(texts: readonly string[]): RegisterRules | undefined {
  const rules = new Map<string, string[]>();
  for (const text of texts) {
    let words: string[] | undefined;
    for (const word of text.split(/\s+/)) {
      if (word === '') continue;
      if (word.length > 1 && word.endsWith(':')) {
        words = [];
        rules.set(word.slice(0, -1), words);
      } else if (words === undefined) return undefined;
      else words.push(word);
    }
  }
  return rules;
}

/**
 * Applies rules to the registers of a frame: the caller's registers by name, as far as rules give them. Undefined if
 * the begin of the frame or the return address cannot be had; `root` if the rules say that there is no caller.
 */
export function applyRules(
  rules: RegisterRules,
  registers: ReadonlyMap<string, bigint>,
  { processor, memory }: Pick<Walk, 'processor' | 'memory'>,
):
  | { cfa: bigint; returnAddress: bigint; found: ReadonlyMap<string, bigint | undefined> }
  | 'root'
  | undefined {
  const frameRule = rules.get('.cfa');
  const returnRule = rules.get('.ra');
  if (frameRule === undefined || returnRule === undefined) return undefined;
  if (returnRule.length === 1 && returnRule[0] === lost) return 'root';
  let cfa: bigint | undefined;
  const around: Surroundings = {
    width: processor.width,
    memory: memory.pointer,
    variable: (name) => (name === '.cfa' ? cfa : registers.get(registerName(name, processor))),
  };
  cfa = evaluatePostfix(frameRule, around);
  if (cfa === undefined) return undefined;
  const returnAddress = evaluatePostfix(returnRule, around);
  if (returnAddress === undefined) return undefined;
  const found = new Map<string, bigint | undefined>();
  for (const [name, words] of rules) {
    if (name === '.cfa' || name === '.ra') continue;
    found.set(registerName(name, processor), evaluatePostfix(words, around));
  }
  return { cfa, returnAddress: processor.codeAddress(returnAddress), found };
}

/** The rules at a place; undefined if there are none, they cannot be read or the walk has read too many. */
export function rulesAt({ symbols, offset }: KnownPlace, { budget }: Walk): RegisterRules | undefined {
  const texts = budget.characters < 0 ? undefined : symbols?.callFrameRules(offset);
  if (texts === undefined) return undefined;
  const all = [texts.initial, ...texts.changes];
  budget.characters -= all.reduce((sum, { length }) => sum + length + 1, 0);
  return budget.characters < 0 ? undefined : parseRules(all);
}

/** The caller by the rules for the frame's address; undefined without rules or if they lead nowhere. */
export function byCallFrames(callee: Callee, walk: Walk): Found {
  const rules = callee.place && rulesAt(callee.place, walk);
  const applied = rules && applyRules(rules, callee.registers, walk);
  if (applied === undefined || applied === 'root') return applied;
  if (applied.returnAddress < lowestCode) return 'root';
  const { processor } = walk;
  const kept = new Map(keptRegisters(callee, processor));
  for (const [name, value] of applied.found) {
    if (value === undefined) kept.delete(name);
    else kept.set(name, name === processor.framePointer ? processor.codeAddress(value) : value);
  }
  const stack = kept.get(processor.stackPointer) ?? applied.cfa;
  return callerState(processor, applied.returnAddress, stack, kept);
}
