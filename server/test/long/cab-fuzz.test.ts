import { it } from 'node:test';
import { fuzzCab } from '../crashes/cab-fuzz.js';

for (const seed of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) {
  it(`answers 20,000 mutated cabinets of seed ${seed} with a result or a CabError`, (context) => {
    const { outcomes, slowest } = fuzzCab(seed, 20_000);
    context.diagnostic(`${JSON.stringify(Object.fromEntries(outcomes))}, slowest ${slowest.toFixed(1)} ms`);
  });
}
