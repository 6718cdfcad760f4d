/** Goals 8, 12 and 13: what ten times the events, an idle server and a start cost. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { createClient } from '../client.mjs';
import { emptyFolder, folderOf } from '../folder.mjs';
import { compared, interleave } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { fullGrain } from '../questions.mjs';
import { startServer } from '../server.mjs';

/** A page of the hot app, each time another, by a server that stays up. */
async function pager(data, undo) {
  const server = await startServer(data.folder);
  undo(() => server.stop());
  const client = createClient(server.url);
  undo(() => client.close());
  await client.signIn(data);
  const { report, parameters } = fullGrain(data.accountId);
  const ask = (skip) => client.ask(report, { ...parameters, skip, top: 10_000 });
  assert.ok(JSON.parse((await ask(0)).body.toString()).Value.length > 1000, 'there is a page to ask for');
  return { pid: server.pid, page: async (round) => (await ask(100 + 7 * round)).milliseconds };
}

/** Page latency on a tenth of the events and on all, both from a warm index. */
const largePage = (rows, shape, rounds) =>
  cleanly(async (undo) => {
    const some = await folderOf('acquisitions', rows / 10, shape);
    const all = await folderOf('acquisitions', rows, shape);
    const [tenth, whole] = [await pager(some, undo), await pager(all, undo)];
    const measured = await interleave({ all: whole.page, tenth: tenth.page }, rounds * 2, {
      warmUp: 3,
      processes: { all: whole.pid, tenth: tenth.pid },
    });
    return { id: 'largePage', rows, shape, ...compared(measured, 'all', 'tenth') };
  });

/** Time from spawning to the ready line, on a folder and on none. */
const starts = (rows, rounds) =>
  cleanly(async (undo) => {
    const data = await folderOf('acquisitions', rows, 'sparse');
    const empty = await emptyFolder('empty');
    undo(() => rm(empty, { recursive: true, force: true }));
    const start = async (folder) => {
      const server = await startServer(folder);
      await server.stop();
      return server.startMilliseconds;
    };
    const measured = await interleave(
      {
        full: () => start(data.folder),
        async empty() {
          await emptyFolder('empty');
          return await start(empty);
        },
      },
      Math.max(3, rounds >> 1),
    );
    return { id: 'start', rows, shape: 'sparse', ...compared(measured, 'full', 'empty') };
  });

/** Memory of a server that has started and answered one page; three seconds later it has nothing left to do. */
const idle = (rows) =>
  cleanly(async (undo) => {
    const data = await folderOf('acquisitions', rows, 'sparse');
    const server = await startServer(data.folder);
    undo(() => server.stop());
    const settle = () => new Promise((resolve) => setTimeout(resolve, 3000));
    await settle();
    const started = server.memory().now / 1e6;
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(data);
    const { report, parameters } = fullGrain(data.accountId);
    await client.ask(report, parameters);
    await settle();
    const remark = `after the first page ${(server.memory().now / 1e6).toFixed(0)} MB`;
    return { id: 'idle', rows, value: started, times: {}, remark };
  });

/** Measures on acquisitions of `large` rows and, if quick, on the few there are. */
export const scale = async ({ large, rounds, quick }) => [
  await largePage(large, 'sparse', rounds),
  ...(quick ? [] : [await largePage(large, 'dense', rounds)]),
  await starts(large, rounds),
  await idle(large),
];
