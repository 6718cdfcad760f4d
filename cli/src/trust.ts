/**
 * Trust in a private authority beside the usual ones. Node takes further authorities at the start of a process only
 * (NODE_EXTRA_CA_CERTS), and `fetch` none later; so the command line runs itself again in a process that has them. Once
 * Node 22.19 is the oldest that runs this, `tls.setDefaultCACertificates` does it without a second process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { RefusedError } from './command.js';
import type { Environment } from './environment.js';

/** Whether this process trusts the authority of a file. */
export function isTrusted(file: string, { variables }: Environment): boolean {
  return (
    variables.NODE_EXTRA_CA_CERTS !== undefined && resolve(variables.NODE_EXTRA_CA_CERTS) === resolve(file)
  );
}

/**
 * Runs a command line in a process that trusts the authority of a PEM file; its input and output are ours. Returns its
 * exit code. Throws RefusedError for a file that holds no certificate.
 */
export async function runTrusting(
  file: string,
  args: readonly string[],
  { variables }: Environment,
): Promise<number> {
  // Node would ignore a file that it cannot read, and only say so.
  try {
    const pem = await readFile(file);
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate in PEM form');
    createSecureContext({ ca: pem });
  } catch (error) {
    throw new RefusedError(`the authority in ${file} cannot be read: ${(error as Error).message}`);
  }
  const [script = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    stdio: 'inherit',
    env: { ...variables, NODE_EXTRA_CA_CERTS: resolve(file) },
  });
  // A terminal sends Ctrl-C to both: the child decides. Others send to this process alone.
  const left = () => {};
  const handed = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', left).on('SIGTERM', handed).on('SIGHUP', handed);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
  } finally {
    process.off('SIGINT', left).off('SIGTERM', handed).off('SIGHUP', handed);
  }
}
