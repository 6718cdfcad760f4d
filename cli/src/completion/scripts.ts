/** Completion scripts of shells. All words are ours, from the command tables; still none is left unquoted. */

/** What may follow a command, or an action of one. */
export interface Words {
  /** `['tenant', 'create']`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly {
    readonly name: string;
    readonly help: string;
    readonly takesValue: boolean;
    readonly choices: readonly string[];
  }[];
  /** Values of the first operand, or names of actions. */
  readonly choices: readonly string[];
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** For bash. Where nothing is known, files are completed. */
export function bashScript(all: readonly Words[]): string {
  const at = (path: readonly string[]) => path.join(' ');
  const pairs = all.filter(({ path }) => path.length === 2);
  const groups = [...new Set(pairs.map(({ path }) => path[0] ?? ''))];
  const values = all.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ name, choices }) => [`${at(path)}:--${name}`, choices] as const),
  );
  const line = (key: string, words: readonly string[]) =>
    `    ${quoted(key)}) words=${quoted(words.join(' '))} ;;`;
  return `# storelens completion for bash: source <(storelens completion bash)
_storelens() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" key="\${COMP_WORDS[1]}" length=2 words=''
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${quoted([...new Set(all.map(({ path }) => path[0] ?? ''))].join(' '))} -- "$cur"))
    return
  fi
  case "$key" in
    ${groups.map(quoted).join(' | ')}) if [[ $COMP_CWORD -gt 2 ]]; then key="$key \${COMP_WORDS[2]}" length=3; fi ;;
  esac
  case "$key:$prev" in
${values.map(([key, choices]) => (choices.length === 0 ? `    ${quoted(key)}) return ;;` : line(key, choices))).join('\n')}
  esac
  if [[ -z $words && $cur == -* ]]; then
    case "$key" in
${all
  .filter(({ options }) => options.length > 0)
  .map(({ path, options }) =>
    line(
      at(path),
      options.map(({ name }) => `--${name}`),
    ).replace(/^/, '  '),
  )
  .join('\n')}
    esac
  elif [[ -z $words && $COMP_CWORD -eq $length ]]; then
    case "$key" in
${all
  .filter(({ choices }) => choices.length > 0)
  .map(({ path, choices }) => line(at(path), choices).replace(/^/, '  '))
  .join('\n')}
    esac
  fi
  if [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); fi
}
complete -o default -F _storelens storelens
`;
}

/** For zsh, which can run what was written for bash. */
export function zshScript(all: readonly Words[]): string {
  const bash = bashScript(all).replace(/^.*\n/, '');
  return `# storelens completion for zsh: source <(storelens completion zsh)\nautoload -Uz bashcompinit && bashcompinit\n${bash}`;
}

/** For fish, with the help of every word. */
export function fishScript(all: readonly Words[]): string {
  const text = (words: string) => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = all.flatMap(({ path, summary, options, choices }) => {
    const before = path.slice(0, -1);
    const names = all.filter((one) => one.path.length === path.length + 1 && one.path[0] === path[0]);
    const own = path.length === 1 || before.length === 1;
    const next = text(`__storelens_next ${before.join(' ')}`.trim());
    return [
      ...(own
        ? [`complete -c storelens -n ${next} -f -a ${text(path.at(-1) ?? '')} -d ${text(summary)}`]
        : []),
      ...(choices.length > 0 && names.length === 0
        ? [
            `complete -c storelens -n ${text(`__storelens_next ${path.join(' ')}`)} -f -a ${text(choices.join(' '))}`,
          ]
        : []),
      ...options.map(({ name, help, takesValue, choices: values }) => {
        const value = !takesValue ? '' : values.length > 0 ? ` -x -a ${text(values.join(' '))}` : ' -r';
        return `complete -c storelens -n ${text(`__storelens_in ${path.join(' ')}`)} -l ${name}${value} -d ${text(help)}`;
      }),
    ];
  });
  return `# storelens completion for fish: storelens completion fish > ~/.config/fish/completions/storelens.fish
function __storelens_in
  set -l words (commandline -opc)
  set -e words[1]
  for index in (seq (count $argv))
    test "$words[$index]" = "$argv[$index]"; or return 1
  end
end
function __storelens_next
  set -l words (commandline -opc)
  test (count $words) -eq (math (count $argv) + 1); and __storelens_in $argv
end
${lines.join('\n')}
`;
}
