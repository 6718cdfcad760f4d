/** Statistics of interleaved runs. Only ratios of medians taken side by side mean anything on a shared machine. */

/** The value below which a share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The middle number, or the mean of the two in the middle. */
export function median(numbers) {
  const sorted = [...numbers].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs each contender once a round, after rounds that do not count (numbered below 0), and returns milliseconds by
 * name. A contender is a function that returns its milliseconds, or nothing to have the whole call timed. Who comes
 * first changes from round to round, so that nobody always finds the machine as the same neighbour left it.
 */
export async function interleave(contenders, rounds, warmUp = 1) {
  const entries = Object.entries(contenders);
  const times = Object.fromEntries(entries.map(([name]) => [name, []]));
  for (let round = -warmUp; round < rounds; round += 1) {
    const shift = Math.abs(round) % entries.length;
    for (const [name, run] of [...entries.slice(shift), ...entries.slice(0, shift)]) {
      const began = performance.now();
      const said = await run(round);
      const took = typeof said === 'number' ? said : performance.now() - began;
      if (round >= 0) times[name].push(took);
    }
  }
  return times;
}
