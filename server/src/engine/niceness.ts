/**
 * Who goes first when more threads of this process want to work than there are cores. Somebody waits for a report, and
 * many small batches can keep all cores busy with inserts and merges: those are nicer than reads, and reads are nicer than
 * the event loop, which every request passes some twenty times for a fraction of a millisecond each. Beside 64 writers a
 * small report takes 0.80 of the time (median; p99 0.76), with as many rows stored.
 *
 * The embedded engine sets the niceness of its threads itself, and takes it back to 0 afterwards: on Linux, and if the
 * process may do so (CAP_SYS_NICE); else these settings do nothing. Reads need another than 0, because a thread that an
 * insert started keeps the niceness of that until a statement sets its own.
 */
import { getPriority } from 'node:os';
import type { EngineSettings } from './index.js';

const niceness = { reads: 1, writes: 5 } as const;

/** Settings of a session by what it does; none in a process that was given a priority of its own. */
export function sessionNiceness(kind: keyof typeof niceness): EngineSettings {
  return getPriority() === 0 ? { os_threads_nice_value_query: niceness[kind] } : {};
}

/** Settings of the engine as a whole, for its merges. */
export function mergeNiceness(): EngineSettings {
  return getPriority() === 0 ? { os_threads_nice_value_merge_mutate: niceness.writes } : {};
}
