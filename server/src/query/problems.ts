/**
 * What is wrong with a request: the list of sentences, and the words for names that a report does not know, refused or
 * ignored.
 */
import type { Field, ReportEntry } from '@storelens/contract';
import { mostProblems, nearestName, printable } from './parse.js';

/** Collects problems; each is one sentence that starts with the parameter's name. */
export class Problems {
  readonly sentences: string[];

  constructor(found: readonly string[]) {
    this.sentences = [...found];
  }

  /** Whether no more will be listed, so that looking for them is idle. */
  get full(): boolean {
    return this.sentences.length >= mostProblems;
  }

  add(sentence: string): undefined {
    if (!this.full) this.sentences.push(sentence);
    return undefined;
  }
}

/** The field with this name, in any letter case. */
export function findField(fields: readonly Field[], name: string): Field | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => field.name.toLowerCase() === wanted);
}

/** What is wrong with a name that is none of the fields, and which are accepted. */
export function unknownField(
  entry: ReportEntry,
  written: string,
  verb: string,
  fields: readonly Field[],
): string {
  const names = fields.map(({ name }) => name);
  const nearest = nearestName(written, names);
  const hint = nearest === undefined ? '' : `did you mean '${nearest}'? `;
  return `'${printable(written)}' cannot be ${verb} in ${entry.name}; ${hint}accepted: ${names.join(', ')}`;
}

/** Parameters that other reports have. */
export function ignoredNotices(question: { entry: ReportEntry; ignored: readonly string[] }): string[] {
  return question.ignored.map((name) => `${name} is no parameter of ${question.entry.name} and was ignored`);
}
