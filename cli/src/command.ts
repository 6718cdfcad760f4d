/**
 * What a command is: a table of actions with operands and options. Parsing, checking and help texts all come from
 * the table, so that they cannot disagree. Values are read through `Input`, which knows the table's defaults.
 */
import { parseArgs } from 'node:util';
import type { Environment } from './environment.js';

/** One option of an action. */
export interface Option {
  readonly type: 'text' | 'list' | 'flag';
  /** Placeholder of the value in help texts: `DIR`, `NAME`. */
  readonly value?: string;
  readonly help: string;
  readonly required?: true;
  /** Values that shells complete. */
  readonly choices?: readonly string[];
}

/** One positional argument; all are required. */
export interface Operand {
  /** As in help texts: `TENANT`. */
  readonly name: string;
  readonly help: string;
  /** Values that shells complete. */
  readonly choices?: readonly string[];
  /** One or more of them; only for the last. */
  readonly repeated?: true;
}

/** One thing a command can do. */
export interface Action {
  readonly summary: string;
  readonly operands?: readonly Operand[];
  readonly options: Readonly<Record<string, Option>>;
  /** Lines below the options in the help text. */
  readonly notes?: readonly string[];
  /** Profiles whose authority it has to trust, where that of the account it acts for is not all; undefined: the default's. */
  profiles?(input: Input, context: Context): Promise<readonly (string | undefined)[]>;
  /** Does it. Throws UsageError (exit code 2) or RefusedError (exit code 1). */
  run(input: Input, context: Context): Promise<void>;
}

/** A command with named actions (`tenant create`), or with a single one under the name ''. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly actions: Readonly<Record<string, Action>>;
}

/** A stream that may be a terminal. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The outside world of a command. */
export interface Context {
  readonly environment: Environment;
  readonly out: Output;
  readonly err: Output;
  readonly in: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after some milliseconds; rejects with the reason of the signal as soon as it aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** The command line cannot be understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The server refused, or something outside failed; exit code 1 unless another one says more. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** Parsed arguments of one action. */
export class Input {
  constructor(
    private readonly given: Readonly<Record<string, readonly string[]>>,
    private readonly values: Readonly<Record<string, string | boolean | readonly string[]>>,
  ) {}

  /** The operand of this name; operands are always there. */
  operand(name: string): string {
    const [value] = this.operands(name);
    if (value === undefined) throw new TypeError(`no operand ${name} in the table`);
    return value;
  }

  /** All operands of a repeated one, at least one. */
  operands(name: string): readonly string[] {
    return this.given[name] ?? [];
  }

  /** The value of a text option, or undefined. */
  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The value of a required text option. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new TypeError(`option ${name} is not required in the table`);
    return value;
  }

  /** The values of a list option, or undefined if it was not given. */
  list(name: string): readonly string[] | undefined {
    const value = this.values[name];
    return Array.isArray(value) ? value : undefined;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** The value of an option as true or false, or undefined if it was not given. */
  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined || text === 'true') return text === undefined ? undefined : true;
    if (text === 'false') return false;
    throw new UsageError(`--${name} is '${text}'; expected true or false`);
  }

  /** The value of an option as a whole number, or undefined if it was not given. */
  integer(name: string, least: number, greatest: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= greatest) return value;
    throw new UsageError(`--${name} is '${text}'; expected a whole number from ${least} to ${greatest}`);
  }
}

/**
 * Parses the arguments of an action, `usage` being its name (`tenant create`); throws UsageError naming the argument
 * and what would be right.
 */
export function parseInput(action: Action, usage: string, args: readonly string[]): Input {
  const options = Object.fromEntries(
    Object.entries(action.options).map(([name, option]) => [
      name,
      { type: option.type === 'flag' ? 'boolean' : 'string', multiple: true } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const values: Record<string, string | boolean | readonly string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(action.options, token.name) ? action.options[token.name] : undefined;
    if (option === undefined) {
      throw new UsageError(
        `unknown option '${token.rawName}' of ${usage}; storelens ${usage} --help lists the options`,
      );
    }
    if (option.type === 'flag') {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      values[token.name] = true;
      continue;
    }
    // `--name --json` would take the next option for the value; `--name=--json` says that it is meant.
    if (token.value === undefined || (!token.inlineValue && /^--./.test(token.value))) {
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value ?? 'TEXT'}`);
    }
    const earlier = values[token.name];
    if (option.type === 'list')
      values[token.name] = [...(Array.isArray(earlier) ? earlier : []), token.value];
    else if (earlier !== undefined) throw new UsageError(`${token.rawName} is given twice`);
    else values[token.name] = token.value;
  }
  return new Input(named(action, usage, positionals), checked(action, usage, values));
}

function named(
  action: Action,
  usage: string,
  given: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const operands = action.operands ?? [];
  const surplus = operands.at(-1)?.repeated ? undefined : given[operands.length];
  if (surplus !== undefined) throw new UsageError(`${usage} does not take '${surplus}'`);
  return Object.fromEntries(
    operands.map(({ name, help, repeated }, index) => {
      const values = repeated ? given.slice(index) : given.slice(index, index + 1);
      if (values.length === 0 || values.includes('')) throw new UsageError(`${usage} needs ${name}: ${help}`);
      return [name, values];
    }),
  );
}

function checked<Values extends Readonly<Record<string, unknown>>>(
  action: Action,
  usage: string,
  values: Values,
): Values {
  for (const [name, option] of Object.entries(action.options)) {
    if (option.required && values[name] === undefined) {
      throw new UsageError(`${usage} needs --${name} ${option.value ?? 'TEXT'}: ${option.help}`);
    }
  }
  return values;
}
