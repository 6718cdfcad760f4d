/**
 * The command line as a process whose time the parent makes: it begins at the first argument (milliseconds since 1970),
 * and every wait is told to the parent, which says when it is over. Patience with a silent server ends when it says so.
 */
import { readEnvironment } from '../src/environment.js';
import { run } from '../src/main.js';

/** What the parent is told: a wait began. It answers `{over: id}`, or `{expire: true}` to end all patience. */
export interface Waiting {
  readonly id: number;
  readonly milliseconds: number;
}

/** How long clients wait for a silent server if nothing else is said. */
const patience = 120_000;

const [begin = '', ...args] = process.argv.slice(2);
const began = Date.now();
let passed = Number(begin) - began;
let count = 0;
const waiting = new Map<number, () => void>();
const patient = new Set<() => void>();

process.on('message', ({ over, expire }: { readonly over?: number; readonly expire?: boolean }) => {
  if (over !== undefined) waiting.get(over)?.();
  if (expire === true) for (const end of patient) end();
});

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const id = ++count;
    const end = () => {
      waiting.delete(id);
      patient.delete(end);
      signal.removeEventListener('abort', leave);
      passed += milliseconds;
      resolve();
    };
    const leave = () => {
      waiting.delete(id);
      patient.delete(end);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    if (milliseconds === patience) {
      patient.add(end);
      return;
    }
    waiting.set(id, end);
    process.send?.({ id, milliseconds } satisfies Waiting);
  });
}

process.exitCode = await run(args, {
  environment: readEnvironment(process.env),
  out: process.stdout,
  err: process.stderr,
  in: process.stdin,
  now: () => Date.now() + passed,
  wait,
});
process.disconnect();
