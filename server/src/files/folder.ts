/**
 * The store of files as a folder for its owner only: a key is a path below it. Files arrive by rename, so a key has
 * a whole file or none. Knows nothing of what the files hold.
 */
import { constants, createReadStream } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { newGuid, type Random, systemRandom } from '../system.js';
import type { FileKey, Files } from './index.js';

/** No part begins with a dot, so none leads out of the folder, and names of ours that do are nobody's key. */
const keyPattern = /^[A-Za-z0-9][A-Za-z0-9.-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9.-]{0,127}){0,7}$/;
const folderMode = 0o700;
const fileMode = 0o600;
/** How often a folder may vanish under a file that is being put into it. */
const attempts = 100;

/** Opens the store in a folder, which is made if missing. */
export async function openFolder(root: string, random: Random = systemRandom): Promise<Files> {
  const folder = resolve(root);
  await makeFolder(folder);
  const syncs = new FolderSyncs();

  /** Path of a key. Keys are made by us: one of another form is a mistake of ours. */
  const pathOf = (key: FileKey): string => {
    if (!keyPattern.test(key)) throw new TypeError(`'${key.slice(0, 200)}' is no key of a file`);
    return join(folder, ...key.split('/'));
  };

  /** Makes the folders above a path durable, from the outermost that was missing. */
  const makeParents = async (path: string): Promise<void> => {
    const parent = dirname(path);
    const outermost = await makeFolder(parent);
    if (outermost === undefined) return;
    for (let made = parent; made.length >= outermost.length; made = dirname(made)) {
      await syncs.sync(dirname(made));
    }
  };

  /** Moves a file to a target, over the border of a file system if need be; false if a folder vanished meanwhile. */
  const move = async (path: string, target: string): Promise<boolean> => {
    try {
      // Nearly always the folder is there.
      await rename(path, target);
      return true;
    } catch (error) {
      if (!isCode(error, 'ENOENT', 'EXDEV')) throw error;
    }
    await makeParents(target);
    try {
      await rename(path, target);
      return true;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return false;
      if (!isCode(error, 'EXDEV')) throw error;
    }
    const half = join(dirname(target), `.${newGuid(random)}`);
    try {
      await copyFile(path, half, constants.COPYFILE_EXCL);
      await makeDurable(half);
      await rename(half, target);
    } catch (error) {
      await rm(half, { force: true });
      if (isCode(error, 'ENOENT')) return false;
      throw error;
    }
    await rm(path);
    return true;
  };

  /** Removes the folders above a path that hold nothing any more; the store's own stays. */
  const removeEmptyParents = async (path: string): Promise<void> => {
    for (let parent = dirname(path); parent.startsWith(`${folder}${sep}`); parent = dirname(parent)) {
      try {
        await rmdir(parent);
      } catch (error) {
        // Another file came or another call was faster; macOS says EEXIST or ENOTEMPTY.
        if (isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
        throw error;
      }
    }
  };

  return {
    async take(path, key, durable = false) {
      const target = pathOf(key);
      for (let attempt = 1; ; attempt += 1) {
        // A file that does not move is looked at more closely.
        const there = (durable && attempt === 1) || (await makeDurable(path));
        if (there && (await move(path, target))) break;
        if (!there) {
          if (await isFile(target)) return;
          throw new Error(`there is no file ${path} to be stored as ${key}`);
        }
        if (attempt === attempts) throw new Error(`the folder of ${key} does not stay`);
      }
      await syncs.sync(dirname(target));
    },
    async size(key) {
      try {
        const found = await stat(pathOf(key));
        return found.isFile() ? found.size : undefined;
      } catch (error) {
        return absent(error);
      }
    },
    async localPath(key) {
      const path = pathOf(key);
      return (await isFile(path)) ? path : undefined;
    },
    async open(key, range) {
      let handle: FileHandle;
      try {
        handle = await open(pathOf(key), 'r');
      } catch (error) {
        return absent(error);
      }
      try {
        const found = await handle.stat();
        if (found.isFile()) {
          // The stream closes the handle when it ends or is destroyed.
          return { size: found.size, stream: createReadStream('', { fd: handle, ...range }) };
        }
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
      return undefined;
    },
    async remove(key) {
      const path = pathOf(key);
      await rm(path, { force: true });
      await removeEmptyParents(path);
    },
    async list(below) {
      try {
        const entries = await readdir(pathOf(below), { withFileTypes: true });
        return entries
          .filter(({ name }) => !name.startsWith('.'))
          .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
          .sort();
      } catch (error) {
        if (isCode(error, 'ENOENT', 'ENOTDIR')) return [];
        throw error;
      }
    },
    async ping() {
      const probe = join(folder, `.probe-${newGuid(random)}`);
      const handle = await open(probe, 'wx', fileMode);
      try {
        await handle.writeFile('ready?');
      } finally {
        await handle.close();
        await rm(probe, { force: true });
      }
    },
  };
}

/** Makes a folder and those above it, for their owner only; the outermost one made, undefined if all were there. */
function makeFolder(folder: string): Promise<string | undefined> {
  return mkdir(folder, { recursive: true, mode: folderMode });
}

/** Makes a file's content durable and the file its owner's only; false if there is none. */
async function makeDurable(path: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r+');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o777) !== fileMode) await handle.chmod(fileMode);
    await handle.sync();
    return true;
  } finally {
    await handle.close();
  }
}

/** Makes the names in folders durable. Calls for a folder that come while one runs share the next. */
class FolderSyncs {
  private readonly running = new Map<string, { readonly done: Promise<void>; next?: Promise<void> }>();

  sync(folder: string): Promise<void> {
    const current = this.running.get(folder);
    if (current === undefined) return this.start(folder);
    current.next ??= current.done.then(
      () => this.start(folder),
      () => this.start(folder),
    );
    return current.next;
  }

  private start(folder: string): Promise<void> {
    const entry: { readonly done: Promise<void>; next?: Promise<void> } = { done: syncFolder(folder) };
    this.running.set(folder, entry);
    const end = () => {
      if (this.running.get(folder) === entry && entry.next === undefined) this.running.delete(folder);
    };
    entry.done.then(end, end);
    return entry.done;
  }
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // Removed since, with all that was in it.
    return absent(error);
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    absent(error);
    return false;
  }
}

/** Undefined for an error that says there is nothing; throws others. */
function absent(error: unknown): undefined {
  if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
  throw error;
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(String((error as NodeJS.ErrnoException | null)?.code));
}
