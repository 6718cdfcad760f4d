/**
 * Evaluates the postfix expressions of call-frame rules and of Windows frame programs: whole numbers of the
 * processor's width, names, memory. The text is from strangers: its length and depth are bounded, and what cannot be
 * evaluated gives no value rather than an error.
 */

/** What an expression may refer to. */
export interface Surroundings {
  /** Bytes of a number. */
  readonly width: 4 | 8;
  /** The value of a name; undefined if it has none. */
  readonly variable: (name: string) => bigint | undefined;
  /** A number in memory; undefined if the dump does not hold it. */
  readonly memory: (address: bigint) => bigint | undefined;
}

/** Most words of an expression, and most values that wait at a time. */
export const postfixLimits = { words: 256, depth: 32 } as const;

const numberWord = /^-?\d{1,20}$/;

/** A number of the processor's width, without sign, as its registers wrap. */
const wrap = (value: bigint, { width }: Surroundings): bigint => BigInt.asUintN(width * 8, value);

/** The value of a word that is no operator. */
function numberOf(word: string, around: Surroundings): bigint | undefined {
  return numberWord.test(word) ? wrap(BigInt(word), around) : around.variable(word);
}

/** What two numbers give; undefined without a result. Division and remainder are of numbers without sign. */
function combine(operator: string, left: bigint, right: bigint): bigint | undefined {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0n ? undefined : left / right;
    case '%':
      return right === 0n ? undefined : left % right;
    default:
      // `@` cuts the left number to a multiple of the right one, a power of two.
      return right === 0n || (right & (right - 1n)) !== 0n ? undefined : left - (left % right);
  }
}

/**
 * Runs the words of a program: `+ - * / % @` combine two values, `^` reads memory, `=` gives the name below a value
 * that value by `assign`; without `assign` there is no `=`. Returns what is left waiting, undefined if the program
 * breaks off.
 */
export function runPostfix(
  words: readonly string[],
  around: Surroundings,
  assign?: (name: string, value: bigint) => void,
): readonly bigint[] | undefined {
  if (words.length > postfixLimits.words) return undefined;
  const waiting: (bigint | string)[] = [];
  const take = (): bigint | undefined => {
    const top = waiting.pop();
    return typeof top === 'string' ? numberOf(top, around) : top;
  };
  for (const word of words) {
    if (word === '=' && assign !== undefined) {
      const value = take();
      const name = waiting.pop();
      if (value === undefined || typeof name !== 'string' || numberWord.test(name)) return undefined;
      assign(name, value);
      continue;
    }
    if (word === '^') {
      const address = take();
      const value = address === undefined ? undefined : around.memory(address);
      if (value === undefined) return undefined;
      waiting.push(value);
      continue;
    }
    if (word.length === 1 && '+-*/%@'.includes(word)) {
      const right = take();
      const left = take();
      const value = left === undefined || right === undefined ? undefined : combine(word, left, right);
      if (value === undefined) return undefined;
      waiting.push(wrap(value, around));
      continue;
    }
    // A name may be about to get a value: it is looked up only when its own is needed.
    if (waiting.push(word) > postfixLimits.depth) return undefined;
  }
  const left = waiting.map((word) => (typeof word === 'string' ? numberOf(word, around) : word));
  return left.every((value) => value !== undefined) ? left : undefined;
}

/** The one value of an expression; undefined if it cannot be had or the words leave more or fewer. */
export function evaluatePostfix(words: readonly string[], around: Surroundings): bigint | undefined {
  const left = runPostfix(words, around);
  return left?.length === 1 ? left[0] : undefined;
}
