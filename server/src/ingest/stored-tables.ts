/** What commits are stored in, by the ledger's name of the dataset: datasets, and the mirrors of reports. */
import { type DatasetEntry, datasets, mirrorCrashes, mirrorTables } from '@storelens/contract';

/** What keeping a table in order asks for. */
export interface StoredTable extends Pick<DatasetEntry, 'name' | 'replaces' | 'supersedable'> {
  /** The rows of a commit take the place of all of earlier ones that have the same values in `replaces`. */
  readonly whole?: true;
}

const mirrored = Object.values(mirrorTables).map(
  ({ name }): StoredTable => ({ name, replaces: ['scope', 'date'], whole: true }),
);

const crashes: StoredTable = {
  name: mirrorCrashes.name,
  replaces: ['programme', 'scope', 'kind', 'name'],
  whole: true,
};

/** All tables that hold rows of commits, by name. */
export const storedTables: ReadonlyMap<string, StoredTable> = new Map(
  [...Object.values(datasets), ...mirrored, crashes].map((table) => [table.name, table]),
);
