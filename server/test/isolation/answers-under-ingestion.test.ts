/**
 * Paging runs are snapshots, and no cache serves one account's answer to another: three accounts with the same product
 * id and the same shape of data are written to and read from at the same time, and every answer is compared with what
 * the account's batches up to its snapshot add up to.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { Dice } from '../oracle/random.js';

const app = '9NBLGGGZ5QDR';
const report = `installs?applicationId=${app}&startDate=2026-02-01&endDate=2026-02-28`;
const batches = 9;
const markets = ['AT', 'DE', 'FR', 'US'];

interface Row {
  readonly date: string;
  readonly market: string;
  readonly successfulInstallCount: number;
}

interface Page {
  readonly Value: readonly Row[];
  readonly '@nextLink': string | null;
  readonly TotalCount: number;
}

/** An account, the rows of its batches in the order of their commits, and how many are sent and answered. */
interface Writer {
  readonly account: TestAccount;
  readonly posted: (readonly { readonly day: string; readonly market: string }[])[];
  answered: number;
}

let server: TestServer;
before(async () => {
  server = await startServer({ now: Date.parse('2026-03-01T12:00:00Z') });
});
after(() => server.close());

/** What the first `snapshot` batches add up to, in the order of the report. */
function expected({ posted }: Writer, snapshot: number): string {
  const counts = new Map<string, number>();
  for (const { day, market } of posted.slice(0, snapshot).flat()) {
    const key = `${day} ${market}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = Array.from(counts, ([key, count]) => ({
    date: key.slice(0, 10),
    market: key.slice(11),
    count,
  }));
  rows.sort((left, right) =>
    left.date === right.date ? (left.market < right.market ? -1 : 1) : left.date > right.date ? -1 : 1,
  );
  return rows.map(({ date, market, count }) => `${date} ${market} ${count}`).join('\n');
}

function textOf(rows: readonly Row[]): string {
  return rows
    .map(({ date, market, successfulInstallCount }) => `${date} ${market} ${successfulInstallCount}`)
    .join('\n');
}

/** Follows a run to its end: all of it is of the snapshot that its first link names. */
async function readRun(writer: Writer, top: number): Promise<void> {
  const rows: Row[] = [];
  let link: string | null = `${report}&groupby=market&top=${top}`;
  let snapshot: number | undefined;
  let total = 0;
  while (link !== null) {
    const answer = await writer.account.get(`/v1.0/my/analytics/${link.replaceAll(' ', '%20')}`);
    assert.equal(answer.status, 200, answer.text);
    const page = answer.json as Page;
    link = page['@nextLink'];
    snapshot ??= Number(/&snapshot=(\d+)$/.exec(link ?? '')?.[1] ?? Number.NaN);
    rows.push(...page.Value);
    total = page.TotalCount;
  }
  assert.equal(total, rows.length);
  // A run of one page names no snapshot; `readAgain` looks after those.
  if (snapshot === undefined || Number.isNaN(snapshot)) return;
  assert.equal(textOf(rows), expected(writer, snapshot), `snapshot ${snapshot}`);
}

/** Asks the same again with every tag that anybody was given. */
async function readAgain(writer: Writer, tags: Map<string, { writer: Writer; text: string }>): Promise<void> {
  const least = writer.answered;
  const answer = await server.request(`/v1.0/my/analytics/${report}&groupby=market`, {
    headers: {
      authorization: `Bearer ${writer.account.token}`,
      'if-none-match': [...tags.keys()].join(', '),
    },
  });
  const tag = answer.headers.get('etag') ?? '';
  if (answer.status === 304) assert.equal(tags.get(tag)?.writer, writer, 'a tag of the account itself');
  else assert.equal(answer.status, 200, answer.text);
  const text = answer.status === 304 ? tags.get(tag)?.text : textOf((answer.json as Page).Value);
  tags.set(tag, { writer, text: text ?? '' });
  const possible = Array.from({ length: writer.posted.length - least + 1 }, (_, more) => least + more);
  assert.ok(
    possible.some((snapshot) => text === expected(writer, snapshot)),
    `the answer is none of the snapshots ${possible.join(', ')}:\n${text}`,
  );
}

test('runs are snapshots and answers stay with their account while batches come in', async () => {
  const random = new Dice(20_260_301);
  const writers: Writer[] = [];
  for (let count = 0; count < 3; count += 1) {
    const account = await server.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
    writers.push({ account, posted: [], answered: 0 });
  }
  const tags = new Map<string, { writer: Writer; text: string }>();
  let writing = writers.length;
  const write = async (writer: Writer) => {
    for (let batch = 0; batch < batches; batch += 1) {
      const rows = Array.from({ length: 1 + random.whole(0, 11) }, () => ({
        day: `2026-02-${String(1 + random.whole(0, 8)).padStart(2, '0')}`,
        market: random.pick(markets),
      }));
      writer.posted.push(rows);
      await writer.account.ingest(
        'installs',
        rows.map(({ day, market }) => ({ timestamp: `${day}T08:00:00Z`, applicationId: app, market })),
      );
      writer.answered = batch + 1;
    }
    writing -= 1;
  };
  const read = async (writer: Writer) => {
    // Once more when all is written, so that a slow machine reads something, too.
    for (let last = false; !last; ) {
      last = writing === 0;
      await readRun(writer, 1 + random.whole(0, 6));
      await readAgain(writer, tags);
      await readAgain(writer, tags);
    }
  };
  await Promise.all([...writers.map(write), ...writers.map(read)]);
  assert.ok(tags.size >= writers.length);
});
