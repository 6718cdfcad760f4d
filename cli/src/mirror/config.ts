/** What a mirror copies: from the configuration file, with the command's options before it. */
import { readFile } from 'node:fs/promises';
import { mirrorTables, type ReportEntry } from '@storelens/contract';
import { type Input, RefusedError, UsageError } from '../command.js';
import { dayOf } from '../report/days.js';
import type { Subject } from './source.js';

/** What to copy, from where to where, and how eagerly. */
export interface MirrorConfig {
  /** Names of profiles; undefined: the account that commands act for without one. */
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly subjects: readonly Subject[];
  /** First day, `yyyy-MM-dd`. */
  readonly since: string;
  readonly recentDays: number;
  readonly failureDays: number;
  /** Milliseconds between two requests to the source. */
  readonly pace: number;
  /** Milliseconds between two runs; undefined: one run. */
  readonly every: number | undefined;
}

type Kind = 'app' | 'desktop' | 'driver';

/** Names of the reports that can be copied. */
export const reportNames = Object.keys(mirrorTables);

/** The configuration file where nothing else is said. */
export const defaultFile = 'storelens-mirror.json';

/** Timers hold no longer time, and a source forgets meanwhile. */
const longestPeriod = 24 * 86_400_000;

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Values = Readonly<Record<string, unknown>>;

/** Reads file and options. Throws UsageError for what cannot be meant, RefusedError for a file that cannot be read. */
export async function readConfig(input: Input, now: number): Promise<MirrorConfig> {
  const values = await fileOf(input.text('config'), input.text('config') ?? defaultFile);
  const text = (key: string, option = key): string | undefined => {
    const given = input.text(option) ?? values[key];
    if (given === undefined || typeof given === 'string') return given;
    if (typeof given === 'number') return String(given);
    throw new UsageError(
      `${key} of the configuration is ${JSON.stringify(given)}; expected a text or a number`,
    );
  };
  const number = (
    key: string,
    option: string,
    otherwise: number,
    least: number,
    greatest: number,
  ): number => {
    const given = text(key, option);
    if (given === undefined) return otherwise;
    const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= greatest) return value;
    throw new UsageError(`${option} is '${given}'; expected a number from ${least} to ${greatest}`);
  };
  const every = text('every');
  return {
    source: text('source'),
    target: text('target'),
    subjects: subjectsOf(productsOf(input, values), namesOf(input, values)),
    since: dayOf(text('since') ?? '90d', 'since', now).slice(0, 10),
    recentDays: number('recentDays', 'recent-days', 10, 0, 365),
    failureDays: number('failureDays', 'failure-days', 30, 1, 36_500),
    pace: Math.round(1000 * number('pace', 'pace', 3.3, 0, 3600)),
    every: every === undefined || input.flag('once') ? undefined : periodOf(every),
  };
}

const keys = [
  'source',
  'target',
  'products',
  'reports',
  'since',
  'recentDays',
  'failureDays',
  'pace',
  'every',
];

async function fileOf(named: string | undefined, file: string): Promise<Values> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new RefusedError(`the configuration cannot be read: ${(error as Error).message}`);
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${(error as Error).message}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(`${file} holds no JSON object`);
  }
  const unknown = Object.keys(values).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new UsageError(`${file} has '${unknown}'; expected ${keys.join(', ')}`);
  return values as Values;
}

function textsOf(value: unknown, what: string): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')) return value;
  throw new UsageError(`${what} is ${JSON.stringify(value)}; expected a list of texts`);
}

function productsOf(input: Input, { products = {} }: Values): Readonly<Record<Kind, readonly string[]>> {
  const stored: Values = Array.isArray(products) ? { app: products } : (products as Values);
  const unknown = Object.keys(stored).find((kind) => !['app', 'desktop', 'driver'].includes(kind));
  if (unknown !== undefined) throw new UsageError(`products has '${unknown}'; expected app, desktop, driver`);
  const given = { app: input.list('app'), desktop: input.list('desktop'), driver: input.list('driver') };
  const named = Object.values(given).some((ids) => ids !== undefined);
  const of = (kind: Kind) => given[kind] ?? (named ? [] : textsOf(stored[kind] ?? [], `products.${kind}`));
  return { app: of('app'), desktop: of('desktop'), driver: of('driver') };
}

function namesOf(input: Input, { reports }: Values): readonly string[] | undefined {
  const names = input.list('report') ?? (reports === undefined ? undefined : textsOf(reports, 'reports'));
  const unknown = names?.find((name) => !Object.hasOwn(mirrorTables, name));
  if (unknown === undefined) return names;
  throw new UsageError(`'${unknown}' is no report that can be copied; expected ${reportNames.join(', ')}`);
}

/** All pairs that make sense, what expires soonest first. */
function subjectsOf(
  products: Readonly<Record<Kind, readonly string[]>>,
  names: readonly string[] | undefined,
): readonly Subject[] {
  const entries = Object.values(mirrorTables)
    .map(({ report }) => report)
    .filter(({ name }) => names === undefined || names.includes(name));
  const subjects = entries.flatMap((entry): readonly Subject[] => {
    // Reports on the whole account need not concern these products: they are copied where they are named.
    if (entry.identity.needs === 'none')
      return names === undefined ? [] : [{ entry, applicationId: undefined }];
    const ids = products[kindOf(entry)];
    if (ids.length === 0 && names !== undefined) {
      throw new UsageError(
        `${entry.name} needs a product: --${kindOf(entry)} ID, or products.${kindOf(entry)}`,
      );
    }
    return ids.map((applicationId) => ({ entry, applicationId }));
  });
  if (subjects.length === 0) {
    throw new UsageError(
      `nothing to copy: name products with --app, --desktop or --driver, or in ${defaultFile}`,
    );
  }
  const expires = ({ entry }: Subject) => (entry.name.includes('failure') ? 0 : 1);
  return subjects.toSorted((one, other) => expires(one) - expires(other));
}

function kindOf({ identity }: ReportEntry): Kind {
  const kind = identity.parameters.find(({ name }) => name === 'applicationId')?.kind;
  return kind === 'desktop' || kind === 'driver' ? kind : 'app';
}

function periodOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const period = Number(count) * (units[unit as keyof typeof units] ?? 0);
  if (period > 0 && period <= longestPeriod) return period;
  throw new UsageError(`every is '${text}'; expected a time such as 30m, 6h or 1d, of 24 days at most`);
}
