/**
 * Profiles: accounts that `login` has stored by name, in a file that only its owner can read. What a command needs is
 * looked for in its options, then in the environment, then in the profile.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { RefusedError } from './command.js';
import type { Environment } from './environment.js';

/** An account and where it is. */
export interface Profile {
  /** Origin of the server; undefined: Microsoft's. */
  readonly url?: string | undefined;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM file of a private authority that vouches for the server: an absolute path. */
  readonly ca?: string | undefined;
}

/** Where profiles are stored: `storelens/profiles.json` in the user's folder for settings. */
export function profilesFile({ variables }: Environment): string {
  const home = variables.HOME || variables.USERPROFILE || '.';
  return join(variables.XDG_CONFIG_HOME || join(home, '.config'), 'storelens', 'profiles.json');
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== 'object' || value === null) return false;
  const { url, tenantId, clientId, clientSecret, ca } = value as Record<string, unknown>;
  const texts = [tenantId, clientId, clientSecret].every((text) => typeof text === 'string' && text !== '');
  return texts && [url, ca].every((text) => text === undefined || typeof text === 'string');
}

/** All stored profiles by name. Throws RefusedError if the file cannot be read. */
export async function readProfiles(environment: Environment): Promise<Readonly<Record<string, Profile>>> {
  const file = profilesFile(environment);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new RefusedError(`the profiles cannot be read: ${(error as Error).message}`);
  }
  // Windows keeps files of a user's folder from others by other means.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw new RefusedError(
      `${file} can be read by others, and holds secrets; say \`chmod 600 ${file}\`, and renew them`,
    );
  }
  const profiles = profilesIn(text);
  if (profiles === undefined) {
    throw new RefusedError(`${file} is no list of profiles; move it away and log in again`);
  }
  return profiles;
}

function profilesIn(text: string): Readonly<Record<string, Profile>> | undefined {
  try {
    const { profiles } = JSON.parse(text) as { readonly profiles?: unknown };
    if (typeof profiles !== 'object' || profiles === null) return undefined;
    const entries = Object.entries(profiles);
    return entries.every(([, profile]) => isProfile(profile)) ? Object.fromEntries(entries) : undefined;
  } catch {
    return undefined;
  }
}

/** Stores a profile, in place of one with the same name, and returns the file. */
export async function storeProfile(
  environment: Environment,
  name: string,
  profile: Profile,
): Promise<string> {
  const named = profilesFile(environment);
  await mkdir(dirname(named), { recursive: true, mode: 0o700 });
  await chmod(dirname(named), 0o700);
  // The file may be a link into a folder that somebody keeps such files in.
  const file = await realpath(named).catch(() => named);
  return await alone(`${file}.lock`, async () => {
    const profiles = { ...(await readProfiles(environment)), [name]: profile };
    // Complete or not at all, and never readable for others.
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    await writeFile(draft, `${JSON.stringify({ profiles }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
    return named;
  });
}

/** Milliseconds between two looks at a lock, and how long it may be there. */
const lockPause = 20;
const lockPatience = 5000;

/** Does something while no other process does: another login would store a list without this one's profile. */
async function alone<Result>(lock: string, work: () => Promise<Result>): Promise<Result> {
  for (let waited = 0; ; waited += lockPause) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (waited >= lockPatience)
        throw new RefusedError(`another login seems to store a profile; if none does, delete ${lock}`);
      await pass(lockPause);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
