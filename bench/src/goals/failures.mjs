/** Goal 14: exact distinct devices week by failure, beside the same question on the raw table. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createClient } from '../client.mjs';
import { copyEngine, startEngine } from '../contenders/engine.mjs';
import { folderOf } from '../folder.mjs';
import { compared, interleave } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { weekByFailure } from '../questions.mjs';
import { startServer } from '../server.mjs';

const settings = { output_format_json_quote_64bit_integers: 0 };

const ofShape = (rows, shape, id, rounds) =>
  cleanly(async (undo) => {
    const data = await folderOf('failures', rows, shape);
    const server = await startServer(data.folder);
    undo(() => server.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(data);
    // Copied once the server has opened the folder: whatever it had to migrate is migrated in both.
    const copy = await copyEngine(data.folder);
    undo(() => rm(copy, { recursive: true, force: true }));
    const engine = await startEngine(copy);
    undo(() => engine.stop());

    // The first day differs from round to round, so that no answer is a remembered one.
    const ask = (round) => {
      const { report, parameters } = weekByFailure(data.accountId, round + 5);
      return client.ask(report, parameters);
    };
    const direct = (round) =>
      engine.query(weekByFailure(data.accountId, round + 5).sql, 'JSONCompactEachRow', settings);

    const said = JSON.parse((await ask(-4)).body.toString());
    assert.equal(said['@nextLink'], null, 'the answer is one page');
    const rowsSaid = said.Value.map(({ date, failureName, deviceCount, eventCount }) =>
      JSON.stringify([String(date).slice(0, 10), failureName, deviceCount, eventCount]),
    );
    const { bytes } = await direct(-4);
    const rowsRaw = bytes.toString().trim().split('\n');
    assert.equal(rowsSaid.length, rowsRaw.length, 'server and raw table have as many rows');
    for (const [index, row] of rowsRaw.entries())
      assert.equal(rowsSaid[index], JSON.stringify(JSON.parse(row)));

    const measured = await interleave(
      {
        server: async (round) => (await ask(round)).milliseconds,
        raw: async (round) => (await direct(round)).milliseconds,
      },
      rounds * 2,
      { warmUp: 2, processes: { server: server.pid, raw: engine.pid } },
    );
    const remark = `${rowsSaid.length} rows`;
    return { id, rows, shape, remark, ...compared(measured, 'server', 'raw') };
  });

/** Measures on the failures of one size, in both shapes. */
export const failures = async ({ rows, rounds }) => [
  await ofShape(rows, 'dense', 'devicesDense', rounds),
  await ofShape(rows, 'sparse', 'devicesSparse', rounds),
];
