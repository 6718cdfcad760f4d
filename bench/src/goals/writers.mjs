/**
 * Goal 11: many writers with small batches, beside one insert a request, and what readers notice of them. A second server
 * stores every batch alone: the difference is what groups give.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { batchFiles } from '../batches.mjs';
import { createClient, load } from '../client.mjs';
import { copyEngine, startEngine } from '../contenders/engine.mjs';
import { startInserts } from '../contenders/inserts.mjs';
import { appId, apps } from '../data.mjs';
import { copyOf, folderOf } from '../folder.mjs';
import { median, quantile } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { small } from '../questions.mjs';
import { startServer } from '../server.mjs';
import { startWriters } from '../writer.mjs';

const writers = 64;
const lines = 100;
const readers = 2;

/** Rows that an engine folder holds. */
const held = (folder) =>
  cleanly(async (undo) => {
    const engine = await startEngine(folder);
    undo(() => engine.stop());
    const { bytes } = await engine.query('SELECT count() FROM acquisitions', 'TSV');
    return Number(bytes.toString());
  });

/** Measures on a copy of the sparse acquisitions of one size. */
export const writing = ({ rows, rounds, quick }) =>
  cleanly(async (undo) => {
    const original = await folderOf('acquisitions', rows, 'sparse');
    const files = await batchFiles(original);
    undo(() => rm(files.folder, { recursive: true, force: true }));
    const data = await copyOf(original, 'writing');
    undo(() => rm(data.folder, { recursive: true, force: true }));
    const copy = await copyEngine(data.folder);
    undo(() => rm(copy, { recursive: true, force: true }));
    const seconds = quick ? 2 : 5;

    const apart = await copyOf(original, 'writing-alone');
    undo(() => rm(apart.folder, { recursive: true, force: true }));

    let server = await startServer(data.folder);
    undo(() => server?.stop());
    let single = await startServer(apart.folder, ['--ingest-group', '1']);
    undo(() => single?.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    const authorization = await client.signIn(data);
    const ingest = { path: '/ingest/v1/acquisitions', from: files.ndjson, lines };
    const own = startWriters({ ...ingest, url: server.url, authorization });
    undo(() => own.stop());
    const other = createClient(single.url);
    undo(() => other.close());
    const alone = startWriters({ ...ingest, url: single.url, authorization: await other.signIn(apart) });
    undo(() => alone.stop());
    let handler = await startInserts(copy);
    undo(() => handler?.stop());
    const plain = startWriters({ url: handler.url, path: '/insert', from: files.bytes, lines });
    undo(() => plain.stop());

    let asked = 0;
    const read = async (milliseconds) => {
      asked += 1;
      const app = appId(1 + (asked % apps));
      const { report, parameters } = small(data.accountId, app, 1 + (Math.floor(asked / apps) % 28));
      milliseconds.push((await client.ask(report, parameters)).milliseconds);
    };

    const rates = { server: [], 'one insert a request': [] };
    const grouped = { server: rates.server, 'groups of one': [] };
    const latencies = { beside: [], alone: [] };
    const stored = { own: 0, plain: 0, alone: 0 };
    const refused = { own: 0, plain: 0, alone: 0 };
    const write = async (who, name, list) => {
      const said = await who.write(writers, seconds);
      stored[name] += said.rows;
      refused[name] += said.refused;
      list.push(said.rate);
    };
    await write(own, 'own', []);
    await write(plain, 'plain', []);
    await write(alone, 'alone', []);
    await load(readers, 1, () => read([]));
    for (let round = 0; round < Math.max(2, rounds >> 1); round += 1) {
      await write(own, 'own', rates.server);
      await write(plain, 'plain', rates['one insert a request']);
      await write(alone, 'alone', grouped['groups of one']);
      await load(readers, seconds, () => read(latencies.alone));
      await Promise.all([write(own, 'own', []), load(readers, seconds, () => read(latencies.beside))]);
    }
    await server.stop();
    server = undefined;
    await single.stop();
    single = undefined;
    await handler.stop();
    handler = undefined;
    assert.equal(
      await held(join(data.folder, 'engine')),
      rows + stored.own,
      'every acknowledged row is stored once',
    );
    assert.equal(await held(join(apart.folder, 'engine')), rows + stored.alone, 'also without groups');
    assert.equal(await held(copy), rows + stored.plain, 'and every plain one');

    return [
      {
        id: 'writers',
        rows,
        value: median(rates.server) / median(rates['one insert a request']),
        times: rates,
        of: 'rows/s',
        remark: `${refused.own} requests were told to come back`,
      },
      {
        id: 'groups',
        rows,
        value: median(rates.server) / median(grouped['groups of one']),
        times: grouped,
        of: 'rows/s',
      },
      {
        id: 'readers',
        rows,
        value: quantile(latencies.beside, 0.99) / quantile(latencies.alone, 0.99),
        times: latencies,
      },
    ];
  });
