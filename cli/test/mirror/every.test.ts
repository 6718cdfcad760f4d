/** `storelens mirror` that runs again and again, and how it is stopped. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { type HostileProxy, startProxy, status } from '../hostile-proxy.js';
import { startLab } from '../mirror-lab.js';
import { lines, skip, terminal } from '../terminal.js';

const app = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;
const hour = 3_600_000;

test('a mirror that runs every six hours', { skip }, async (context) => {
  // A terminal has the time of the machine.
  const now = Date.now();
  const isoDaysAgo = (days: number) => new Date(now - days * 24 * hour).toISOString();
  const acquisition = (daysAgo: number, quantity: number) => ({
    ...{ applicationId: app, timestamp: isoDaysAgo(daysAgo), market: 'US', quantity },
  });
  let proxy: HostileProxy | undefined;
  const lab = await startLab(context, {
    ...{ now, products },
    front: async (url) => {
      proxy = await startProxy(context, url);
      return proxy.url;
    },
  });
  assert.ok(proxy);
  const front = proxy;
  await lab.account.ingest('acquisitions', [acquisition(1, 3), acquisition(2, 4)]);
  const what = ['--source', 'source', '--app', app, '--report', 'appacquisitions', '--pace', '0'];
  const run = [...what, '--since', isoDaysAgo(2).slice(0, 10)];
  const summary = (read: number, changed: number, failed: number, rows: number) =>
    'REPORT           PRODUCT       READ  CHANGED  EMPTY  KEPT  FAILED  ROWS  FILES\n' +
    `appacquisitions  ${app}  ${read}     ${changed}        0      0     ${failed}       ${rows}     0\n`;

  await context.test(
    'goes on after a run that failed, and ends when it is told to between runs',
    async () => {
      let process: ChildProcess | undefined;
      const pauses: number[] = [];
      const onWait = async (milliseconds: number) => {
        if (milliseconds < hour) return;
        pauses.push(milliseconds);
        if (pauses.length === 1) front.trick = () => status(500);
        if (pauses.length === 2) {
          front.trick = () => undefined;
          await lab.source.request('/ingest/v1/acquisitions', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify([acquisition(1, 5)]),
          });
        }
        if (pauses.length === 3 && process !== undefined) {
          process.kill('SIGTERM');
          await once(process, 'exit');
        }
      };
      const started = (begun: ChildProcess) => {
        process = begun;
      };
      const { code, out, err } = await lab.mirror([...run, '--every', '6h'], { started, onWait });
      assert.equal(code, 0, err);
      assert.equal(pauses.length, 3);
      assert.ok(
        pauses.every((pause) => pause > 5 * hour && pause <= 6 * hour),
        `${pauses}`,
      );
      // Today has no rows yet, and may still get some.
      assert.equal(out, summary(2, 2, 0, 2) + summary(0, 0, 3, 0) + summary(2, 1, 0, 2));
      const day = isoDaysAgo(2).slice(0, 10);
      assert.equal(
        err,
        `appacquisitions ${app} ${day}: The service failed (500 Trouble).\n` +
          'storelens: 3 days could not be copied; the next run tries again\n',
      );
    },
  );

  for (const [name, code, more] of [
    ['SIGINT', 130, []],
    ['SIGTERM', 143, []],
    ['SIGTERM', 0, ['--every', '6h']],
  ] as const) {
    await context.test(`ends in the middle of a run with ${name} as ${code}`, async () => {
      let process: ChildProcess | undefined;
      // The request that it waits for is never answered.
      front.trick = ({ name: asked }) => (asked === 'token' ? undefined : () => process?.kill(name));
      const started = (begun: ChildProcess) => {
        process = begun;
      };
      const ran = await lab.mirror([...run, ...more], { started });
      assert.equal(ran.code, code, ran.err);
      assert.equal(ran.out, '');
      assert.equal(ran.err, `storelens: stopped by ${name}; the next run goes on from here\n`);
    });
  }

  await context.test('shows at a terminal where it is, and when it runs again', async () => {
    front.trick = () => undefined;
    const steps = [['next run at ', '\x03']] as const;
    const screen = await terminal(lab.place, ['mirror', ...run, '--every', '1d'], { columns: 50, steps });
    assert.equal(screen.code, 0, screen.text);
    const shown = screen.text.split(/[\r\n]+/).map((line) => line.replace(/\x1b\[K/, ''));
    assert.ok(shown.includes(`1/1 appacquisitions ${app} ${run.at(-1)} to 20`), screen.text);
    const next = new Date(Date.now() + 24 * hour).toISOString().slice(0, 10);
    assert.match(screen.text, new RegExp(`\\r\\x1b\\[Knext run at ${next}T\\d\\d:\\d\\dZ`));
    const table = summary(2, 0, 0, 2).split('\n').slice(0, -1);
    assert.deepEqual(lines(screen).slice(0, 2), table, 'and nothing stays but the table');
  });
});
