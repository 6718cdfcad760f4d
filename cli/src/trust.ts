/**
 * Trust in a private authority beside the usual ones. Node takes further authorities at the start of a process only
 * (NODE_EXTRA_CA_CERTS), and `fetch` none later; so the command line runs itself again in a process that has them. Once
 * Node 22.19 is the oldest that runs this, `tls.setDefaultCACertificates` does it without a second process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { RefusedError } from './command.js';
import type { Environment } from './environment.js';

/** Tells the second process what it was started to trust; Node itself reads one file alone. */
const marker = 'STORELENS_TRUSTED';

const listed = (files: readonly string[]) => files.map((file) => resolve(file)).join(delimiter);

/** Whether this process trusts the authorities of some files. */
export function areTrusted(files: readonly string[], { variables }: Environment): boolean {
  if (files.length === 0) return true;
  return variables[marker] === listed(files);
}

/** The certificates of a PEM file. Throws RefusedError for one that holds none. */
async function certificatesIn(file: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8');
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate in PEM form');
    createSecureContext({ ca: pem });
    return pem;
  } catch (error) {
    throw new RefusedError(
      `the authority in ${file} cannot be read: ${(error as Error).message}; --ca names another file`,
    );
  }
}

/**
 * Runs a command line in a process that trusts the authorities of PEM files, beside the one that Node was told of before;
 * its input and output are ours. Returns its exit code. Throws RefusedError for a file that holds no certificate.
 */
export async function runTrusting(
  files: readonly string[],
  args: readonly string[],
  environment: Environment,
): Promise<number> {
  // Node would ignore a file that it cannot read, and only say so.
  const pems = await Promise.all(files.map(certificatesIn));
  const before = environment.variables.NODE_EXTRA_CA_CERTS;
  const also = before === undefined ? '' : await readFile(before, 'utf8').catch(() => '');
  if (files.length === 1 && also === '') return await runWith(files[0] ?? '', files, args, environment);
  const folder = await mkdtemp(join(tmpdir(), 'storelens-ca-'));
  try {
    const file = join(folder, 'authorities.pem');
    await writeFile(file, [also, ...pems].join('\n'), { mode: 0o600 });
    return await runWith(file, files, args, environment);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runWith(
  file: string,
  files: readonly string[],
  args: readonly string[],
  { variables }: Environment,
): Promise<number> {
  const [script = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    stdio: 'inherit',
    env: { ...variables, NODE_EXTRA_CA_CERTS: resolve(file), [marker]: listed(files) },
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
