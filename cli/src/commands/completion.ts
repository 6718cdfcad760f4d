/** `storelens completion`: scripts by which shells complete commands, options and values, made from the command tables. */

import type { Action, Command } from '../command.js';
import { bashScript, fishScript, type Words, zshScript } from '../completion/scripts.js';

/** Prints the scripts. `commands` are all commands, `serveOptions` the options of `serve`, which has no table here. */
export function completionOf(
  commands: () => readonly Command[],
  serveSummary: string,
  serveOptions: () => Promise<Words['options']>,
): Command {
  const words = async (): Promise<readonly Words[]> => {
    const serve = {
      path: ['serve'],
      summary: serveSummary,
      options: await serveOptions(),
      choices: [],
    };
    const help = { path: ['help'], summary: 'Show the help of a command', options: [] };
    return [
      serve,
      ...commands().flatMap(wordsOf),
      { ...help, choices: ['serve', ...commands().map(({ name }) => name)] },
    ];
  };
  const shell = (name: string, script: (all: readonly Words[]) => string, use: string): Action => ({
    summary: `Print the script for ${name}`,
    options: {},
    notes: [use],
    run: async (_input, { out }) => void out.write(script(await words())),
  });
  return {
    name: 'completion',
    summary: 'Let your shell complete commands, options and values',
    actions: {
      bash: shell('bash', bashScript, 'In ~/.bashrc: source <(storelens completion bash)'),
      zsh: shell('zsh', zshScript, 'In ~/.zshrc, after compinit: source <(storelens completion zsh)'),
      fish: shell(
        'fish',
        fishScript,
        'Once: storelens completion fish > ~/.config/fish/completions/storelens.fish',
      ),
    },
  };
}

function wordsOf(command: Command): readonly Words[] {
  const whole = { path: [command.name], summary: command.summary };
  const actions = Object.entries(command.actions).map(([name, action]) => ({
    path: name === '' ? whole.path : [...whole.path, name],
    summary: name === '' ? whole.summary : action.summary,
    options: [
      ...Object.entries(action.options).map(([option, { type, help, choices }]) => ({
        ...{ name: option, help, takesValue: type !== 'flag', choices: choices ?? [] },
      })),
      { name: 'help', help: 'Show the help of this.', takesValue: false, choices: [] },
    ],
    choices: action.operands?.[0]?.choices ?? [],
  }));
  const names = Object.keys(command.actions).filter((name) => name !== '');
  return names.length === 0 ? actions : [{ ...whole, options: [], choices: names }, ...actions];
}
