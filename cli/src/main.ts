/**
 * The command line: the table of commands, dispatch and exit codes (`exit-codes.ts`).
 * The server package is loaded by the commands that need it, `serve` above all; everything else starts quickly.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { StorelensError } from '@storelens/client';
import { accountOptions, authoritiesOf } from './account.js';
import {
  type Action,
  type Command,
  type Context,
  type Input,
  parseInput,
  RefusedError,
  UsageError,
} from './command.js';
import { application } from './commands/application.js';
import { completionOf } from './commands/completion.js';
import { crash } from './commands/crash.js';
import { devCert } from './commands/dev-cert.js';
import { doctor } from './commands/doctor.js';
import { ingest } from './commands/ingest.js';
import { key } from './commands/key.js';
import { login } from './commands/login.js';
import { mirror } from './commands/mirror.js';
import { operatorKey } from './commands/operator-key.js';
import { product } from './commands/product.js';
import { report } from './commands/report.js';
import { serve, serveHelp, serveOptions, serveSummary } from './commands/serve.js';
import { signingKey } from './commands/signing-key.js';
import { symbols } from './commands/symbols.js';
import { tenant } from './commands/tenant.js';
import { version } from './commands/version.js';
import { readEnvironment } from './environment.js';
import { authorityHint, exitCodeOf, explained, proxyHint } from './exit-codes.js';
import { actionHelp, commandHelp, overview } from './help.js';
import { areTrusted, runTrusting } from './trust.js';

const commands: readonly Command[] = [
  login,
  report,
  ingest,
  mirror,
  doctor,
  tenant,
  application,
  key,
  product,
  symbols,
  crash,
  operatorKey,
  signingKey,
  devCert,
  completionOf(() => commands, serveSummary, serveOptions),
  version,
];

const helpWords = new Set(['--help', '-h', 'help']);

/** Runs one command line and returns its exit code. Errors are told on `context.err`. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (error instanceof UsageError) {
      context.err.write(`storelens: ${error.message}\n`);
      return 2;
    }
    if (error instanceof RefusedError) {
      context.err.write(`storelens: ${error.message}\n`);
      return error.exitCode;
    }
    if (error instanceof StorelensError) {
      const hints = `${authorityHint(error)}${proxyHint(error, context.environment.variables)}`;
      context.err.write(`storelens: ${explained(error)}${hints}\n`);
      return exitCodeOf(error);
    }
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    // A reader that has seen enough (`| head`) is no fault.
    if (code === 'EPIPE') return 0;
    // The system said no, to a file or a full disk; everything else is a fault of ours, whose place is worth knowing.
    if (syscall === undefined) throw error;
    context.err.write(`storelens: ${message}\n`);
    return 1;
  }
}

/** Runs the command line of this process; sets its exit code. */
export async function runProcess(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    // A reader that goes away early (`| head`) is no fault; a full disk is, and nothing more can be written to it.
    if (code === 'EPIPE') return;
    process.stderr.write(`storelens: standard output cannot be written: ${message}\n`);
    process.exit(1);
  });
  // Where nobody reads what is wrong, the exit code still says it.
  process.stderr.on('error', () => undefined);
  process.exitCode = await run(args, {
    environment: readEnvironment(process.env),
    out: process.stdout,
    err: process.stderr,
    in: process.stdin,
    now: Date.now,
    async wait(milliseconds, signal) {
      await wait(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    },
  });
}

async function dispatch(args: readonly string[], context: Context): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    context.err.write(wholeHelp());
    return 2;
  }
  if (helpWords.has(name)) return help(rest, context);
  if (name === '--version') return dispatch(['version', ...rest], context);
  if (name === 'serve') {
    if (rest.some((argument) => argument === '--help' || argument === '-h')) return help(['serve'], context);
    return serve(rest, context);
  }
  const command = commandNamed(name);
  const single = command.actions[''];
  // What a command does without a word may have others beside it: `mirror`, and `mirror status`.
  const named = rest[0] !== undefined && rest[0] !== '' && Object.hasOwn(command.actions, rest[0]);
  const actionName = single === undefined || named ? rest[0] : '';
  if (actionName === undefined) {
    context.err.write(commandHelp(command));
    return 2;
  }
  if (helpWords.has(actionName)) return help([name], context);
  const action = actionNamed(command, actionName);
  if (action === undefined) {
    const known = Object.keys(command.actions).join(', ');
    throw new UsageError(`unknown action '${actionName}' of ${name}; expected one of ${known}`);
  }
  const given = single === undefined || named ? rest.slice(1) : rest;
  if (given.some((argument) => argument === '--help' || argument === '-h')) {
    context.out.write(actionHelp(command, actionName, action));
    return 0;
  }
  const input = parseInput(action, `${name} ${actionName}`.trim(), given);
  const authorities = await authoritiesFor(action, input, context);
  if (!areTrusted(authorities, context.environment))
    return await runTrusting(authorities, args, context.environment);
  await action.run(input, context);
  return 0;
}

/** Files of the private authorities that an action has to trust: the one that is named, else those of its profiles. */
async function authoritiesFor(action: Action, input: Input, context: Context): Promise<readonly string[]> {
  if (action.options.ca !== accountOptions.ca) return [];
  const named = input.text('ca') ?? context.environment.ca;
  if (named !== undefined) return [named];
  if (action.profiles !== undefined)
    return await authoritiesOf(await action.profiles(input, context), context);
  // What stores a profile asks nobody in the name of another one.
  if (action.options.profile !== accountOptions.profile) return [];
  return await authoritiesOf([input.text('profile')], context);
}

async function help(args: readonly string[], { out }: Context): Promise<number> {
  const [name, actionName] = args;
  if (name === undefined) out.write(wholeHelp());
  else if (name === 'serve') out.write(await serveHelp());
  else {
    const command = commandNamed(name);
    const action = actionNamed(command, actionName ?? '');
    out.write(
      action === undefined || actionName === undefined
        ? commandHelp(command)
        : actionHelp(command, actionName, action),
    );
  }
  return 0;
}

function commandNamed(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const known = ['serve', ...commands.map((candidate) => candidate.name), 'help'].join(', ');
  throw new UsageError(`unknown command '${name}'; expected one of ${known}`);
}

function actionNamed(command: Command, name: string): Action | undefined {
  return Object.hasOwn(command.actions, name) ? command.actions[name] : undefined;
}

function wholeHelp(): string {
  return overview([
    ['serve', serveSummary],
    ...commands.map((command) => [command.name, command.summary] as const),
    ['help', 'Show this, or the help of a command'],
  ]);
}
