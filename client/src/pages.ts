/** Pages of a result: reading one, and walking from each to the next until there is none. */
import type { Watch } from './clock.js';
import { ProtocolError, ResultMovedError } from './errors.js';
import { quoteRounded } from './exact.js';
import { skipOf } from './link.js';
import { parseJson, readText } from './transport.js';

/** A part of a result. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Rows of the whole result; undefined if the service does not tell. */
  readonly total: number | undefined;
  /** The link to the following page as the service gave it; undefined on the last one. Good for `from`. */
  readonly next: string | undefined;
  /** When the service says that its data is from, as it writes it. */
  readonly freshness: string | undefined;
  /** What the service has to remark, such as a parameter that it ignored. */
  readonly notices: readonly string[];
}

/** The result changed between two of its pages. */
export interface Moved {
  readonly before: Pick<Page<unknown>, 'total' | 'freshness'>;
  readonly after: Pick<Page<unknown>, 'total' | 'freshness'>;
}

/** What to do when the result changes between two pages: nothing, throw ResultMovedError, or call a function. */
export type WhenMoved = 'ignore' | 'throw' | ((moved: Moved) => void);

/**
 * Reads a page, its numbers as JavaScript has them or, `exact`, those that it would round as text. An empty body means no
 * rows, and tells no total: the service sends one for a day without data.
 */
export async function readPage(
  answer: Response,
  progress: Watch,
  exact = false,
): Promise<Page<Record<string, unknown>>> {
  const text = await readText(answer, progress);
  const notices = readNotices(answer.headers.get('storelens-notice'));
  if (text.trim() === '') {
    return { rows: [], total: undefined, next: undefined, freshness: undefined, notices };
  }
  const body = parseJson(exact ? quoteRounded(text) : text);
  const page = Array.isArray(body) ? { Value: body } : (body as Readonly<Record<string, unknown>> | null);
  const { Value: rows, TotalCount: total, '@nextLink': next, DataFreshnessTimestamp: freshness } = page ?? {};
  if (!Array.isArray(rows)) {
    throw new ProtocolError('The answer has no list of rows called Value.', { code: 'no-rows' });
  }
  return {
    rows,
    total: typeof total === 'number' ? total : undefined,
    next: typeof next === 'string' && next.trim() !== '' ? next : undefined,
    freshness: typeof freshness === 'string' ? freshness : undefined,
    notices,
  };
}

/**
 * Empty pages in a row that are followed though they lead nowhere. An empty page with a link is legal, for rows may go
 * while a result is read; but `skip` grows from link to link, and behind the total there are no rows.
 */
const mostIdle = 10;

/** Empty pages in a row that are followed at all: a service need not tell a total. */
const mostEmpty = 1000;

/** Throws ProtocolError once empty pages in a row show that their links have no end. */
class EmptyPages {
  #idle = 0;
  #empty = 0;

  follow({ rows, total, next }: Page<unknown>, skipped: number | undefined): void {
    if (rows.length > 0 || next === undefined) {
      this.#idle = 0;
      this.#empty = 0;
      return;
    }
    const skip = skipOf(next);
    const leadsOn =
      skip !== undefined && skip > (skipped ?? -1) && skip < (total ?? Number.POSITIVE_INFINITY);
    this.#empty += 1;
    this.#idle = leadsOn ? 0 : this.#idle + 1;
    if (this.#idle < mostIdle && this.#empty < mostEmpty) return;
    throw new ProtocolError(
      `${this.#empty} pages in a row had no rows, and a link to another page, the last one '${next.slice(0, 500)}'; expected rows, or no link.`,
      { code: 'endless-links' },
    );
  }
}

/** Walks the pages from the first one on. */
export async function* walk<Row>(
  first: () => Promise<Page<Row>>,
  follow: (link: string) => Promise<Page<Row>>,
  whenMoved: WhenMoved,
): AsyncGenerator<Page<Row>, void, undefined> {
  let page = await first();
  yield page;
  let seen = page.next;
  const empty = new EmptyPages();
  let skipped: number | undefined;
  for (let steps = 1, mark = 1; page.next !== undefined; steps++) {
    empty.follow(page, skipped);
    skipped = skipOf(page.next);
    const before = page;
    page = await follow(page.next);
    if (page.total !== before.total || page.freshness !== before.freshness) tell(whenMoved, before, page);
    // Links that go round are met again: one of them is kept, and which moves on at every power of two.
    if (page.next !== undefined && page.next === seen) {
      throw new ProtocolError('The links to the next page go round in a circle.', { code: 'circular-link' });
    }
    yield page;
    if (steps === mark) {
      seen = page.next;
      mark *= 2;
    }
  }
}

/** The rows of a result, page after page. */
export class Rows<Row> implements AsyncIterable<Row> {
  readonly #pages: () => AsyncGenerator<Page<Row>, void, undefined>;

  constructor(pages: () => AsyncGenerator<Page<Row>, void, undefined>) {
    this.#pages = pages;
  }

  /** Every iteration asks anew. Leaving it early asks for no further page. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const page of this.#pages()) yield* page.rows;
  }

  /** All rows, in memory. */
  async toArray(): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const row of this) rows.push(row);
    return rows;
  }
}

function tell(whenMoved: WhenMoved, before: Page<unknown>, after: Page<unknown>): void {
  if (whenMoved === 'ignore') return;
  const pick = ({ total, freshness }: Page<unknown>) => ({ total, freshness });
  if (whenMoved !== 'throw') {
    whenMoved({ before: pick(before), after: pick(after) });
    return;
  }
  const [was, is] =
    before.total === after.total
      ? [`data of ${before.freshness}`, `data of ${after.freshness}`]
      : [`${before.total} rows`, `${after.total}`];
  throw new ResultMovedError(`The result changed between two pages: ${was} became ${is}.`, { code: 'moved' });
}

/** The remarks of a header, which percent-encodes what is not ASCII. */
function readNotices(header: string | null): readonly string[] {
  if (header === null || header === '') return [];
  let text = header;
  try {
    text = decodeURIComponent(header);
  } catch {
    // Somebody else's percent sign; the header is shown as it is.
  }
  return text.split('; ');
}
