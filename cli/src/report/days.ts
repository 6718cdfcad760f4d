/** Days as people give them: `2026-05-31`, `today`, `yesterday`, or so long ago: `30d`, `12w`, `6m`, `2y`. All in UTC. */
import { UsageError } from '../command.js';

const day = 86_400_000;
/** No store has older data, and years before it have no four digits. */
const longestAgo = 200;

/** The day as `yyyy-MM-dd`, `now` in milliseconds. Hours (`2026-05-31 09:00:00`) stay as they are. */
export function dayOf(text: string, option: string, now: number): string {
  const iso = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (text === 'today') return iso(now);
  if (text === 'yesterday') return iso(now - day);
  const ago = /^(\d{1,5})([dwmy])$/.exec(text);
  const count = Number(ago?.[1]);
  const perYear = { d: 366, w: 53, m: 12, y: 1 }[ago?.[2] ?? ''] ?? 1;
  if (ago !== null && count <= longestAgo * perYear) {
    if (ago[2] === 'd' || ago[2] === 'w') return iso(now - count * (ago[2] === 'd' ? day : 7 * day));
    return iso(monthsBefore(now, ago[2] === 'm' ? count : 12 * count));
  }
  if (
    /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/.test(text) &&
    !Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00Z`))
  )
    return text;
  throw new UsageError(
    `--${option} is '${text}'; expected a day such as ${iso(now)}, today, yesterday, or a time ago such as 30d, 12w, 6m, 2y`,
  );
}

/** So many months earlier, on the last day of the month if it has no such day. */
function monthsBefore(time: number, months: number): number {
  const date = new Date(time);
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  return first.getTime() + (Math.min(date.getUTCDate(), last) - 1) * day;
}
