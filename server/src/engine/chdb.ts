/**
 * The embedded adapter: ClickHouse in this process through `chdb`, data in one folder. Reads run on a pool of
 * sessions, one query a session; writes have a session of their own, so that a batch does not hold up reports.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Session } from 'chdb';
import { ask } from './chdb-session.js';
import { openStreams } from './chdb-stream.js';
import { toEngineError } from './errors.js';
import { type Engine, EngineError, type EngineSettings, type InputFormat } from './index.js';
import { literalsOf } from './literals.js';
import { mergeNiceness, sessionNiceness } from './niceness.js';
import { Queue } from './queue.js';
import { assignments, commandText, fileQueryText, insertText, queryText, quoteText } from './statement.js';

/** Where the embedded engine keeps its data, how many queries run at once and how many may wait. */
export interface ChdbOptions {
  readonly folder: string;
  readonly sessions: number;
  readonly queueLength: number;
  /** Whole answers that are read at once; 1 if missing. */
  readonly streams?: number;
}

async function loadSessionClass(): Promise<typeof Session> {
  try {
    return (await import('chdb')).Session;
  } catch (cause) {
    throw new Error(
      `The embedded engine does not run here (${process.platform}-${process.arch}): set STORELENS_CLICKHOUSE_URL ` +
        'to a ClickHouse server, or start Storelens in a glibc Linux (container, WSL2) or on macOS.',
      { cause },
    );
  }
}

/** Who holds a folder, out of the engine's lock file; chdb's error does not say why it refuses. */
async function holderOf(folder: string): Promise<string | undefined> {
  const status = await readFile(join(folder, 'status'), 'utf8').catch(() => '');
  return /^PID: (\d+)/m.exec(status)?.[1];
}

/**
 * Most bytes of the engine's caches, which by default grow to five gigabytes each, or are of no use here (conditions:
 * measured without effect). Marks and keys of 100M events take some megabytes.
 */
const cacheSizes: Readonly<Record<string, number>> = {
  mark_cache_size: 134_217_728,
  primary_index_cache_size: 134_217_728,
  index_mark_cache_size: 16_777_216,
  query_condition_cache_size: 16_777_216,
  compiled_expression_cache_size: 33_554_432,
};

/**
 * How many parts are merged at once, at least. To the engine every part is as large as five megabytes, so with its own
 * base of 5 many small inserts had it write all that came lately again with every sixth: a quarter of the processor time
 * of small batches. With 12 it is a tenth, and the number of parts that questions read hardly differs. It takes this from a
 * file alone.
 */
const mergeSettings = `<clickhouse>
  <merge_tree><merge_selector_base>12</merge_selector_base></merge_tree>
</clickhouse>
`;

/**
 * Settings of every session. Bound values are part of a statement, and the standard limit on its length is 256 KiB. No
 * compiling of expressions: the engine would compile an aggregation at its fourth use, and whoever asks then waits 50 ms
 * longer for an answer of 9 ms. No looking for what no statement of ours has in it (projections, chains of comparisons,
 * filters to merge): planning is most of a small answer, and this was 0.6 of 4.8 ms.
 */
const sessionSettings: EngineSettings = {
  max_query_size: 67_108_864,
  compile_expressions: 0,
  compile_aggregate_expressions: 0,
  compile_sort_description: 0,
  optimize_use_projections: 0,
  optimize_use_implicit_projections: 0,
  optimize_and_compare_chain: 0,
  query_plan_merge_filters: 0,
};

function settingsFile(folder: string): string {
  return join(resolve(folder), 'settings.xml');
}

async function openSession(SessionClass: typeof Session, folder: string): Promise<Session> {
  const settings = Object.entries({ ...cacheSizes, ...mergeNiceness() });
  const connectionArgs = [
    `--config-file=${settingsFile(folder)}`,
    ...settings.map(([name, value]) => `--${name}=${value}`),
  ];
  try {
    return new SessionClass(folder, { connectionArgs });
  } catch (cause) {
    const holder = await holderOf(folder);
    const reason =
      holder === undefined || holder === String(process.pid)
        ? String(cause).replaceAll(/\s+/g, ' ').trim()
        : `process ${holder} seems to have it open; stop that one first`;
    throw new Error(`Cannot open the engine folder ${folder}: ${reason}`, { cause });
  }
}

/** Whether `file()` would take a path for a pattern; it has no way to quote one. */
function isPattern(path: string): boolean {
  return /[*?{}]/.test(path);
}

/** The table expression that reads a file. */
function fileSource(file: string, format: InputFormat, structure: string): string {
  if (isPattern(file)) {
    throw new EngineError('fault', `${file}: a path with *, ?, { or } cannot be read`, undefined);
  }
  return `file(${[file, format, structure].map(quoteText).join(', ')})`;
}

/** Opens, and creates if need be, the engine folder. One folder at a time in a process. */
export async function openChdb({ folder, sessions, queueLength, streams = 1 }: ChdbOptions): Promise<Engine> {
  // Batches are spooled beside the engine folder: better to say it now than at the first batch.
  if (isPattern(resolve(folder))) {
    throw new Error(`Cannot use the data folder ${folder}: its path has one of the characters * ? { }`);
  }
  const SessionClass = await loadSessionClass();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(settingsFile(folder), mergeSettings, { mode: 0o600 });
  const opened: Session[] = [];
  try {
    // One writes, one ends the streams of clients that have gone.
    for (let count = 0; count < sessions + streams + 2; count += 1)
      opened.push(await openSession(SessionClass, folder));
    for (const [index, session] of opened.entries()) {
      const settings = { ...sessionSettings, ...sessionNiceness(index === 0 ? 'writes' : 'reads') };
      await session.queryAsync(`SET ${assignments(settings)}`);
    }
  } catch (error) {
    for (const session of opened) session.close();
    throw error;
  }
  // With others waiting behind it a query gets its share of the cores: so many pipelines of all cores each get in one
  // another's way, and in that of the event loop (5 % more small answers a second for 32 clients on two cores).
  const crowded = { max_threads: Math.max(1, Math.floor(availableParallelism() / sessions)) };
  const writer = new Queue(opened.slice(0, 1), queueLength);
  const readers = new Queue(opened.slice(1, 1 + sessions), queueLength);
  const streaming = await openStreams(opened.slice(1 + sessions), queueLength, `${folder}-exports`);
  let closing: Promise<void> | undefined;

  const query: Engine['query'] = async (request) => {
    try {
      const bind = literalsOf(request.params);
      return await readers.run(async (session, waiting) => {
        request.begun?.();
        const settings = waiting === 0 ? request.settings : { ...request.settings, ...crowded };
        const text = queryText({ ...request, ...(settings !== undefined && { settings }) }, bind);
        return (await ask(session, text)).bytes();
      }, request);
    } catch (error) {
      throw toEngineError(error, 'query');
    }
  };

  return {
    kind: 'chdb',
    query,
    stream: streaming.stream,
    async queryFile(request) {
      const source = fileSource(request.file, request.inputFormat, request.structure);
      try {
        const text = fileQueryText(request, source, literalsOf(request.params));
        return await readers.run(async (session) => (await ask(session, text)).bytes(), request);
      } catch (error) {
        throw toEngineError(error, 'query');
      }
    },
    async insert(batch) {
      const source = fileSource(batch.file, batch.format, batch.structure);
      try {
        const text = insertText(batch, source, literalsOf(batch.params));
        await writer.run((session) => ask(session, text));
      } catch (error) {
        throw toEngineError(error, 'insert');
      }
    },
    async command(statement) {
      try {
        const text = commandText(statement, literalsOf(statement.params));
        await writer.run((session) => ask(session, text));
      } catch (error) {
        throw toEngineError(error, 'command');
      }
    },
    async ping() {
      await query({ account: '', sql: 'SELECT 1', format: 'TSV' });
    },
    close() {
      closing ??= Promise.all([writer.close(), readers.close(), streaming.close()]).then(() => {
        for (const session of opened) session.close();
      });
      return closing;
    },
  };
}
