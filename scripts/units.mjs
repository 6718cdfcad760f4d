/**
 * The tests beside the source, of all packages in one process: a process for each of a hundred small files costs more
 * than most of them. Every file is a suite, so its hooks are its own.
 */
import { join } from 'node:path';
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { compiled, root, testsBelow } from './test-files.mjs';

for (const path of compiled.flatMap((folder) => testsBelow(join(folder, 'src')))) {
  await describe(path, async () => {
    await import(pathToFileURL(join(root, path)).href);
  });
}
