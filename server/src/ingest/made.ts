/**
 * Batches of rows that other parts of the server made, with files or without. They are stored in groups; their rows
 * were checked already and carry their numbers as a key of their own.
 */
import { busy } from './answers.js';
import { type GroupBatch, type GroupParts, type GroupRows, Groups, type Numbered } from './group.js';
import type { MadeBatch, StoredBatch } from './index.js';
import { madeStatementOf } from './statement.js';
import { Turns } from './turns.js';

/** Most batches that wait, and most of a group. */
const maxWaiting = 1000;
const mostBatches = 256;

/** What made batches work with. */
export interface MadeParts extends GroupParts {
  /** Most inserts that are kept for repetition. */
  readonly maxKept: number;
}

interface MadeRows extends GroupBatch {
  /** Its rows as JSON without the first brace, so that the number can be put there. */
  readonly texts: readonly string[];
}

/** Stores made batches. */
export class MadeBatches {
  readonly #groups: Groups<MadeRows>;
  #count = 0;

  constructor(readonly parts: MadeParts) {
    this.#groups = new Groups(parts, compose, mostBatches);
  }

  /** Stores a batch. Its files are this object's from the call on, whatever becomes of it. */
  async store(batch: MadeBatch): Promise<StoredBatch> {
    const { spool, kept, maxKept } = this.parts;
    const files = batch.files.map(({ path, key }) => ({ name: spool.nameOf(path), key }));
    const names = files.map(({ name }) => name);
    if (this.#count >= maxWaiting || kept.size >= maxKept) {
      await spool.drop(names);
      throw busy(`${this.#count + kept.size} batches wait to be stored.`);
    }
    this.#count += 1;
    try {
      const texts = await textsOf(batch.rows);
      const bytes = texts.reduce((sum, { length }) => sum + length, 0);
      const { supersedes = [] } = batch;
      const rows = texts.length;
      const { seq, outcome } = await this.#groups.store({
        ...batch,
        rows,
        texts,
        bytes,
        form: '',
        files,
        supersedes,
      });
      return { seq, duplicate: outcome !== 'new' };
    } finally {
      this.#count -= 1;
      // A kept insert needs its files, and one that is done has taken them.
      if (!kept.all().some((staged) => staged.files.some(({ name }) => names.includes(name)))) {
        await spool.drop(names);
      }
    }
  }
}

function compose(group: readonly [Numbered<MadeRows>, ...Numbered<MadeRows>[]]): GroupRows {
  const [{ batch }] = group;
  const text = group.map(({ batch: { texts }, seq }) =>
    texts.map((row) => `{"seq":${seq}${row === '}' ? '' : ','}${row}\n`).join(''),
  );
  return { statement: madeStatementOf(batch.dataset, batch.accountId), text };
}

/** Rows as JSON without their first brace. */
async function textsOf(rows: MadeBatch['rows']): Promise<readonly string[]> {
  if (rows.length === 0) throw new TypeError('a batch has rows');
  const turns = new Turns();
  const texts: string[] = [];
  for (const row of rows) {
    texts.push(JSON.stringify(row).slice(1));
    await turns.give();
  }
  return texts;
}
