/**
 * The mark of a data folder: `storelens.json` says whether its rows are made up, and how far they reach. It keeps a
 * demo and real data apart, and lets a start that was interrupted go on where it stopped.
 */
import { chmod, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** A folder that this start must not use or cannot fill; the message is one line for the user. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
}

/** A span that is being filled: times are milliseconds in UTC. */
export interface Filling {
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
  /** Datasets that are filled already. */
  readonly done: readonly string[];
}

/** What `storelens.json` holds. */
export interface FolderMark {
  readonly demo: boolean;
  /** End of the last span that was filled completely, in milliseconds. */
  readonly filledTo?: number;
  /** A span that was begun. */
  readonly filling?: Filling;
}

const markFile = 'storelens.json';

/** Replaces a JSON file in one step, so that a crash leaves the old or the new one. */
export async function writeJson(file: string, value: unknown, mode: number): Promise<void> {
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', mode);
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(draft, mode);
  await rename(draft, file);
}

/** Reads a JSON file; undefined if there is none. */
export async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new FolderError(`${file} is no JSON; restore it or choose another folder with --data`);
  }
}

/** The mark of a folder; undefined if it has none. */
export async function readMark(folder: string): Promise<FolderMark | undefined> {
  const mark = await readJson(join(folder, markFile));
  if (mark === undefined) return undefined;
  if (typeof mark === 'object' && mark !== null && 'demo' in mark && typeof mark.demo === 'boolean') {
    return mark as FolderMark;
  }
  throw new FolderError(`${join(folder, markFile)} does not say whether the folder is a demo`);
}

/** Writes the mark of a folder. */
export async function writeMark(folder: string, mark: FolderMark): Promise<void> {
  await writeJson(join(folder, markFile), mark, 0o600);
}

/**
 * Creates a folder, readable by its owner only, and its parents. Node 20's own recursive mkdir never returns where
 * the system says ENOENT although the parent exists, as it does below /proc.
 */
async function createFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) await createFolder(parent);
  await mkdir(folder, { mode: 0o700 });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Makes sure that a folder may be used, before anything in it is opened: creates it if need be (readable by its owner
 * only) and marks it. A demo takes an empty folder or one of its own; everything else takes any but a demo's.
 * Throws FolderError.
 */
export async function claimFolder(folder: string, demo: boolean): Promise<void> {
  const shown = resolve(folder);
  try {
    await createFolder(shown);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new FolderError(`${shown} cannot be a data folder (${code}); choose another with --data`, {
      cause: error,
    });
  }
  const mark = await readMark(folder);
  if (mark !== undefined && mark.demo === demo) return;
  if (mark?.demo === true) {
    throw new FolderError(
      `${shown} holds demo data; start with --demo, or choose another folder with --data`,
    );
  }
  const empty = (await readdir(folder)).length === 0;
  if (demo && !empty) {
    throw new FolderError(
      `${shown} has data of its own, which --demo never touches; choose an empty folder with --data`,
    );
  }
  if (empty) await writeMark(folder, { demo });
}
