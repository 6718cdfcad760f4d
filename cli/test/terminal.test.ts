/** The command line as somebody at a terminal sees it: a pseudo-terminal with a server beside it. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { client, contoso, prepare, secret, serve } from './served.js';
import { lines, skip, terminal } from './terminal.js';
import type { Place } from './transcript.js';

const login = ['login', '--tenant-id', contoso, '--client-id', client];

async function room(context: TestContext): Promise<Place> {
  const { place } = await serve(context);
  await prepare(place);
  return place;
}

test('a person at a terminal', { skip }, async (context) => {
  const place = await room(context);
  const profiles = join(place.folder, '.config/storelens/profiles.json');

  await context.test('is asked for what is missing, and the secret is not shown', async () => {
    const screen = await terminal(place, ['login'], {
      steps: [
        ['Tenant id: ', `${contoso}\r`],
        ['Client id: ', `${client}\r`],
        ['Client secret: ', `${secret}\r`],
      ],
    });
    assert.equal(screen.code, 0, screen.text);
    assert.ok(!screen.text.includes(secret), screen.text);
    assert.match(screen.text, /stored profile default in /);
    assert.ok((await readFile(profiles, 'utf8')).includes(secret));
  });

  await context.test('who gives up while asked gets nothing stored, and no riddle', async () => {
    for (const key of ['\x03', '\x04']) {
      const screen = await terminal(place, [...login, '--profile', 'other'], {
        steps: [['Client secret: ', key]],
      });
      assert.equal(screen.code, 1, screen.text);
      assert.equal(lines(screen).at(-2), 'storelens: nothing was stored', screen.text);
      assert.ok(!(await readFile(profiles, 'utf8')).includes('other'));
    }
  });

  await context.test('sees progress while rows go, and only what became of them afterwards', async () => {
    const row =
      '{"applicationId":"9NBLGGGZ5QDR","timestamp":"2016-02-03T10:00:00Z","market":"US","quantity":1}\n';
    await writeFile(join(place.folder, 'rows.ndjson'), row.repeat(250_000));
    const screen = await terminal(place, ['ingest', 'acquisitions', 'rows.ndjson']);
    assert.equal(screen.code, 0, screen.text);
    assert.match(screen.text, /\r\x1b\[K█+░* +\d+% {2}[\d,]+ rows/);
    assert.deepEqual(lines(screen), [
      'FILE         ROWS    BATCHES  STORED BEFORE',
      'rows.ndjson  250000  3        0',
      '',
    ]);
    const plain = await terminal(place, ['ingest', 'acquisitions', 'rows.ndjson'], {
      variables: { NO_COLOR: '1' },
    });
    assert.match(plain.text, /\r\x1b\[K[#.]{30} +\d+% {2}[\d,]+ rows/);
    assert.doesNotMatch(plain.text, /[█░]/);
  });

  await context.test('gets a table, and charts as wide as the terminal', async () => {
    const report = ['report', 'appacquisitions', '--app', '9NBLGGGZ5QDR'];
    const days = ['--since', '2016-02-01', '--until', '2016-02-04', '--groupby', 'market'];
    assert.deepEqual(lines(await terminal(place, [...report, ...days])), [
      'date        applicationId  market  acquisitionQuantity',
      '2016-02-03  9NBLGGGZ5QDR   US                  250,000',
      '',
    ]);
    for (const columns of [40, 120]) {
      const screen = await terminal(place, [...report, ...days, '--format', 'chart'], { columns });
      const [, bar = ''] = lines(screen);
      assert.match(bar, /^US {2}█+ {2}250,000 {2}100\.0%$/);
      assert.equal(bar.length, columns);
    }
    const dumb = await terminal(place, [...report, ...days, '--format', 'chart'], {
      variables: { TERM: 'dumb' },
    });
    assert.match(lines(dumb)[1] ?? '', /^US {2}#+ {2}250,000 {2}100\.0%$/);
    const parquet = await terminal(place, [...report, ...days, '--format', 'parquet']);
    assert.equal(parquet.code, 2);
    assert.match(parquet.text, /send it to a file/);
  });
});
