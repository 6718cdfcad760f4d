/**
 * `@nextLink` as the vendor prints it: relative to the analytics base, canonical names, effective defaults spelt
 * out, values unencoded but for the characters that would end or change a parameter. The server accepts what it
 * hands out. The absolute form is an ordinary encoded URL.
 */
import type { ReportEntry } from '@storelens/contract';
import { type Day, formatDay } from './dates.js';
import { hourText } from './range.js';
import type { Question } from './validate.js';

/** How links are written. */
export interface LinkForm {
  readonly absolute: boolean;
  readonly snapshot: boolean;
  /** Origin for absolute links. */
  readonly publicUrl: string;
}

/** The link of the page that starts at `skip`, read at `snapshot`. */
export function nextLink(question: Question, skip: number, snapshot: number, form: LinkForm): string {
  const encode = form.absolute ? encodeURIComponent : encodeBreaking;
  const query = linkParameters(question, skip, form.snapshot ? snapshot : undefined)
    .map(([name, value]) => `${name}=${encode(value)}`)
    .join('&');
  const base = form.absolute ? `${form.publicUrl}/v1.0/my/analytics/` : '';
  return `${base}${question.entry.name}?${query}`;
}

/** Canonical text of a question without its page, equal for all pages of a paging run. */
export function questionKey(question: Question): string {
  return `${question.entry.name}?${linkParameters(question, 0, undefined)
    .filter(([name]) => name !== 'top' && name !== 'skip')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')}`;
}

function linkParameters(question: Question, skip: number, snapshot: number | undefined): [string, string][] {
  const { entry, order, groupby } = question;
  const parameters: [string, string][] = identityParameters(entry, question);
  for (const { lookup, value } of question.lookups) parameters.push([lookup.parameter, value]);
  if (question.level !== undefined) parameters.push(['aggregationLevel', question.level]);
  parameters.push(...rangeParameters(question));
  parameters.push(['top', String(question.top)], ['skip', String(skip)]);
  if (groupby !== undefined) parameters.push(['groupby', groupby.map(({ name }) => name).join(',')]);
  if (question.filterText !== undefined) parameters.push(['filter', question.filterText]);
  if (order.length > 0) {
    const terms = order.map(({ field, descending, spelt }) =>
      spelt ? `${field.name} ${descending ? 'desc' : 'asc'}` : field.name,
    );
    parameters.push(['orderby', terms.join(',')]);
  }
  if (snapshot !== undefined) parameters.push(['snapshot', String(snapshot)]);
  return parameters;
}

function rangeParameters({ entry, start, end, hours }: Question): [string, string][] {
  if (entry.dates === undefined) return [];
  const text = (day: Day, hour: number | undefined) =>
    hour === undefined ? formatDay(day, entry.linkDates ?? 'yyyy-MM-dd') : hourText(day, hour);
  return [
    ['startDate', text(start, hours?.first)],
    ['endDate', text(end, hours?.last)],
  ];
}

function identityParameters(entry: ReportEntry, question: Question): [string, string][] {
  // Parameters are listed with the one that wins first; links print them in the order of the vendor's samples.
  const names = ['applicationId', 'inAppProductId'] as const;
  return names.flatMap((name): [string, string][] => {
    if (!entry.identity.parameters.some((parameter) => parameter.name === name)) return [];
    const product = question.products.find(({ column }) => column === name)?.product;
    if (product === undefined && entry.identity.linkShowsAbsent !== true) return [];
    return [[name, product?.id ?? '']];
  });
}

const breaking = /[%&#+\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function encodeBreaking(value: string): string {
  return value.replace(breaking, encodeURIComponent);
}
