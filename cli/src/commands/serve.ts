/**
 * `storelens serve`: the server itself, loaded by this command alone. Its options are the rows of the server's
 * settings table; the server prints the ready line and decides the exit code.
 */
import { type Context, UsageError } from '../command.js';

/** One line for the overview. */
export const serveSummary = 'Run the server';

/** Runs the server until it is told to stop; returns its exit code. */
export async function serve(args: readonly string[], context: Context): Promise<number> {
  const { parseSettings, SettingError } = await import('@storelens/server/settings');
  try {
    const settings = parseSettings(args, context.environment.variables);
    const { runServer } = await import('@storelens/server');
    return await runServer(settings);
  } catch (error) {
    if (error instanceof SettingError) throw new UsageError(error.message);
    throw error;
  }
}

/** Options of `serve`, for shells that complete them. */
export async function serveOptions() {
  const { settingsTable } = await import('@storelens/server/settings');
  return Object.entries(settingsTable).map(([name, setting]) => ({
    name,
    help: setting.help,
    takesValue: setting.type !== 'flag',
    choices: setting.type === 'choice' ? setting.choices : [],
  }));
}

/** Help text of `serve`, generated from the settings table. */
export async function serveHelp(): Promise<string> {
  const { settingsTable, environmentName } = await import('@storelens/server/settings');
  const rows = Object.entries(settingsTable).map(([name, setting]) => {
    const value =
      setting.type === 'flag'
        ? ''
        : setting.type === 'choice'
          ? ` ${setting.choices.join('|')}`
          : setting.type === 'integer'
            ? ' N'
            : ' TEXT';
    const shown = setting.default === null || setting.type === 'flag' ? '' : ` Default: ${setting.default}.`;
    return `  --${name}${value}\n      ${setting.help}${shown}\n`;
  });
  return `Run the server.

Usage: storelens serve [options]

Once it accepts requests it prints one line to standard output: \`storelens ready \` and a JSON
object with its url, its data folder and the file of its operator key; with --demo also the ids and the secret of
the demo. Everything else goes to standard error. SIGINT and SIGTERM let running requests end, then it exits 0.

Every option is also an environment variable: --log-level is ${environmentName('log-level')}. The option wins.

Options:
${rows.join('')}`;
}
