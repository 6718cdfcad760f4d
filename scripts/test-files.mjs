/** Finds compiled test files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders with compiled files. */
export const compiled = ['contract/dist', 'client/dist', 'server/dist', 'cli/dist'];

/** Test files below a folder, as sorted paths relative to the root. */
export function testsBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((path) => join(folder, String(path)))
    .filter((path) => /\.test\.m?js$/.test(path) && !path.includes('node_modules'))
    .sort();
}
