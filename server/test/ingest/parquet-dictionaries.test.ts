/** Parquet files as other programs write them, and what their dictionaries tell: never less than the engine reads. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dictionaryTexts } from '../../src/ingest/parquet-dictionaries.js';
import { readFooter } from '../../src/ingest/parquet-footer.js';
import { type Bench, problems, startBench } from './posting.js';

const parquet = { 'content-type': 'application/vnd.apache.parquet' };
const pathOf = (name: string) =>
  fileURLToPath(new URL(`../../../test/ingest/parquet-samples/${name}.parquet`, import.meta.url));

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

const turn = <Value>(values: readonly Value[], row: number) => values[row % values.length];

/** The rows of the samples, as `make.py` writes them. */
const rows = Array.from({ length: 300 }, (_, row) => ({
  timestamp: new Date(Date.UTC(2024, 1, 1) + row * 1000).toISOString(),
  applicationId: turn(['9NBLGGGZ5QDR', '9nblgggz5qdr', '9WZDNCRDABCD'], row),
  userId: `user ${row}`,
  market: turn([null, 'US', 'de', ''], row),
  deviceType: turn(['pc', 'Phone', null, 'something new'], row),
  gender: turn(['M', 'f', 'ü'], row),
  customCampaignId: turn([null, null, 'spring', 'spring'], row),
  channelType: turn([null, 'store traffic', 'Mouth'], row),
  quantity: 1 + (row % 5),
}));

const newest = async () =>
  await bench.rows(
    `SELECT * EXCEPT seq, toString(timestamp) AS time FROM acquisitions
WHERE seq = (SELECT max(seq) FROM acquisitions) ORDER BY timestamp`,
  );

async function storedOf(body: Uint8Array | readonly object[], headers = {}) {
  const answer = await bench.post('acquisitions', body, headers);
  assert.equal(answer.status, 200, answer.text);
  return await newest();
}

/** Texts of the samples' dictionaries. */
const dictionaries = {
  applicationId: ['9NBLGGGZ5QDR', '9nblgggz5qdr', '9WZDNCRDABCD'],
  market: ['US', 'de', ''],
  deviceType: ['pc', 'Phone', 'something new'],
  gender: ['M', 'f', 'ü'],
  customCampaignId: ['spring'],
  channelType: ['store traffic', 'Mouth'],
};

const readable = ['pyarrow-snappy', 'pyarrow-zstd-v2', 'pyarrow-gzip', 'pyarrow-brotli', 'duckdb'];

for (const name of readable) {
  test(`${name}: texts are known, and stored as those of JSON`, async () => {
    const { columns } = await readFooter(pathOf(name));
    const texts = dictionaryTexts(pathOf(name), columns);
    for (const [column, expected] of Object.entries(dictionaries)) {
      assert.deepEqual([...(texts.get(column) ?? [])].sort(), [...expected].sort(), column);
    }
    assert.deepEqual(await storedOf(await readFile(pathOf(name)), parquet), await storedOf(rows));
  });
}

for (const name of ['pyarrow-plain', 'pyarrow-lz4']) {
  test(`${name}: texts are not known, and stored as those of JSON`, async () => {
    const { columns } = await readFooter(pathOf(name));
    assert.equal(dictionaryTexts(pathOf(name), columns).size, 0);
    assert.deepEqual(await storedOf(await readFile(pathOf(name)), parquet), await storedOf(rows));
  });
}

test('a bad text in a dictionary that no row has does no harm', async () => {
  const { columns } = await readFooter(pathOf('pyarrow-unused'));
  const texts = dictionaryTexts(pathOf('pyarrow-unused'), columns);
  assert.equal([...(texts.get('deviceType') ?? [])].at(-1)?.length, 5000);
  const same = rows.map((row, index) => ({ ...row, deviceType: turn(['PC', 'Phone'], index) }));
  assert.deepEqual(await storedOf(await readFile(pathOf('pyarrow-unused')), parquet), await storedOf(same));
});

test('texts that found no room in a dictionary are looked at', async () => {
  const { columns } = await readFooter(pathOf('pyarrow-overflow'));
  const texts = dictionaryTexts(pathOf('pyarrow-overflow'), columns);
  assert.ok(texts.has('deviceType') && !texts.has('market'), [...texts.keys()].join());
  const answer = await bench.post('acquisitions', await readFile(pathOf('pyarrow-overflow')), parquet);
  assert.equal(answer.status, 400, answer.text);
  assert.match(problems(answer).join(), /^row 300: market: longer than 4096 bytes/);
});

/** Has the engine write a file, for as long as `work` takes. */
async function withFile(select: string, work: (path: string) => Promise<void>) {
  const path = join(tmpdir(), `storelens-${process.pid}-written.parquet`);
  const sql = `INSERT INTO FUNCTION file('${path}', Parquet)
SELECT toDateTime64('2024-02-29 10:00:00', 3, 'UTC') AS timestamp, ${select}`;
  await bench.server.app.parts.engine.command({ account: '', sql });
  try {
    await work(path);
  } finally {
    await rm(path);
  }
}

test('a row without a product is told', async () => {
  const select = `if(number = 7, NULL, '9NBLGGGZ5QDR') AS applicationId FROM numbers(20)`;
  await withFile(select, async (path) => {
    const answer = await bench.post('acquisitions', await readFile(path), parquet);
    assert.equal(answer.status, 400, answer.text);
    assert.deepEqual(problems(answer), ['row 8: applicationId: missing']);
  });
});

test('a dictionary that is too large is left out alone', async () => {
  const select = `toString(number) AS userId, 'US' AS market FROM numbers(12000)`;
  await withFile(select, async (path) => {
    const { columns } = await readFooter(path);
    assert.ok(columns.every(({ chunks }) => chunks.length === 1));
    assert.deepEqual([...dictionaryTexts(path, columns).keys()], ['market']);
  });
});

test('of damaged files never less is known than the engine reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-damaged-'));
  const path = join(folder, 'damaged.parquet');
  const { engine } = bench.server.app.parts;
  let seed = 11;
  const next = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  let compared = 0;
  try {
    for (let round = 0; round < 160; round += 1) {
      const damaged = await readFile(
        pathOf(turn(['pyarrow-snappy', 'pyarrow-zstd-v2', 'duckdb'], round) ?? ''),
      );
      for (let times = 0; times <= round % 3; times += 1) damaged[next(damaged.length)] = next(256);
      await writeFile(path, damaged);
      const columns = await readFooter(path).then(
        (footer) => footer.columns,
        () => [],
      );
      const texts = dictionaryTexts(path, columns);
      const names = [...texts.keys()];
      if (names.length === 0) continue;
      const read = await engine
        .queryFile({
          account: '',
          sql: `SELECT ${names.map((name) => `arrayMap(one -> hex(one), groupUniqArray(${name}))`).join(', ')} FROM batch_file`,
          format: 'JSONCompactEachRow',
          file: path,
          inputFormat: 'Parquet',
          structure: names.map((name) => `${name} String`).join(', '),
        })
        .then(
          (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as string[][],
          () => undefined,
        );
      if (read === undefined) continue;
      compared += 1;
      for (const [place, name] of names.entries()) {
        const known = new Set([...(texts.get(name) ?? [])].map((text) => Buffer.from(text).toString('hex')));
        for (const hex of read[place] ?? []) {
          assert.ok(hex === '' || known.has(hex.toLowerCase()), `round ${round}: ${name} ${hex}`);
        }
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  assert.ok(compared > 30, `${compared} files were readable`);
});
