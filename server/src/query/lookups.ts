/** Parameters that single out records: what a client copies from one report to ask another. */
import type { Lookup, ReportEntry } from '@storelens/contract';
import type { Parameters } from './parse.js';
import type { Problems } from './problems.js';

/** A lookup with its value, trimmed. */
export interface LookupValue {
  readonly lookup: Lookup;
  readonly value: string;
}

/** Reads the required parameters of a report; one that is missing is told where its value comes from. */
export function readLookups(
  entry: ReportEntry,
  parameters: Parameters,
  problems: Problems,
): readonly LookupValue[] {
  return (entry.lookups ?? []).flatMap((lookup) => {
    const value = parameters.values.get(lookup.parameter)?.trim();
    if (value !== undefined) return [{ lookup, value }];
    const source = `${lookup.note.charAt(0).toLowerCase()}${lookup.note.slice(1).replace(/\.$/, '')}`;
    problems.add(`${lookup.parameter} parameter is missing; give ${source}`);
    return [];
  });
}
