/**
 * Without a filter a question wants every row of its product and days, and those lie side by side in the table. The
 * engine would still weigh which conditions to look at before it reads the other columns, and then read in two steps:
 * 0.25 of the 5 ms of a small answer, for nothing (processor time, 2 cores).
 */
import type { EngineSettings } from '../engine/index.js';
import type { Plan } from './plan.js';

/** How the engine is to read the rows of a plan. */
export function readSettings({ filter, lookups }: Pick<Plan, 'filter' | 'lookups'>): EngineSettings {
  return filter === undefined && lookups.length === 0 ? { optimize_move_to_prewhere: 0 } : {};
}
