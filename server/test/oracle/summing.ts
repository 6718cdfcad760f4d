/**
 * Sums and counts stored rows all the time, also those that snapshots below are still promised for: some requests then
 * read at a snapshot above them, some below.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Rollups } from '../../src/ledger/rollups.js';
import { createSums } from '../../src/sums/index.js';
import type { TestServer } from '../harness.js';
import { now } from './generate-data.js';

/** Goes on until `end` is called; `steps` says how often marks were moved. */
export function keepSumming({ app: { parts } }: TestServer) {
  const { rollups } = parts;
  let sums = 0;
  let counts = 0;
  const counting: Pick<Rollups, 'of' | 'begin' | 'goOn' | 'finish'> = {
    of: (...asked) => rollups.of(...asked),
    begin: (...asked) => rollups.begin(...asked),
    goOn: (...asked) => rollups.goOn(...asked),
    async finish(...asked) {
      await rollups.finish(...asked);
      const [, mark] = asked;
      if (mark === 'failures') sums += 1;
      else counts += 1;
    },
  };
  const rollup = createSums({
    ...{ engine: parts.engine, ledger: parts.ledger, rollups: counting },
    ...{ leastRows: 1, leastPart: 0, embedded: true, grace: 0, rowsAtOnce: 50, piecesAtOnce: 100 },
  });
  let ended = false;
  const running = (async () => {
    while (!ended) {
      await rollup.run(now + 3_600_000);
      await delay(20);
    }
  })();
  // Told by `end`.
  running.catch(() => undefined);
  return {
    get steps() {
      return { sums, counts };
    },
    async end() {
      ended = true;
      await running;
    },
  };
}
