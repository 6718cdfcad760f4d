/** Tables that are made of settled rows in the background, and what their readers need to know of them. */
import { dayCountsOfGrains } from './day-counts.js';
import { failureDays } from './failure-days.js';
import { Steps, type StepsParts } from './steps.js';

/** The job that makes all of them. */
export function createSums(parts: StepsParts): Steps {
  return new Steps(parts, [...failureDays(), ...dayCountsOfGrains()]);
}

export { dayCounts } from './day-counts.js';
export { type Grain, grainOf, grains } from './grains.js';
export { distinctRows } from './row-digest.js';
export type { Steps, StepsParts } from './steps.js';
