/**
 * The processes of a run. None outlives it, however it ends: each is named here when it starts and, unless it has
 * ended by then, killed by its id when this process exits. A part of the benchmark gives back what it took through
 * `cleanly`, also when it fails.
 */
import { rmSync } from 'node:fs';

const running = new Map();

/** Ends a process with this one; `signal` is what makes it go at once. */
export function endWith({ pid }, signal = 'SIGTERM') {
  running.set(pid, signal);
}

/** The process has ended by itself: its id may be somebody else's from now on. */
export function hasEnded({ pid }) {
  running.delete(pid);
}

const passing = new Set();

/** Removes a folder or file when this process exits, unless that was done before. */
export function removeWith(path) {
  passing.add(path);
}

process.once('exit', () => {
  for (const [pid, signal] of running) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended a moment ago.
    }
  }
  for (const path of passing) rmSync(path, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** Calls `run` with a function that takes what has to be undone; that is done when `run` ends, last one first. */
export async function cleanly(run) {
  const undo = [];
  try {
    return await run((step) => undo.push(step));
  } finally {
    for (const step of undo.reverse()) await step();
  }
}
