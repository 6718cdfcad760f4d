/**
 * npm run bench [-- --quick] [--only part,...] [--rows N] [--large N] [--rounds N] [--write]
 *
 * Measures part after part, prints a line for each figure and, when all parts ran in full, writes docs/benchmarks.md.
 * A wrong answer ends it with exit code 1; a missed goal does not.
 */
import { parseArgs } from 'node:util';
import { takePlace } from './folder.mjs';
import { clients } from './goals/clients.mjs';
import { crashes } from './goals/crashes.mjs';
import { databases } from './goals/databases.mjs';
import { failures } from './goals/failures.mjs';
import { ingestion } from './goals/ingestion.mjs';
import { pages } from './goals/pages.mjs';
import { scale } from './goals/scale.mjs';
import { writing } from './goals/writers.mjs';
import { besides } from './processors.mjs';
import { environment, keep, line, summary, writePage } from './report.mjs';
import { takePeak } from './server.mjs';

const parts = {
  pages,
  dense: async (run) => (run.quick ? [] : await pages({ ...run, shape: 'dense' })),
  databases,
  clients,
  ingestion,
  writing,
  failures,
  scale,
  crashes,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rows: { type: 'string' },
    large: { type: 'string' },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const { quick } = values;
const rows = Number(values.rows ?? (quick ? 1_000_000 : 10_000_000));
const large = Number(values.large ?? (quick ? rows : 10 * rows));
const run = { rows, large, quick, rounds: Number(values.rounds ?? (quick ? 3 : 10)) };
const wanted = values.only?.split(',') ?? Object.keys(parts);
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0)
  throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);

takePlace();
const began = performance.now();
const minutes = () => `${((performance.now() - began) / 60_000).toFixed(1)} min`;
for (const [name, value] of Object.entries(await environment())) console.log(`${name}: ${value}`);

let kept = [];
const told = async (figures, others) => {
  const summaries = figures.map((figure) => summary(figure, others));
  for (const figure of summaries) console.log(line(figure));
  // A quick run has other sizes and few rounds: nothing to write home about.
  if (!quick) kept = await keep(summaries);
};
for (const name of wanted) {
  console.log(`${name} (${minutes()})`);
  const { result, others } = await besides(() => parts[name](run));
  await told(result, others);
  if (others > 0.2) console.log(`    other programs kept ${others.toFixed(1)} processors busy meanwhile`);
}
if (values.only === undefined) {
  await told([{ id: 'peak', rows: large, value: takePeak() / 1e6, times: {} }], 0);
}
if (!quick && (values.only === undefined || values.write)) await writePage(kept);
console.log(`done in ${minutes()}`);
