/** Help texts, made from the command tables. */
import type { Action, Command, Operand } from './command.js';
import { exitCodeLines } from './exit-codes.js';
import { aligned } from './output.js';

/** The overview: all commands with a line each. */
export function overview(lines: readonly (readonly [name: string, summary: string])[]): string {
  return `storelens: self-hosted app-store analytics that speaks the Microsoft Store analytics API

Usage: storelens COMMAND [options]

Commands:
${aligned(lines.map(([name, summary]) => [`  ${name}`, summary]))}
\`storelens COMMAND --help\` shows a command's actions and options.

login, report, ingest, mirror, doctor and crash act for an account: of \`storelens login\`, or STORELENS_URL,
STORELENS_TENANT_ID, STORELENS_CLIENT_ID and STORELENS_CLIENT_SECRET. Without a URL they ask Microsoft's service.

tenant, application, key, product, symbols, crash reprocess, operator-key and signing-key manage a server of your own:
  --url URL                  or STORELENS_URL; default http://127.0.0.1:4700
  --operator-key-file FILE   or STORELENS_OPERATOR_KEY_FILE; default operator.key of ./storelens-data or ./storelens-demo
  --ca FILE                  private authority to trust for https

Exit codes:
${aligned(exitCodeLines.map(([code, meaning]) => [`  ${code}`, meaning]))}`;
}

/** The help text of a command: its actions, or the options of its only one. */
export function commandHelp(command: Command): string {
  const only = command.actions[''];
  if (only !== undefined) return actionHelp(command, '', only);
  const lines = Object.entries(command.actions).map(([name, action]) => [
    `  ${usage(name, action)}`,
    action.summary,
  ]);
  return `${command.summary}.

Usage: storelens ${command.name} ACTION [options]

Actions:
${aligned(lines)}
\`storelens ${command.name} ACTION --help\` shows an action's options.
`;
}

/** The help text of one action. */
export function actionHelp(command: Command, name: string, action: Action): string {
  const operands = (action.operands ?? []).map((operand) => `  ${written(operand)}\n      ${operand.help}\n`);
  const options = Object.entries(action.options).map(([option, { value, help, required }]) => {
    const placeholder = value === undefined ? '' : ` ${value}`;
    return `  --${option}${placeholder}\n      ${help}${required ? ' Required.' : ''}\n`;
  });
  const notes = action.notes === undefined ? '' : `\n${action.notes.join('\n')}\n`;
  return `${action.summary}.

Usage: storelens ${`${command.name} ${usage(name, action)}`.trim()}${options.length > 0 ? ' [options]' : ''}
${operands.length > 0 ? `\nArguments:\n${operands.join('')}` : ''}${options.length > 0 ? `\nOptions:\n${options.join('')}` : ''}${notes}`;
}

function usage(name: string, action: Action): string {
  return [name, ...(action.operands ?? []).map(written)].join(' ').trim();
}

const written = ({ name: operand, repeated }: Operand) => `${operand}${repeated ? '...' : ''}`;
