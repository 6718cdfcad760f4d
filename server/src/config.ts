/**
 * The settings table. A setting is a command-line option `--name`, an environment variable `STORELENS_NAME` and a
 * property of `Settings`; the option wins. Parsed once at start, frozen, passed down; the environment is read
 * nowhere else. `docs/settings.md` is generated from this table.
 */

/** Type of a setting's value, as written by the user. */
export type SettingType =
  | { readonly type: 'text' }
  | { readonly type: 'flag' }
  | { readonly type: 'integer'; readonly least: number; readonly greatest: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] };

/** One row of the table. */
export type Setting = SettingType & {
  readonly default: string | number | boolean | null;
  /** One line for `--help` and the reference page. */
  readonly help: string;
};

const whole = (least: number, greatest: number) => ({ type: 'integer', least, greatest }) as const;

/** Every setting, by its option name. */
export const settingsTable = {
  data: {
    type: 'text',
    default: null,
    help: 'Data folder. Default ./storelens-data, with --demo ./storelens-demo.',
  },
  host: {
    type: 'text',
    default: '127.0.0.1',
    help: 'Address to listen on; other than loopback needs TLS or --behind-proxy.',
  },
  port: { ...whole(0, 65535), default: 4700, help: 'Port to listen on; 0 takes a free one.' },
  demo: {
    type: 'flag',
    default: false,
    help: 'Fill an empty folder with a year of made-up data and keep it current.',
  },
  'tls-cert': { type: 'text', default: null, help: 'PEM file with the certificate (chain) to serve HTTPS.' },
  'tls-key': { type: 'text', default: null, help: 'PEM file with the private key of the certificate.' },
  'public-url': {
    type: 'text',
    default: null,
    help: 'Origin that clients use, for discovery documents and absolute links. Default: the bound address.',
  },
  'cors-origins': {
    type: 'text',
    default: null,
    help: 'Origins whose pages may call the server from a browser, with commas between them. Default: none.',
  },
  'behind-proxy': {
    type: 'flag',
    default: false,
    help: 'A reverse proxy terminates TLS: its X-Forwarded-For counts, any listening address is allowed.',
  },
  'admin-remote': {
    type: 'flag',
    default: false,
    help: 'Answer the operator API and /metrics to peers other than loopback.',
  },
  'clickhouse-url': {
    type: 'text',
    default: null,
    help: 'ClickHouse server to use instead of the embedded engine: http(s)://user:password@host:port/database.',
  },
  'next-link': {
    type: 'choice',
    choices: ['relative', 'absolute'],
    default: 'relative',
    help: 'Form of @nextLink: relative and unencoded as Microsoft prints it, or an absolute encoded URL.',
  },
  'next-link-snapshot': {
    type: 'choice',
    choices: ['on', 'off'],
    default: 'on',
    help: 'Whether @nextLink carries the snapshot that keeps a paging run stable.',
  },
  'row-shape': {
    type: 'choice',
    choices: ['2018', '2022'],
    default: '2018',
    help: 'Form of report rows: full grain without groupby (2018), or sums over the range as Microsoft answers today (2022).',
  },
  'token-version': {
    type: 'choice',
    choices: ['1.0', '2.0'],
    default: '1.0',
    help: 'Claims of the access tokens that are issued; both are accepted.',
  },
  'token-issuer': {
    type: 'text',
    default: 'https://sts.windows.net/{tid}/',
    help: 'Issuer of 1.0 tokens; {tid} stands for the tenant id.',
  },
  'audit-days': {
    ...whole(0, 36_500),
    default: 0,
    help: 'Days that audit lines are kept; 0: for ever.',
  },
  'signing-key-days': {
    ...whole(1, 3650),
    default: 90,
    help: 'Days after which a new token signing key takes over.',
  },
  'rate-limit': {
    ...whole(0, 1_000_000),
    default: 0,
    help: 'Analytics requests a minute and application, downloads a minute and tenant; beyond it 429 with Retry-After. 0: no limit.',
  },
  'request-seconds': {
    ...whole(1, 86_400),
    default: 900,
    help: 'Longest time that a request with its body may take to arrive.',
  },
  'max-body-mib': { ...whole(1, 4096), default: 64, help: 'Largest request body on the wire, in MiB.' },
  // Beyond some three gigabytes a batch would be more than one block of the engine, and no longer whole or nothing.
  'max-decoded-mib': {
    ...whole(1, 2048),
    default: 256,
    help: 'Largest request body after decompression, in MiB.',
  },
  'max-ratio': {
    ...whole(1, 100_000),
    default: 200,
    help: 'Largest ratio of decoded to wire size of a body.',
  },
  'max-rows': { ...whole(1, 1_000_000), default: 500_000, help: 'Most rows of one batch.' },
  'ingest-queue': {
    ...whole(1, 10_000),
    default: 256,
    help: 'Batches that may be received or wait at the same time; beyond it 503 with Retry-After.',
  },
  'ingest-group': {
    ...whole(1, 256),
    default: 256,
    help: 'Most small batches that share one durable insert; 1 gives each an insert of its own.',
  },
  'rollup-rows': {
    ...whole(0, 1_000_000_000),
    default: 250_000,
    help: 'Rows of an account and dataset that are summed or counted by day together, in the background; fewer wait. 0: none are.',
  },
  'query-seconds': { ...whole(1, 3600), default: 60, help: 'Longest run of one report query.' },
  'query-memory-mib': {
    ...whole(64, 1_048_576),
    default: 4096,
    help: 'Most memory of one report query, in MiB.',
  },
  'max-crash-mib': {
    ...whole(1, 1024),
    default: 20,
    help: 'Largest crash file as it is sent, in MiB.',
  },
  'max-crash-unpacked-mib': {
    ...whole(1, 2048),
    default: 100,
    help: 'Most that the cabinet of a crash may unpack to, in MiB.',
  },
  'crash-seconds': {
    ...whole(1, 600),
    default: 10,
    help: 'Longest reading of one crash file; one that takes longer is kept unread.',
  },
  'crash-rate': {
    ...whole(0, 1_000_000),
    default: 0,
    help: 'Crash files a minute and product; beyond it 429 with Retry-After. 0: no limit.',
  },
  'crash-quota-mib': {
    ...whole(0, 1_000_000_000),
    default: 0,
    help: 'Most that the stored crash files of one product may take, in MiB; beyond it 413. 0: no limit.',
  },
  'symbols-quota-mib': {
    ...whole(0, 1_000_000_000),
    default: 0,
    help: 'Most that the symbol files of one account may take, unpacked, in MiB; beyond it 413. 0: no limit.',
  },
  'crash-files': {
    type: 'choice',
    choices: ['keep', 'stack-only'],
    default: 'keep',
    help: 'Whether crash files are kept, or only what was read of them.',
  },
  'crash-file-days': {
    ...whole(0, 36_500),
    default: 0,
    help: 'Days after the event that a crash file is kept and may be downloaded; 0: for ever.',
  },
  'cab-download': {
    type: 'choice',
    choices: ['readers', 'managers'],
    default: 'readers',
    help: 'Who may download crash files: the roles Manager and Reader, or Manager alone.',
  },
  'limit-failure-days': {
    ...whole(0, 36_500),
    default: 0,
    help: 'Days back from today that the error reports answer, as Microsoft limits them to 30; 0: no limit.',
  },
  'limit-hours': {
    ...whole(0, 876_000),
    default: 0,
    help: 'Hours back from now that the hour level answers, as Microsoft limits it to 72; 0: no limit.',
  },
  // One less than libuv has threads: batches, files and compression use them, too.
  sessions: { ...whole(1, 64), default: 3, help: 'Report queries that run at the same time.' },
  'queue-length': {
    ...whole(0, 100_000),
    default: 256,
    help: 'Report queries that may wait; beyond it 503 with Retry-After.',
  },
  streams: {
    ...whole(1, 64),
    default: 2,
    help: 'Whole-result answers (CSV, NDJSON, Parquet) that run at the same time, of one account all but one; others wait in a line of their own.',
  },
  'stream-seconds': { ...whole(1, 86_400), default: 3600, help: 'Longest time of one whole-result answer.' },
  'stream-stall-seconds': {
    ...whole(1, 3600),
    default: 60,
    help: 'Longest wait for a client to take 64 KiB of a whole-result answer before its connection is cut.',
  },
  'answer-cache-mib': {
    ...whole(0, 1_048_576),
    default: 64,
    help: 'Most memory for report answers that are kept to be given again, in MiB; 0: none are kept.',
  },
  'shutdown-seconds': {
    ...whole(1, 600),
    default: 30,
    help: 'Longest wait for running requests at shutdown.',
  },
  'log-level': {
    type: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    help: 'Least severity that is logged.',
  },
} as const satisfies Record<string, Setting>;

/** Option name of a setting. */
export type SettingName = keyof typeof settingsTable;

type Value<Row> = Row extends { type: 'integer' }
  ? number
  : Row extends { type: 'flag' }
    ? boolean
    : Row extends { type: 'choice'; choices: readonly (infer Choice)[] }
      ? Choice
      : Row extends { default: null }
        ? string | null
        : string;

/** Parsed settings by option name. */
export type Settings = { readonly [Name in SettingName]: Value<(typeof settingsTable)[Name]> };

/** A setting that cannot be understood; the message names it, its value and what would be right. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** Name of the environment variable of a setting. */
export function environmentName(name: string): string {
  return `STORELENS_${name.toUpperCase().replaceAll('-', '_')}`;
}

function parseValue(setting: Setting, text: string, source: string): string | number | boolean {
  switch (setting.type) {
    case 'text':
      // Values of this type are not repeated in messages: one of them holds a password.
      if (text === '') throw new SettingError(`${source} is empty; give a value or leave it out`);
      return text;
    case 'flag':
      if (text === 'true' || text === '1' || text === 'on') return true;
      if (text === 'false' || text === '0' || text === 'off') return false;
      throw new SettingError(`${source} is '${text}'; expected true or false`);
    case 'choice':
      if (setting.choices.includes(text)) return text;
      throw new SettingError(`${source} is '${text}'; expected one of ${setting.choices.join(', ')}`);
    case 'integer': {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= setting.least && value <= setting.greatest) return value;
      throw new SettingError(
        `${source} is '${text}'; expected a whole number from ${setting.least} to ${setting.greatest}`,
      );
    }
  }
}

/**
 * Parses settings from command-line arguments (`--name value`, `--name=value`, `--flag`) and an environment.
 * Unknown options are refused by name; unknown variables belong to somebody else.
 */
export function parseSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const values: Record<string, string | number | boolean | null> = {};
  for (const [name, setting] of Object.entries<Setting>(settingsTable)) {
    const variable = environmentName(name);
    const text = environment[variable];
    values[name] = text === undefined || text === '' ? setting.default : parseValue(setting, text, variable);
  }
  const seen = new Set<string>();
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(argument);
    const name = match?.[1];
    const known = name !== undefined && Object.hasOwn(settingsTable, name);
    const setting = known ? (settingsTable as Record<string, Setting>)[name] : undefined;
    if (name === undefined || setting === undefined) {
      // What follows the name may be a secret, such as the password of a misspelt --clickhouse-url.
      const written = argument.split('=', 1)[0];
      throw new SettingError(`unknown option '${written}'; storelens serve --help lists the options`);
    }
    if (seen.has(name)) throw new SettingError(`--${name} is given twice`);
    seen.add(name);
    let text = match?.[2];
    if (text === undefined) {
      if (setting.type === 'flag') text = 'true';
      else {
        index += 1;
        text = args[index];
        if (text === undefined) throw new SettingError(`--${name} needs a value`);
      }
    }
    values[name] = parseValue(setting, text, `--${name}`);
  }
  return Object.freeze(values) as Settings;
}
