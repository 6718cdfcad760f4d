/**
 * Process entry of the server: starts it, prints the ready line to standard output, ends it on SIGINT and SIGTERM.
 * The command line parses the settings and calls this for `serve`.
 */
import type { Settings } from './config.js';

/** Runs the server until it is told to stop; returns the exit code of the process. */
export async function runServer(settings: Settings): Promise<number> {
  throw new TypeError(`the server is not wired yet (port ${settings.port})`);
}
