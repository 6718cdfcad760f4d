/**
 * The crash samples of the tests (genuine files and hostile ones), and what outside readers say of them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The bytes of a file of `server/test/crash-samples`. */
export function sample(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../test/crash-samples/${name}`, import.meta.url)));
}

/** SHA-256 of bytes in lower-case hexadecimal. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `false` when a program is there, else the reason to skip the tests that need it. */
export function missing(program: string): string | false {
  const found = spawnSync(program, ['--version']).status === 0;
  return found ? false : `${program} is not installed (apt-get install ${program})`;
}
