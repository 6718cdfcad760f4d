/**
 * The spool: files of batches on their way to the engine. `<id>.rows` is a decoded body, `<id>.complete` its completed
 * rows if its dataset asks for that; `<id>.json` beside them is the statement that stores them, written once the batch
 * has its commit number. All are on disk before the engine is called, so that a process that starts can repeat the
 * very same insert.
 */
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenCommit } from '../ledger/index.js';
import { newGuid, type Random } from '../system.js';
import type { Statement } from './statement.js';

/** A batch that can be stored again at any time. */
export interface Staged {
  readonly id: string;
  readonly commit: OpenCommit;
  readonly statement: Statement;
  /** Which of its files the statement reads. */
  readonly reads: SpoolFile;
}

/** Kinds of files with rows, by the ending of their names. */
export type SpoolFile = 'rows' | 'complete';

const kinds: readonly SpoolFile[] = ['rows', 'complete'];

/** The folder of the spool. Errors of the file system pass through. */
export class Spool {
  private constructor(
    readonly folder: string,
    readonly random: Random,
  ) {}

  /** Opens, and creates if need be, the folder. */
  static async open(folder: string, random: Random): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Spool(folder, random);
  }

  /** A new id for a batch's files. */
  newId(): string {
    return newGuid(this.random);
  }

  /** Path of a batch's body, or of its completed rows. */
  rowsFile(id: string, kind: SpoolFile = 'rows'): string {
    return join(this.folder, `${id}.${kind}`);
  }

  /** Writes the statement of a batch whose body is there; returns when both survive a loss of power. */
  async stage(staged: Staged): Promise<void> {
    const file = await open(this.#statementFile(staged.id), 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(staged));
      await file.datasync();
    } finally {
      await file.close();
    }
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Removes a batch's files; nothing happens if there are none. */
  async remove(id: string): Promise<void> {
    // The statement goes first: a body alone is swept at the next start.
    await rm(this.#statementFile(id), { force: true });
    for (const kind of kinds) await rm(this.rowsFile(id, kind), { force: true });
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
      staged.push(found);
      names.delete(name);
      for (const kind of kinds) names.delete(`${found.id}.${kind}`);
    }
    for (const name of names) await rm(join(this.folder, name), { force: true, recursive: true });
    return staged;
  }

  #statementFile(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

/** Reads a statement; undefined if it was not written to its end, which its last brace tells. */
async function readStaged(path: string): Promise<Staged | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Staged;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
