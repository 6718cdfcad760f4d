/**
 * SQL text that both adapters send: output format and settings clauses, the batch insert, the check that every
 * placeholder has a value. Settings and column lists come from our own code only; values of requests are bound.
 */
import type { EngineBatch, EngineParams, EngineQuery, EngineSettings, EngineValue } from './index.js';

/**
 * Settings without which a batch is not one block and so not one atomic insert (docs/decisions, commits). They
 * are sent to the embedded engine as well, and name defaults too: a server's profile may say otherwise.
 */
const batchSettings: EngineSettings = {
  max_insert_block_size: 1_000_000,
  min_insert_block_size_rows: 1_000_000,
  min_insert_block_size_bytes: 4_000_000_000,
  max_insert_threads: 1,
  insert_deduplicate: 1,
  optimize_on_insert: 0,
  async_insert: 0,
  input_format_skip_unknown_fields: 0,
};

/** Escapes as in ClickHouse's tab-separated and quoted texts; a quote needs it inside arrays only. */
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Text of a value as ClickHouse reads it for a placeholder. */
export function valueText(value: EngineValue): string {
  if (typeof value === 'string') return value.replace(/[\\\0\b\f\n\r\t]/g, (char) => escapes[char] ?? char);
  if (typeof value === 'object') return `[${value.map(elementText).join(',')}]`;
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} cannot be bound`);
  return String(value);
}

function elementText(value: string | number): string {
  if (typeof value === 'number') return valueText(value);
  return `'${value.replace(/[\\'\0\b\f\n\r\t]/g, (char) => escapes[char] ?? char)}'`;
}

/** Quotes text as a ClickHouse string literal. Not for values of requests: those are bound. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function quoteName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError(`'${name}' is not a plain identifier`);
  return `\`${name}\``;
}

/** Settings as `SET` and `SETTINGS` take them. */
export function assignments(settings: EngineSettings): string {
  const parts = Object.entries(settings).map(([name, value]) => {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new TypeError(`'${name}' is not a setting name`);
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new TypeError(`setting ${name}: ${value}`);
    return `${name}=${typeof value === 'number' ? value : quoteText(value)}`;
  });
  return parts.join(', ');
}

function settingsClause(settings: EngineSettings): string {
  const text = assignments(settings);
  return text === '' ? '' : `\nSETTINGS ${text}`;
}

/** What an adapter does to SQL text with placeholders; nothing where it sends the values beside the text. */
export type Bind = (sql: string) => string;

const asIs: Bind = (sql) => sql;

/** Name and type of a placeholder. */
export const placeholder = /\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]+?)\s*\}/g;

/**
 * Refuses SQL with a placeholder that has no value, and values without a placeholder, for both adapters alike.
 */
function checkPlaceholders(sql: string, params: EngineParams): void {
  const names = new Set(Array.from(sql.matchAll(placeholder), (match) => match[1] ?? ''));
  for (const name of names) {
    if (!Object.hasOwn(params, name)) throw new TypeError(`placeholder {${name}} has no value`);
  }
  for (const name of Object.keys(params)) {
    if (!names.has(name)) throw new TypeError(`value '${name}' has no placeholder`);
  }
}

/** Text of a read, with its format and settings. */
export function queryText(
  { sql, params = {}, format, settings = {} }: EngineQuery,
  bind: Bind = asIs,
): string {
  checkPlaceholders(sql, params);
  if (!/^[A-Za-z]\w*$/.test(format)) throw new TypeError(`'${format}' is not a format name`);
  return `${bind(sql)}\nFORMAT ${format}${settingsClause(settings)}`;
}

/** Text that puts the answer of a read into a table expression such as `file(...)`. */
export function exportText(
  { sql, params = {}, settings = {} }: Omit<EngineQuery, 'format'>,
  target: string,
  bind: Bind = asIs,
): string {
  checkPlaceholders(sql, params);
  return `INSERT INTO FUNCTION ${target}${settingsClause(settings)}\n${bind(sql)}`;
}

/** Text of a read of a file, which a table expression stands for. */
export function fileQueryText(query: EngineQuery, source: string, bind: Bind = asIs): string {
  return queryText(query, (sql) => bind(sql).replace('batch_file', () => source));
}

/** Text of a statement without an answer. */
export function commandText(
  { sql, params = {}, settings = {} }: Omit<EngineQuery, 'format'>,
  bind: Bind = asIs,
): string {
  checkPlaceholders(sql, params);
  return `${bind(sql)}${settingsClause(settings)}`;
}

/**
 * Text of a batch insert that reads rows from a table expression (`file(...)`, `input(...)`). A check that
 * comes out as NULL counts as bad: the row would otherwise be dropped in silence. `ignore(i.*)` has every column
 * read: `file()` takes a key whose column nothing reads for an unknown one, `input()` does not.
 */
export function insertText(batch: EngineBatch, source: string, bind: Bind = asIs): string {
  const { table, columns, expressions, bad, params = {}, token, settings = {}, selection } = batch;
  if (columns.length !== expressions.length) {
    throw new TypeError(`${columns.length} columns, but ${expressions.length} expressions`);
  }
  checkPlaceholders(`${expressions.join(' ')} ${bad ?? ''}`, params);
  return [
    `INSERT INTO ${quoteName(table)} (${columns.map(quoteName).join(', ')})`,
    settingsClause({ ...batchSettings, ...settings, insert_deduplication_token: token }).trim(),
    `SELECT ${expressions.map(bind).join(', ')}`,
    `FROM ${selection === undefined ? source : `(SELECT ${selection} FROM ${source} AS r)`} AS i`,
    ...(bad === undefined ? [] : [`WHERE NOT throwIf(ifNull(${bind(bad)}, true) OR ignore(i.*), 'bad row')`]),
  ].join('\n');
}
