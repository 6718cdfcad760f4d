/** `storelens doctor`: looks at everything that a call needs, one thing at a time, and says what to do about each. */
import { type Account, accountOf, accountOptions, connectTo } from '../account.js';
import { type Command, type Context, type Input, RefusedError } from '../command.js';
import { checks, type Finding } from '../doctor/checks.js';
import { aligned } from '../output.js';

const marks = { ok: 'ok', note: 'note', failed: 'FAILED', skipped: '-' } as const;

/** Looks for what is wrong. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Find out why calls fail: proxy, address, TLS, clock, token, role, product, dates',
  actions: {
    '': {
      summary: 'Find out why calls fail: proxy, address, TLS, clock, token, role, product, dates',
      options: {
        app: {
          type: 'text',
          value: 'ID',
          help: 'An app whose data should be there; otherwise none is looked at.',
        },
        json: { type: 'flag', help: 'Print JSON.' },
        ...accountOptions,
      },
      notes: [
        'Sends nothing but questions. What depends on something that failed is not looked at. The exit code is 0, or',
        'that of the first check that failed: see `storelens help`.',
      ],
      run,
    },
  },
};

async function run(input: Input, context: Context): Promise<void> {
  const account: Account = await accountOf(input, context);
  const client = connectTo(account, input, { retries: { attempts: 1 }, timeout: 30_000 });
  const { variables } = context.environment;
  const version = process.versions.node;
  const patient = { account, client, app: input.text('app'), now: context.now, variables, version };
  const found = new Map<string, Finding>();
  for (const { name, needs, look } of checks) {
    const missing = needs.find((need) => {
      const state = found.get(need)?.state;
      return state === 'failed' || state === 'skipped';
    });
    const finding: Finding =
      missing === undefined
        ? await look(patient)
        : { state: 'skipped', told: `not looked at, because of ${missing}` };
    found.set(name, finding);
    if (input.flag('json')) continue;
    const lines = [[marks[finding.state], name, finding.told]];
    if (finding.advice !== undefined) lines.push(['', '', finding.advice]);
    // Columns of their own width: each check shows as soon as it is done.
    context.out.write(aligned([['FAILED', 'audience'], ...lines]).replace(/^.*\n/, ''));
  }
  const all = [...found].map(([name, { state, told, advice }]) => ({ check: name, state, told, advice }));
  if (input.flag('json')) context.out.write(`${JSON.stringify(all)}\n`);
  const failed = [...found.values()].filter(({ state }) => state === 'failed');
  const [first] = failed;
  if (first !== undefined)
    throw new RefusedError(
      `${failed.length} ${failed.length === 1 ? 'check' : 'checks'} failed`,
      first.exitCode ?? 1,
    );
}
