/**
 * What Storelens asks of an engine, as tests that every adapter has to pass. The adapter's own test file gives an
 * engine on an empty database; what only one adapter can show is tested there.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  type Engine,
  type EngineBatch,
  EngineError,
  type EngineParams,
  type EngineSettings,
  type EngineStream,
} from '../../src/engine/index.js';
import { migrateEngine, readSchema } from '../../src/engine/migrate.js';
import { ProductSizes } from '../../src/query/product-sizes.js';

/** How many calls the engine under test may run and let wait. */
export const suiteLimits = { sessions: 4, queueLength: 60, streams: 2 };

const hostile = `a\\' OR 1=1 -- \n\r\t\0\b\f ☃ 𝄞 {x:String} \\N \\x27 ; DROP TABLE rows /* "\``;

/** Matches an EngineError of a kind. */
function kind(expected: EngineError['kind']): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.kind, expected, error.message);
    return true;
  };
}

/** Runs the suite on the engine that `open` gives, which has an empty database. */
export function engineSuite(name: string, open: () => Promise<Engine>): void {
  describe(`engine: ${name}`, () => {
    let engine: Engine;
    let folder: string;
    let table = 0;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'storelens-suite-'));
      engine = await open();
    });
    after(async () => {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function ask(
      sql: string,
      params: EngineParams = {},
      settings: EngineSettings = {},
    ): Promise<unknown[]> {
      const all = { output_format_json_quote_64bit_integers: 0, ...settings };
      const bytes = await engine.query({
        ...{ account: 'a', sql, params, settings: all },
        format: 'JSONCompactEachRow',
      });
      const lines = Buffer.from(bytes).toString().split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as unknown);
    }

    async function newTable(): Promise<string> {
      table += 1;
      await engine.command({
        account: 'a',
        sql: `CREATE TABLE rows${table} (name LowCardinality(String), day Date, amount Int64, seq UInt64)
ENGINE = MergeTree ORDER BY name
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1`,
      });
      return `rows${table}`;
    }

    async function spool(text: string, file = 'batch.ndjson'): Promise<string> {
      const path = join(folder, file);
      await writeFile(path, text);
      return path;
    }

    function batch(into: string, file: string, more: Partial<EngineBatch> = {}): EngineBatch {
      return {
        account: 'a',
        table: into,
        columns: ['name', 'day', 'amount', 'seq'],
        expressions: [
          "ifNull(i.name, '')",
          'toDate(assumeNotNull(i.day))',
          'toInt64(ifNull(i.amount, 1))',
          '{seq:UInt64}',
        ],
        bad: "toString(toDateOrZero(ifNull(i.day, ''))) != i.day OR ifNull(i.amount, 1) < 0",
        params: { seq: 7 },
        file,
        format: 'JSONEachRow',
        structure: 'name Nullable(String), day Nullable(String), amount Nullable(Int64)',
        token: `token-${into}`,
        ...more,
      };
    }

    const count = async (from: string) => (await ask(`SELECT count() FROM ${from}`))[0];

    test('binds values of every type, hostile text included, as values', async () => {
      const params = {
        text: hostile,
        empty: '',
        null: '\\N',
        list: [hostile, '', "x'y", 'plain'],
        none: [] as readonly string[],
        signed: -5,
        big: 9007199254740991n,
        flag: true,
        float: 1.5,
        day: '2016-02-29',
        time: '2016-02-29 23:59:59.123',
        money: '-999999999999.999999',
      };
      const sql = `SELECT {text:String}, {empty:String}, {null:String}, {list:Array(String)}, {none:Array(String)},
  {signed:Int64}, {big:UInt64}, {flag:Bool}, {float:Float64}, {day:Date}, {time:DateTime64(3)},
  toString({money:Decimal(18, 6)})`;
      assert.deepEqual(await ask(sql, params), [
        [
          ...[hostile, '', '\\N', [hostile, '', "x'y", 'plain'], [], -5, 9007199254740991, true, 1.5],
          ...['2016-02-29', '2016-02-29 23:59:59.123', '-999999999999.999999'],
        ],
      ]);
    });

    test('binds long lists', async () => {
      const ids = Array.from({ length: 10_000 }, (_, index) => `9NBLGGGZ${index}`);
      const names = ids.map((id) => `${hostile} ${id}`);
      assert.deepEqual(
        await ask(
          'SELECT transform({id:String}, {ids:Array(String)}, { names : Array(String) }, NULL), length({ids:Array(String)})',
          {
            ...{ id: '9NBLGGGZ9999', ids, names: names.map((name) => name.slice(-20)) },
          },
        ),
        [[names[9999]?.slice(-20), 10_000]],
      );
    });

    test('refuses a placeholder without value, although an earlier query gave one', async () => {
      await ask('SELECT {left:String}', { left: 'over' });
      await assert.rejects(ask('SELECT {left:String}'), TypeError);
      await assert.rejects(ask('SELECT 1', { left: 'over' }), TypeError);
    });

    test('keeps the values of parallel queries apart', async () => {
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          ask('SELECT {v:UInt32}, {t:String}', { v: index, t: `t${index}` }),
        ),
      );
      assert.deepEqual(
        answers,
        Array.from({ length: 60 }, (_, index) => [[index, `t${index}`]]),
      );
    });

    test('renders pages as JSON with a Template, byte for byte, also without rows', async () => {
      const into = await newTable();
      await engine.command({
        account: 'a',
        sql: `INSERT INTO ${into} SELECT {a:String}, toDate('2016-01-01'), 9007199254740993, 1
UNION ALL SELECT {b:String}, toDate('2016-01-02'), -1, 2`,
        params: { a: 'a/"b"\\\n\u2028<é>', b: '' },
      });
      const cells = ['name', 'day', 'amount', 'positive', 'nothing', 'half'].map(
        (column) => `"${column}":\${${column}:JSON}`,
      );
      const page = async (where: string) => {
        const bytes = await engine.query({
          account: 'a',
          sql: `SELECT name, day, amount, amount > 0 AS positive, CAST(NULL AS Nullable(String)) AS nothing,
  toDecimal64(seq, 6) / 2 AS half FROM ${into} WHERE ${where} ORDER BY seq`,
          format: 'Template',
          settings: {
            format_template_row_format: `{${cells.join(',')},"it's \\\\":1}`,
            format_template_rows_between_delimiter: ',',
            format_template_resultset_format: `{"Value":[\${data}],"@nextLink":null,"TotalCount":2}`,
            output_format_json_escape_forward_slashes: 0,
            output_format_json_quote_64bit_integers: 0,
            max_execution_time: 60,
            max_memory_usage: 1_000_000_000,
          },
        });
        return Buffer.from(bytes).toString();
      };
      const expected =
        '{"name":"a/\\"b\\"\\\\\\n\\u2028<é>","day":"2016-01-01","amount":9007199254740993,"positive":1,' +
        '"nothing":null,"half":0.5,"it\'s \\\\":1}';
      const second =
        '{"name":"","day":"2016-01-02","amount":-1,"positive":0,"nothing":null,"half":1,"it\'s \\\\":1}';
      assert.equal(await page('1'), `{"Value":[${expected},${second}],"@nextLink":null,"TotalCount":2}`);
      assert.equal(await page('0'), '{"Value":[],"@nextLink":null,"TotalCount":2}');
      assert.equal(await page("name = 'nobody'"), '{"Value":[],"@nextLink":null,"TotalCount":2}');
    });

    test('stores a batch of NDJSON with bound values', async () => {
      const into = await newTable();
      const file = await spool(
        '{"name":"b","day":"2016-01-02","amount":3}\n{"day":"2016-01-01"}\n{"name":"é","day":"2016-01-03","amount":null}\n',
      );
      await engine.insert(
        batch(into, file, {
          expressions: [
            'concat({prefix:String}, ifNull(i.name, {missing:String}))',
            'toDate(assumeNotNull(i.day))',
            'toInt64(ifNull(i.amount, 1))',
            '{seq:UInt64}',
          ],
          params: { seq: 7, prefix: hostile, missing: 'Unknown' },
        }),
      );
      assert.deepEqual(await ask(`SELECT * FROM ${into} ORDER BY day`), [
        [`${hostile}Unknown`, '2016-01-01', 1, 7],
        [`${hostile}b`, '2016-01-02', 3, 7],
        [`${hostile}é`, '2016-01-03', 1, 7],
      ]);
    });

    test('stores a batch of CSV', async () => {
      const into = await newTable();
      const file = await spool('day,name,amount\n2016-01-01,"a ""b"",\nc",4\n', 'batch.csv');
      await engine.insert(batch(into, file, { format: 'CSVWithNames' }));
      assert.deepEqual(await ask(`SELECT * FROM ${into}`), [['a "b",\nc', '2016-01-01', 4, 7]]);
    });

    const refusals: Readonly<Record<string, string>> = {
      'that our own check finds': '{"name":"x","day":"2016-01-01","amount":-1}',
      'with an unreadable day': '{"name":"x","day":"2016-02-31","amount":1}',
      'whose check comes out as NULL': '{"name":"x","amount":1}',
      'with an unknown key': '{"name":"x","day":"2016-01-01","colour":1}',
      'with text for a number': '{"name":"x","day":"2016-01-01","amount":"many"}',
      'that is not JSON': '{"name":"x",',
      'with a fraction for a whole number': '{"name":"x","day":"2016-01-01","amount":1.5}',
    };
    for (const [what, row] of Object.entries(refusals)) {
      test(`refuses a batch with a row ${what} whole`, async () => {
        const into = await newTable();
        const good = '{"name":"good","day":"2016-01-01"}\n'.repeat(3);
        await assert.rejects(engine.insert(batch(into, await spool(`${good}${row}\n`))), kind('refused'));
        assert.deepEqual(await count(into), [0]);
      });
    }

    test('stores nothing of 450,000 rows whose last one is bad, and all of them once when it is good', async () => {
      const into = await newTable();
      const filler = 'x'.repeat(500);
      const good = Array.from(
        { length: 450_000 },
        (_, index) => `{"name":"${index % 1000}","day":"2016-01-01","filler":"${filler}"}\n`,
      );
      const more = {
        // Nothing reads the filler, and it is a known key all the same.
        structure:
          'name Nullable(String), day Nullable(String), amount Nullable(Int64), filler Nullable(String)',
      };
      const file = await spool(good.join(''));
      await engine.insert(batch(into, file, more));
      assert.deepEqual(await count(into), [450_000]);
      for (const threads of [1, 3]) {
        await engine.insert(batch(into, file, { ...more, settings: { max_threads: threads } }));
        assert.deepEqual(await count(into), [450_000], `again with ${threads} threads`);
      }
      const empty = await newTable();
      good[449_999] = '{"name":"x","day":"never"}\n';
      await assert.rejects(engine.insert(batch(empty, await spool(good.join('')), more)), kind('refused'));
      assert.deepEqual(await count(empty), [0]);
    });

    test('counts a token once and equal rows of another token again', async () => {
      const into = await newTable();
      const file = await spool('{"name":"a","day":"2016-01-01"}\n{"name":"a","day":"2016-01-01"}\n');
      await engine.insert(batch(into, file, { token: "it's 1" }));
      await engine.insert(batch(into, file, { token: "it's 1" }));
      await Promise.all([1, 2, 3].map(() => engine.insert(batch(into, file, { token: "it's 1" }))));
      assert.deepEqual(await count(into), [2]);
      await engine.insert(batch(into, file, { token: "it's 2" }));
      assert.deepEqual(await count(into), [4]);
    });

    test('deletes rows by bound values', async () => {
      const into = await newTable();
      const file = await spool('{"name":"a","day":"2016-01-01"}\n{"name":"b","day":"2016-01-01"}\n');
      await engine.insert(batch(into, file));
      await engine.command({
        account: 'a',
        sql: `ALTER TABLE ${into} DELETE WHERE name = {name:String} AND seq = {seq:UInt64}`,
        params: { name: 'a', seq: 7 },
        settings: { mutations_sync: 2 },
      });
      assert.deepEqual(await ask(`SELECT name FROM ${into}`), [['b']]);
    });

    test('calls a missing table and a missing file a fault', async () => {
      await assert.rejects(ask('SELECT * FROM nowhere'), kind('fault'));
      await assert.rejects(engine.insert(batch(await newTable(), join(folder, 'none'))), kind('fault'));
      await assert.rejects(engine.insert(batch('nowhere', await spool('{}'))), kind('fault'));
    });

    test('calls unreadable text a fault in a query: rows are refused in inserts only', async () => {
      await assert.rejects(ask('SELECT toInt64({text:String})', { text: 'x' }), kind('fault'));
      await assert.rejects(ask("SELECT throwIf(1, 'no')"), kind('fault'));
    });

    test('calls a query too large that takes too long or too much memory', async () => {
      const slow = ask(
        'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)',
        {},
        { max_execution_time: 1 },
      );
      await assert.rejects(slow, kind('too-large'));
      const sql = 'SELECT length(groupArray(number)) FROM numbers(100000000)';
      await assert.rejects(ask(sql, {}, { max_memory_usage: 20_000_000 }), kind('too-large'));
    });

    test('keeps what a failed query had answered so far out of later answers', async () => {
      // So late that a part of the answer has been made; on every session, and twice on each.
      const late = 'SELECT number, throwIf(number = 900000) FROM numbers(1000000)';
      for (let round = 0; round < 2 * suiteLimits.sessions; round += 1) {
        await assert.rejects(ask(late, {}, { max_threads: 1, max_block_size: 1000 }), kind('fault'));
      }
      const sql = 'SELECT {n:UInt8}, sleep(0.05)';
      const asked = Array.from({ length: 3 * suiteLimits.sessions }, (_, n) => ask(sql, { n }));
      const answers = await Promise.all(asked);
      answers.forEach((answer, n) => {
        // Not the rows at once: a million foreign ones take minutes to compare.
        assert.equal(answer.length, 1);
        assert.deepEqual(answer, [[n, 0]]);
      });
    });

    test('refuses calls beyond the queue at once and answers the others', async () => {
      const calls = suiteLimits.sessions + suiteLimits.queueLength;
      const accepted = Array.from({ length: calls }, (_, index) =>
        ask('SELECT sleep(0.02), {i:UInt32}', { i: index }),
      );
      await assert.rejects(ask('SELECT 1'), kind('unavailable'));
      const answers = await Promise.all(accepted);
      assert.deepEqual(
        answers,
        Array.from({ length: calls }, (_, index) => [[0, index]]),
      );
      assert.deepEqual(await ask('SELECT 1'), [[1]]);
    });

    const numbers = (rows: number): EngineStream => ({
      account: 'a',
      sql: 'SELECT number AS n FROM numbers({rows:UInt64}) ORDER BY n DESC',
      params: { rows },
      format: 'Template',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
      settings: { format_template_row_format: '${n:Raw}\n', format_template_rows_between_delimiter: '' },
    });
    const pieces = async (query: EngineStream) => {
      const all: Buffer[] = [];
      for await (const piece of engine.stream(query)) all.push(Buffer.from(piece));
      return all;
    };

    test('streams a whole answer in pieces, in order, with its own values', async () => {
      const got = await pieces(numbers(1_000_000));
      assert.ok(got.length > 2, `${got.length} pieces`);
      const lines = Buffer.concat(got).toString().split('\n');
      assert.equal(lines.pop(), '');
      assert.equal(lines.length, 1_000_000);
      assert.ok(lines.every((line, index) => line === String(999_999 - index)));
      assert.equal(Buffer.concat(await pieces(numbers(0))).toString(), '');
    });

    test('streams an answer as one Parquet file, also without rows', async () => {
      for (const rows of [400_000, 0]) {
        const got = await pieces({ ...numbers(rows), format: 'Parquet', settings: {} });
        const bytes = Buffer.concat(got);
        assert.equal(bytes.indexOf('PAR1'), 0);
        // Without rows it has its footer alone, in one piece: so readers know.
        assert.equal(bytes.readUInt32LE(bytes.length - 8) === bytes.length - 12, rows === 0);
        if (rows === 0) assert.equal(got.length, 1);
        assert.equal(bytes.subarray(-4).toString(), 'PAR1');
        const file = join(folder, `streamed-${rows}.parquet`);
        await writeFile(file, bytes);
        const read = await engine.queryFile({
          account: 'a',
          sql: 'SELECT count(), max(n), any(toTypeName(n)) FROM batch_file',
          format: 'TSV',
          file,
          inputFormat: 'Parquet',
          structure: 'n UInt64',
        });
        const [count, greatest] = Buffer.from(read).toString().split('\t');
        assert.deepEqual([count, greatest], [String(rows), String(Math.max(0, rows - 1))]);
      }
    });

    test('an error before or in the midst of a stream is thrown, and the next one is clean', async () => {
      const bad = { ...numbers(2_000_000), settings: { ...numbers(0).settings, max_threads: 1 } };
      await assert.rejects(pieces({ ...bad, sql: 'SELECT nosuch AS n, {rows:UInt64}' }), kind('fault'));
      let length = 0;
      await assert.rejects(async () => {
        const sql = 'SELECT number + throwIf(number = 1900000) AS n FROM numbers({rows:UInt64})';
        for await (const piece of engine.stream({ ...bad, sql })) {
          const text = Buffer.from(piece).toString();
          length += text.length;
          assert.match(text, /^[\d\n]*$/, 'nothing but rows');
        }
      }, kind('fault'));
      assert.ok(length > 1_000_000);
      for (let turn = 0; turn < 4; turn += 1) {
        assert.equal(Buffer.concat(await pieces(numbers(2))).toString(), '1\n0\n');
      }
    });

    test('a stream whose reader goes is ended, whatever it is at, and its place is free', {
      timeout: 60_000,
    }, async () => {
      const slow = { ...numbers(0), settings: { ...numbers(0).settings, max_block_size: 100 } };
      const running = async () => {
        const seen = await ask(
          "SELECT count() FROM system.processes WHERE Settings['max_block_size'] = '100' AND query LIKE '%sleepEachRow%'",
        );
        return Number((seen as number[][])[0]?.[0]);
      };
      for (let turn = 0; turn < 3; turn += 1) {
        const stop = new AbortController();
        const sql = 'SELECT sum(sleepEachRow(0.001)) AS n FROM numbers({rows:UInt64})';
        const read = pieces({ ...slow, sql, params: { rows: 1_000_000 }, signal: stop.signal });
        while ((await running()) === 0) await setImmediate();
        stop.abort();
        await assert.rejects(read, kind('unavailable'));
        while ((await running()) > 0) await setImmediate();
      }
      for (let turn = 0; turn < 3; turn += 1) {
        for await (const piece of engine.stream(numbers(3_000_000))) {
          assert.ok(piece.length > 0);
          break;
        }
      }
      assert.equal(Buffer.concat(await pieces(numbers(1))).toString(), '0\n');
    });

    test('no more streams run at once than there are places; who leaves the line is not run', async () => {
      const held = ['a', 'b'].map((account) =>
        engine.stream({ ...numbers(3_000_000), account })[Symbol.asyncIterator](),
      );
      assert.equal(held.length, suiteLimits.streams);
      for (const stream of held) assert.equal((await stream.next()).done, false);
      const stop = new AbortController();
      const left = pieces({ ...numbers(1), signal: stop.signal });
      const waiting = pieces(numbers(1));
      stop.abort();
      await assert.rejects(left, kind('unavailable'));
      // Pages go on meanwhile.
      assert.deepEqual(await ask('SELECT 1'), [[1]]);
      await held[0]?.return?.();
      assert.equal(Buffer.concat(await waiting).toString(), '0\n');
      await held[1]?.return?.();
    });

    test('one account does not hold all places while others want one', { timeout: 60_000 }, async () => {
      const held = engine.stream(numbers(3_000_000))[Symbol.asyncIterator]();
      assert.equal((await held.next()).done, false);
      let second = false;
      const waiting = pieces(numbers(1)).finally(() => {
        second = true;
      });
      assert.equal(Buffer.concat(await pieces({ ...numbers(2), account: 'b' })).toString(), '1\n0\n');
      assert.equal(second, false);
      await held.return?.();
      assert.equal(Buffer.concat(await waiting).toString(), '0\n');
    });

    test('answers a ping', async () => {
      await engine.ping();
    });

    test('tells about how many rows large products have', async () => {
      await migrateEngine(engine);
      const days = "toDate('2024-01-01') + intDiv(number, 1000)";
      const rows = (account: string, product: string, count: number) =>
        engine.command({
          account,
          sql: `INSERT INTO acquisitions (accountId, applicationId, date, seq) SELECT '${account}', '${product}', ${days}, 1 FROM numbers(${count})`,
        });
      await rows('sizes', 'LARGE', 200_000);
      await rows('sizes', 'SMALL', 50_000);
      await rows('others', 'LARGE', 90_000);
      const sizes = new ProductSizes(engine, Date);
      const of = (accountId: string, applicationId: string, start: string, end: string) =>
        sizes.rowsOf({ accountId, table: 'acquisitions', applicationId, start, end });
      await sizes.read('sizes', 'acquisitions');
      // Whole granules of 8,192 rows.
      const about = (said: number, rows: number) => assert.ok(Math.abs(said - rows) < 16_384, String(said));
      about(of('sizes', 'LARGE', '2023-01-01', '2025-12-31'), 200_000);
      about(of('sizes', 'LARGE', '2024-01-01', '2024-04-09'), 100_000);
      assert.equal(of('sizes', 'LARGE', '2025-01-01', '2025-12-31'), 0);
      assert.equal(of('sizes', 'SMALL', '2023-01-01', '2025-12-31'), 0);
      await sizes.read('others', 'acquisitions');
      about(of('others', 'LARGE', '2023-01-01', '2025-12-31'), 90_000);
      await sizes.read('others', 'nothing');
      assert.equal(
        sizes.rowsOf({
          ...{ accountId: 'others', table: 'nothing', applicationId: 'LARGE' },
          ...{ start: '2024-01-01', end: '2024-12-31' },
        }),
        0,
      );
    });

    test('makes its tables once and refuses tables of a newer version', async () => {
      await migrateEngine(engine);
      const steps = await readSchema();
      const applied = 'SELECT name FROM schemaSteps ORDER BY name';
      const names = steps.map((step) => [step.name]);
      assert.deepEqual(await ask(applied), names);
      await migrateEngine(engine);
      assert.deepEqual(await ask(applied), names);

      const further = {
        name: '9999-further',
        sql: 'CREATE TABLE IF NOT EXISTS further (a String) ENGINE = {merge_tree:further} ORDER BY a;',
      };
      await migrateEngine(engine, [...steps, further]);
      assert.deepEqual(await count('further'), [0]);
      await assert.rejects(migrateEngine(engine), /made by a newer Storelens \(schema step 9999-further\)/);
    });

    test('ends running and waiting calls before it closes, and takes no more', async () => {
      const closing = await open();
      const running = Array.from({ length: 8 }, () =>
        closing.query({ account: 'a', sql: 'SELECT sleep(0.05)', format: 'TSV' }),
      );
      const closed = closing.close();
      await assert.rejects(
        closing.query({ account: 'a', sql: 'SELECT 1', format: 'TSV' }),
        kind('unavailable'),
      );
      assert.deepEqual(
        (await Promise.all(running)).map((bytes) => Buffer.from(bytes).toString()),
        Array.from({ length: 8 }, () => '0\n'),
      );
      await closed;
      await closing.close();
    });
  });
}
