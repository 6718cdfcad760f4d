#!/usr/bin/env node
/** Starts the compiled command line; a fresh checkout is told how to compile it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  const { runProcess } = await import(main.href);
  await runProcess();
} else {
  console.error('storelens is not built yet; run `npm run build` in the repository first');
  process.exitCode = 1;
}
