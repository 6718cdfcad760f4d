/** Commands in a pseudo-terminal, which python3 makes: Node cannot. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Place, storelens } from './transcript.js';

const helper = fileURLToPath(new URL('../../test/terminal.py', import.meta.url));
/** Why there is no terminal here; false if there is one. */
export const skip = spawnSync('python3', ['--version']).error === undefined ? false : 'no python3 here';

/** What a command in a terminal came to. */
export interface Screen {
  /** All that was written to the terminal. */
  readonly text: string;
  readonly code: number;
}

/** What the terminal is like, and who sits at it. */
export interface Look {
  readonly columns?: number;
  readonly variables?: Readonly<Record<string, string>>;
  /** What to type once a text stands there. */
  readonly steps?: readonly (readonly [seen: string, typed: string])[];
}

/** Runs a command in a terminal. */
export async function terminal(place: Place, args: readonly string[], look: Look = {}): Promise<Screen> {
  const { columns = 80, variables = {}, steps = [] } = look;
  const command = [process.execPath, storelens, ...args];
  const env = { ...place.environment, TERM: 'xterm', LANG: 'C.UTF-8', ...variables };
  return await new Promise((resolve) => {
    execFile(
      'python3',
      [helper, String(columns), JSON.stringify(steps), ...command],
      { cwd: place.folder, env, maxBuffer: 2 ** 26 },
      (error, text) => resolve({ text, code: error === null ? 0 : Number(error.code) }),
    );
  });
}

/** The lines of a screen without the codes that move and clear. */
export const lines = ({ text }: Screen) =>
  text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1).replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, ''));
