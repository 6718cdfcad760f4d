/** Statistics of interleaved runs. Only ratios of medians taken side by side mean anything on a shared machine. */
import { finelyOf } from './processors.mjs';

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
 * name. A contender is a function that returns its milliseconds, or what `metered` returns, or nothing to have the whole
 * call timed. Who comes first changes from round to round, so that nobody always finds the machine as the same neighbour left it.
 *
 * Of contenders whose process is named in `processes`, `processor` has the milliseconds that it was running: less to
 * the point than the time that somebody waits, but hardly touched by what else the machine does.
 */
export async function interleave(contenders, rounds, { warmUp = 1, processes = {} } = {}) {
  const entries = Object.entries(contenders);
  const lists = () => Object.fromEntries(entries.map(([name]) => [name, []]));
  const times = lists();
  const processor = lists();
  for (let round = -warmUp; round < rounds; round += 1) {
    const shift = Math.abs(round) % entries.length;
    for (const [name, run] of [...entries.slice(shift), ...entries.slice(0, shift)]) {
      const used = processes[name] === undefined ? undefined : await finelyOf(processes[name]);
      const began = performance.now();
      const said = await run(round);
      const took = said?.milliseconds ?? said ?? performance.now() - began;
      if (round < 0) continue;
      times[name].push(took);
      if (used !== undefined) processor[name].push((await finelyOf(processes[name])) - used);
      else if (said?.processor !== undefined) processor[name].push(said.processor);
    }
  }
  return { times, processor };
}

/** What a call answers, `milliseconds` among it, and how long the process that works for it was running meanwhile. */
export async function metered(pid, call) {
  const before = await finelyOf(pid);
  const answer = await call();
  return { ...answer, processor: (await finelyOf(pid)) - before };
}

/** What a figure says of two contenders that were interleaved: times of both, ratio of medians, ratio of processor time. */
export function compared({ times, processor }, over, under) {
  const ratio = (lists) => median(lists[over]) / median(lists[under]);
  return {
    value: ratio(times),
    times: { [over]: times[over], [under]: times[under] },
    processor: processor[over].length > 0 && processor[under].length > 0 ? ratio(processor) : undefined,
  };
}
