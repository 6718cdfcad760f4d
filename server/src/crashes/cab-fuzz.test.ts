import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fuzzCab } from '../../test/crashes/cab-fuzz.js';

it('answers 20,000 mutated cabinets with a result or a CabError', (context) => {
  const { outcomes, slowest } = fuzzCab(1, 20_000);
  context.diagnostic(`${JSON.stringify(Object.fromEntries(outcomes))}, slowest ${slowest.toFixed(1)} ms`);
  // The mutations reach every stage, else the run proves little.
  for (const stage of [
    'opened',
    'truncated',
    'ambiguous',
    'block-size',
    'checksum',
    'data',
    'name-invalid',
  ]) {
    assert.ok((outcomes.get(stage) ?? 0) > 0, `no input came to '${stage}'`);
  }
});
