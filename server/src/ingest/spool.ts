/**
 * The spool: files of batches on their way to the engine. `<id>.rows` is a decoded body, or the rows of a group;
 * `<id>.complete` are the completed rows of a body if its dataset asks for that; `<id>.json` beside them is the
 * statement that stores them, written once the batch has its commit number. All are written before the engine is
 * called, so that a process that starts can repeat the very same insert. `<name>.file` are files on their way to the
 * store of files.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, rmSync, writevSync } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { OpenCommit } from '../ledger/index.js';
import { guidsOf, type Random } from '../system.js';
import type { Statement } from './statement.js';

/** A file in the spool that joins the store of files when the rows of its commit are stored. */
export interface StagedFile {
  /** Its name in the spool. */
  readonly name: string;
  readonly key: string;
}

/** Rows, by `cabIdHash`, that those of a commit take the place of. */
export interface Supersedes {
  readonly seq: number;
  readonly cabIdHashes: readonly string[];
}

/** First and last day of the rows of a commit, `YYYY-MM-DD`. */
export type Days = readonly [first: string, last: string];

/** One insert that can be repeated at any time: of a large batch, or of a group of batches. */
export interface Staged {
  readonly id: string;
  /** Of one account and dataset, under numbers in a row. */
  readonly commits: readonly [OpenCommit, ...OpenCommit[]];
  /** Deduplication token of the insert. */
  readonly token: string;
  readonly statement: Statement;
  /** Which of its files the statement reads. */
  readonly reads: SpoolFile;
  /** Whether it is a group, which are settled one at a time per account and dataset. */
  readonly group: boolean;
  readonly files: readonly StagedFile[];
  readonly supersedes: readonly Supersedes[];
  /** Days of each commit, if they are known before its rows are stored. */
  readonly days?: readonly Days[];
  /**
   * SHA-256 of the file that it reads, hex, if nobody waits for the disk: a start repeats it only if the file is so. It
   * is acknowledged when the engine has flushed its rows; until then a lost file is a batch that was never
   * acknowledged, and a torn one is known by its hash.
   */
  readonly rowsHash?: string;
}

/** Kinds of files with rows, by the ending of their names. */
export type SpoolFile = 'rows' | 'complete';

const kinds: readonly SpoolFile[] = ['rows', 'complete'];

/** The folder of the spool. Errors of the file system pass through. */
export class Spool {
  private constructor(
    readonly folder: string,
    /** Makes ids: of a batch's files, or of a batch. */
    readonly newId: () => string,
  ) {}

  /** Opens, and creates if need be, the folder. */
  static async open(folder: string, random: Random): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Spool(folder, guidsOf(random));
  }

  /** Path of a batch's body, or of its completed rows. */
  rowsFile(id: string, kind: SpoolFile = 'rows'): string {
    return join(this.folder, `${id}.${kind}`);
  }

  /** Path of a new file that is to join the store of files. */
  newFile(): string {
    return join(this.folder, `${this.newId()}.file`);
  }

  /** Name of a file that `newFile` gave out. */
  nameOf(path: string): string {
    if (dirname(path) !== this.folder) throw new TypeError(`${path} is no file of the spool`);
    return basename(path);
  }

  /** Path of a file by its name. */
  pathOf(name: string): string {
    return join(this.folder, name);
  }

  /** Whether a file is there. */
  async has(name: string): Promise<boolean> {
    try {
      await access(this.pathOf(name));
      return true;
    } catch {
      return false;
    }
  }

  /** Removes files that join nothing; nothing happens if they are gone. */
  async drop(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(this.pathOf(name), { force: true });
  }

  /** Writes rows into a file of their own, without waiting for the disk. */
  async write(id: string, rows: readonly Uint8Array[]): Promise<void> {
    await writeNew(this.rowsFile(id), rows, false);
  }

  /** Writes the statement of a batch whose rows are there. Without `rowsHash` it returns when it survives a loss of power. */
  async stage(staged: Staged): Promise<void> {
    if (staged.rowsHash !== undefined) {
      writeCached(this.#statementFile(staged.id), [Buffer.from(JSON.stringify(staged))]);
      return;
    }
    await writeNew(this.#statementFile(staged.id), [Buffer.from(JSON.stringify(staged))], true);
    await this.#syncFolder();
  }

  /**
   * Writes rows and statement of a group. Both survive the end of the process; only a group with files, or with rows
   * that take the place of others, waits until they survive a loss of power. That saves the others three flushes, 30 of
   * 180 ms with 64 senders and a busy disk.
   */
  async putGroup(staged: Staged, text: readonly (string | Uint8Array)[]): Promise<void> {
    const rows = text.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
    if (staged.files.length > 0 || staged.supersedes.length > 0) {
      await writeNew(this.rowsFile(staged.id), rows, true);
      await this.stage(staged);
      return;
    }
    const hashed: Staged = { ...staged, rowsHash: hashOf(rows) };
    writeCached(this.rowsFile(staged.id), rows);
    await this.stage(hashed);
  }

  /** Removes a batch's files; nothing happens if there are none. */
  async remove(id: string): Promise<void> {
    // The statement goes first: a body alone is swept at the next start.
    await rm(this.#statementFile(id), { force: true });
    await Promise.all(kinds.map((kind) => rm(this.rowsFile(id, kind), { force: true })));
  }

  /** Removes the files of a group, which are few megabytes, at once: to be asked for like their writing. */
  removeGroup(id: string): void {
    for (const file of [this.#statementFile(id), this.rowsFile(id)]) rmSync(file, { force: true });
  }

  /** Batches that are staged completely, for a start; whatever else lies in the folder is removed. */
  async recover(): Promise<readonly Staged[]> {
    const names = new Set(await readdir(this.folder));
    const staged: Staged[] = [];
    for (const name of names) {
      if (!name.endsWith('.json')) continue;
      const found = await readStaged(join(this.folder, name));
      if (found === undefined || `${found.id}.json` !== name || !names.has(`${found.id}.${found.reads}`))
        continue;
      // Its batches were not acknowledged; the ledger has them open, and they are given up.
      if (found.rowsHash !== undefined && (await this.#hashOfRows(found)) !== found.rowsHash) continue;
      staged.push(found);
      names.delete(name);
      for (const kind of kinds) names.delete(`${found.id}.${kind}`);
      for (const file of found.files) names.delete(file.name);
    }
    for (const name of names) await rm(join(this.folder, name), { force: true, recursive: true });
    return staged;
  }

  async #hashOfRows({ id, reads }: Staged): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(this.rowsFile(id, reads))) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #statementFile(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * Writes a new file of few megabytes into the cache of the file system, which takes less than a millisecond: asked for in
 * the threads that queries of the engine run in, it took 22 of the 75 ms of a group.
 */
function writeCached(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    // Fewer when the disk is full.
    const written = writevSync(file, parts);
    if (written !== bytes) throw new Error(`${path}: ${written} of ${bytes} bytes were written`);
  } finally {
    closeSync(file);
  }
}

/** Writes a file that is not there yet; `flushed`: and waits until its bytes are on disk. */
async function writeNew(path: string, parts: readonly Uint8Array[], flushed: boolean): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(Buffer.concat(parts));
    if (flushed) await file.datasync();
  } finally {
    await file.close();
  }
}

/** Reads a statement; undefined if it was not written to its end, which its last brace tells. */
async function readStaged(path: string): Promise<Staged | undefined> {
  try {
    const staged = JSON.parse(await readFile(path, 'utf8')) as Partial<Staged>;
    // One in the form of an earlier version: its sender was not told that it is stored, and repeats it.
    return staged.commits === undefined ? undefined : (staged as Staged);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
