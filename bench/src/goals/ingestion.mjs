/** Goal 10: batches of 100,000 rows, sent over HTTP, checked and durable, beside the engine's plain bytes insert. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { batchFiles, checksum } from '../batches.mjs';
import { createClient } from '../client.mjs';
import { copyEngine, startEngine } from '../contenders/engine.mjs';
import { emptyFolder, folderOf, register } from '../folder.mjs';
import { compared, interleave, median } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { startServer } from '../server.mjs';

/** What an engine folder holds. */
const held = (folder) =>
  cleanly(async (undo) => {
    const engine = await startEngine(folder);
    undo(() => engine.stop());
    const { bytes } = await engine.query(checksum, 'TSV');
    return bytes.toString().trim().split('\t').map(BigInt);
  });

/** Measures with rows of the sparse acquisitions; the batches are the same at every size. */
export const ingestion = ({ rows, rounds }) =>
  cleanly(async (undo) => {
    const files = await batchFiles(await folderOf('acquisitions', rows, 'sparse'));
    undo(() => rm(files.folder, { recursive: true, force: true }));
    const folder = await emptyFolder('ingestion');
    undo(() => rm(folder, { recursive: true, force: true }));

    let server = await startServer(folder);
    undo(() => server?.stop());
    const account = await register(server);
    await server.stop();
    const copy = await copyEngine(folder);
    undo(() => rm(copy, { recursive: true, force: true }));
    server = await startServer(folder);
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(account);
    let engine = await startEngine(copy);
    undo(() => engine?.stop());

    const bodies = { ndjson: await readFile(files.ndjson), parquet: await readFile(files.parquet) };
    let batches = 0;
    const post = async (body, type) => {
      const answer = await client.send('POST', '/ingest/v1/acquisitions', { 'content-type': type }, body);
      if (answer.status < 300) batches += 1;
      return answer;
    };
    const parquetType = 'application/vnd.apache.parquet';
    const takesParquet = (await post(bodies.parquet, parquetType)).status !== 415;
    const send = async (body, type) => {
      const answer = await post(body, type);
      assert.equal(answer.status, 200, answer.body.toString().slice(0, 500));
      assert.equal(JSON.parse(answer.body.toString()).accepted, files.count);
      return answer.milliseconds;
    };
    let inserts = 0;
    const contenders = {
      ndjson: () => send(bodies.ndjson, 'application/x-ndjson'),
      'plain bytes': () => {
        inserts += 1;
        return engine.insert('acquisitions', files.bytes, 'JSONEachRow', `bench-${inserts}`);
      },
      ...(takesParquet && { parquet: () => send(bodies.parquet, parquetType) }),
    };
    const processes = { ndjson: server.pid, 'plain bytes': engine.pid, parquet: server.pid };
    const measured = await interleave(contenders, rounds, { warmUp: 2, processes });
    await server.stop();
    server = undefined;
    await engine.stop();
    engine = undefined;

    const [count, sum] = await held(join(folder, 'engine'));
    const [plainCount, plainSum] = await held(copy);
    assert.equal(count, BigInt(batches * files.count), 'every batch is stored once');
    assert.equal(plainCount, BigInt(inserts * files.count), 'and every plain insert');
    const wrapped = (value) => BigInt.asUintN(64, value);
    assert.equal(
      wrapped(sum * BigInt(inserts)),
      wrapped(plainSum * BigInt(batches)),
      'both stored the same rows',
    );

    const perSecond = (name) => `${Math.round(files.count / median(measured.times[name]))},000 rows/s`;
    const batch = {
      id: 'batch',
      rows: files.count,
      remark: `${perSecond('ndjson')}, plain ${perSecond('plain bytes')}`,
      ...compared(measured, 'ndjson', 'plain bytes'),
    };
    if (!takesParquet) return [batch];
    const remark = perSecond('parquet');
    return [batch, { id: 'parquet', rows: files.count, remark, ...compared(measured, 'ndjson', 'parquet') }];
  });
