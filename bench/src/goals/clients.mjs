/** Goal 9: one client, 32 and more than the server takes. Every question is new, so that no answer is remembered. */
import assert from 'node:assert/strict';
import { createClient, load } from '../client.mjs';
import { appId, apps } from '../data.mjs';
import { folderOf } from '../folder.mjs';
import { median } from '../measure.mjs';
import { cleanly } from '../processes.mjs';
import { fullGrain, small } from '../questions.mjs';
import { startServer } from '../server.mjs';

const many = 32;
const crowd = 400;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Measures on the sparse acquisitions of one size. */
export const clients = ({ rows, rounds, quick }) =>
  cleanly(async (undo) => {
    const data = await folderOf('acquisitions', rows, 'sparse');
    const server = await startServer(data.folder);
    undo(() => server.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(data);
    const seconds = quick ? 1 : 4;

    const hot = fullGrain(data.accountId);
    const first = await client.ask(hot.report, hot.parameters);
    const { TotalCount: total } = JSON.parse(first.body.toString());
    let asked = 0;
    const newSmall = () => {
      asked += 1;
      // Days of every month begin elsewhere, so that a thousand apps have 28,000 questions.
      return small(data.accountId, appId(1 + (asked % apps)), 1 + (Math.floor(asked / apps) % 28));
    };
    const smallOnce = async () => {
      const { report, parameters } = newSmall();
      await client.ask(report, parameters);
    };
    const pageOnce = async () => {
      asked += 1;
      const skip = (asked * 37) % Math.max(1, total - 10_000);
      await client.ask(hot.report, { ...hot.parameters, skip, top: 10_000 });
    };

    const figures = [];
    let crowdUnder = Number.NaN;
    for (const [suffix, once] of [
      ['Small', smallOnce],
      ['Pages', pageOnce],
    ]) {
      await load(many, seconds / 2, once);
      const rates = { 1: [], [many]: [] };
      const lags = [];
      for (let round = 0; round < Math.max(2, rounds >> 1); round += 1) {
        rates[1].push(await load(1, seconds, once));
        await server.metric('nodejs_eventloop_lag_p99_seconds');
        rates[many].push(await load(many, seconds, once));
        // The timer behind the metric counts its own 10 milliseconds.
        lags.push((await server.metric('nodejs_eventloop_lag_p99_seconds')) * 1000 - 10);
      }
      const perSecond = { '1 client': rates[1], [`${many} clients`]: rates[many] };
      const value = median(rates[many]) / median(rates[1]);
      figures.push({ id: `clients${suffix}`, rows, value, times: perSecond, of: '/s' });
      const remark = 'less the 10 ms that the meter itself waits';
      figures.push({ id: `lag${suffix}`, rows, value: median(lags), times: { lag: lags }, remark });
      if (suffix === 'Small') crowdUnder = median(rates[many]);
    }

    let refused = 0;
    let answered = 0;
    const began = performance.now();
    await load(crowd, seconds * 2, async () => {
      const { report, parameters } = newSmall();
      const query = new URLSearchParams(parameters).toString();
      const answer = await client.send('GET', `/v1.0/my/analytics/${report}?${query}`);
      if (answer.status === 200) {
        answered += 1;
        return;
      }
      assert.equal(answer.status, 503, 'beyond capacity requests are refused with 503');
      assert.ok(Number(answer.headers['retry-after']) > 0, 'and told when to come back');
      refused += 1;
      // Much sooner than they were told.
      await pause(100);
    });
    const rate = (answered * 1000) / (performance.now() - began);
    assert.ok(refused > 0, 'so many clients are beyond capacity');
    const remark = `${answered} answered, ${refused} refused`;
    figures.push({ id: 'crowd', rows, value: rate / crowdUnder, times: { crowd: [rate] }, of: '/s', remark });
    await client.ask(hot.report, hot.parameters);
    return figures;
  });
