/**
 * Whole results, row by row from the engine: validated, planned and read at a snapshot like pages, but in one query
 * without an index, a total or a next link. `top` and `skip` cut where they are given. Nothing is kept in memory, here
 * or in caches; large sorts of the engine go to its disk.
 */
import type { ReportEntry } from '@storelens/contract';
import type { Engine, EngineSettings } from '../engine/index.js';
import { columnsOfForm, type Form, formatOf, headOf, isEmpty } from './forms.js';
import type { FramesPlan, Plan, RowsPlan, StepsPlan } from './plan.js';
import type { Chosen } from './snapshots.js';
import { type Cut, wholeStatement } from './sql.js';
import type { Question } from './validate.js';

/** A whole result. */
export interface WholeAnswer {
  /** Undefined: the caller has it, as the tag says, or wants no rows. Whoever gets rows reads them or ends them. */
  readonly rows: AsyncGenerator<Uint8Array> | undefined;
  readonly notices: readonly string[];
  /** Equal for equal answers only. */
  readonly tag: string;
  /** What a file of it may be named, without its extension. */
  readonly name: string;
}

/** A question and all that depends on whose it is. */
export interface Understood {
  readonly question: Question;
  readonly accountId: string;
  /** What is said whatever the rows are. */
  readonly notices: readonly string[];
  planAt(snapshot: number): Promise<Plan>;
}

/** What whole results need of the engine room. */
export interface WholeRoom {
  readonly engine: Engine;
  readonly seconds: number;
  readonly memoryBytes: number;
  choose(): Promise<Chosen>;
  replace(lost: number): Promise<Chosen>;
  isPurged(entry: ReportEntry, accountId: string, snapshot: number): Promise<boolean>;
  tagOf(plan: Plan, further: readonly (string | undefined)[]): string;
  /** What is to be said of the rows, or why there are none. */
  noticesOf(plan: RowsPlan | StepsPlan, empty: boolean): Promise<readonly string[]>;
}

/** How the rows shall come. */
export interface WholeOptions {
  readonly form: Form;
  readonly signal: AbortSignal;
  readonly has: (tag: string) => boolean;
  /** Whether rows are wanted, or only what would be said of them. */
  readonly rows: boolean;
}

/** Answers a question as a whole; errors of the engine may come with the rows, too. */
export async function wholeAnswer(
  { question, accountId, notices: said, planAt }: Understood,
  room: WholeRoom,
  { form, signal, has, rows: wanted }: WholeOptions,
): Promise<WholeAnswer> {
  const { entry } = question;
  const name = nameOf(question);
  let chosen = await room.choose();
  for (;;) {
    const { snapshot, notice } = chosen;
    const plan = rowsOf(question, await planAt(snapshot));
    const notices = notice === undefined ? said : [...said, notice];
    const cut = cutOf(question);
    const tag = room.tagOf(plan, [form, JSON.stringify(cut), ...notices]);
    if (!wanted || has(tag)) return { rows: undefined, notices, tag, name };

    const { format, settings } = formatOf(form, plan.fields);
    const pieces = room.engine
      .stream({
        account: accountId,
        ...wholeStatement(plan, cut, columnsOfForm(form)),
        format,
        signal,
        settings: { ...limitsOf(room), ...settings },
      })
      [Symbol.asyncIterator]();
    // Rows that nobody begins to read must not hold a place, either; nobody is left to hear why they cannot be ended.
    signal.addEventListener('abort', () => pieces.return?.().catch(() => {}), { once: true });
    const first = await pieces.next();
    // A purge may have overtaken the query before it began; one that began sees its rows to the end.
    if (await room.isPurged(entry, accountId, snapshot)) {
      await pieces.return?.();
      chosen = await room.replace(snapshot);
      continue;
    }
    const told = question.mismatch === undefined && plan.kind !== 'frames';
    const all = told ? [...notices, ...(await room.noticesOf(plan, isEmpty(form, first)))] : notices;
    return { rows: joined(headOf(form, plan.fields), first, pieces), notices: all, tag, name };
  }
}

function limitsOf({ seconds, memoryBytes }: WholeRoom): EngineSettings {
  return {
    max_execution_time: seconds,
    max_memory_usage: memoryBytes,
    max_bytes_before_external_group_by: Math.floor(memoryBytes / 4),
    max_bytes_before_external_sort: Math.floor(memoryBytes / 4),
    max_bytes_ratio_before_external_group_by: 0,
    max_bytes_ratio_before_external_sort: 0,
    // Rows of one piece, which is in memory at once; those of reviews have some kilobytes.
    max_block_size: 16_384,
  };
}

function rowsOf({ entry }: Question, plan: Plan): RowsPlan | StepsPlan | FramesPlan {
  if (plan.kind === 'file') throw new TypeError(`${entry.name} answers no rows`);
  return plan;
}

function cutOf({ mismatch, topGiven, top, skip }: Question): Cut {
  // A product of another kind has no rows in the report.
  if (mismatch !== undefined) return { limit: 0, offset: 0 };
  return { limit: topGiven ? top : undefined, offset: skip };
}

async function* joined(
  head: string,
  first: IteratorResult<Uint8Array>,
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (head !== '') yield Buffer.from(head);
    for (let piece = first; piece.done !== true; piece = await pieces.next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}

function nameOf({ entry, start, end }: Question): string {
  const range = entry.dates === undefined ? '' : `-${start}-${end}`;
  return `${entry.name.replaceAll('/', '-')}${range}`;
}
