/** The programmes whose failures a server keeps apart, and how their reports are called. */
import { type ReportEntry, reports } from '@storelens/contract';
import { type Input, type Option, UsageError } from '../command.js';

const sources = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

/** Options that name a programme and a product. */
export const programmeOptions = {
  source: {
    type: 'text',
    value: 'SOURCE',
    help: `Whose failures: ${sources.join(', ')}; default: app.`,
    choices: sources,
  },
  app: { type: 'text', value: 'ID', help: 'Product: app, desktop program or driver.' },
} as const satisfies Readonly<Record<string, Option>>;

/** The programme that the options name. */
export function sourceOf(input: Input): (typeof sources)[number] {
  const text = input.text('source') ?? 'app';
  const source = sources.find((one) => one === text);
  if (source === undefined)
    throw new UsageError(`--source is '${text}'; expected one of ${sources.join(', ')}`);
  return source;
}

/** The report of a programme: `failurehits`, `desktop/failurehits`. */
export function reportOf(source: (typeof sources)[number], name: string): ReportEntry {
  const full = source === 'app' ? name : `${source}/${name}`;
  const entry = Object.hasOwn(reports, full) ? reports[full] : undefined;
  if (entry === undefined) throw new UsageError(`no report has the ${name} of ${source} failures`);
  return entry;
}

/** The parameter for the product, as far as the report takes one. */
export function productOf(entry: ReportEntry, input: Input): Readonly<Record<string, string>> {
  const [parameter] = entry.identity.parameters;
  const id = input.text('app');
  if (parameter === undefined) return {};
  if (id === undefined) throw new UsageError(`these failures belong to a product: name it with --app ID`);
  return { [parameter.name]: id };
}

/** The parameter that names a single failure, its id being `id`. */
export function lookupOf(entry: ReportEntry, id: string): Readonly<Record<string, string>> {
  const [lookup] = entry.lookups ?? [];
  return { [lookup?.parameter ?? 'cabId']: id };
}
