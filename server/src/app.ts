/**
 * The composition root: opens registry and engine, wires the features and serves them. Everything that is started
 * here is stopped here, in the opposite order.
 */
import type { KeyObject } from 'node:crypto';
import { join, resolve } from 'node:path';
import { holdTogether } from './belonging.js';
import { SettingError, type Settings } from './config.js';
import { completeFailures } from './crashes/complete-failures.js';
import { createCrashes } from './crashes/index.js';
import { claimFolder, type Demo, prepareDemo } from './demo/index.js';
import { openChdb } from './engine/chdb.js';
import { openClickHouse } from './engine/clickhouse.js';
import { type Engine, EngineError } from './engine/index.js';
import { migrateEngine } from './engine/migrate.js';
import { openFolder } from './files/folder.js';
import { openFileAddresses } from './files/signature.js';
import { originsOf } from './http/cross-origin.js';
import { buildHttp } from './http/index.js';
import { createMetrics } from './http/metrics.js';
import type { Parts } from './http/parts.js';
import { createIdentity } from './identity/identity.js';
import { createIngest } from './ingest/index.js';
import { createLedger } from './ledger/ledger.js';
import { remembered } from './ledger/remembered.js';
import { Rollups } from './ledger/rollups.js';
import type { Log } from './log.js';
import { createMirror } from './mirror/index.js';
import { createProducts } from './products/products.js';
import { createQuery } from './query/index.js';
import type { Registry } from './registry/index.js';
import { openLibsqlRegistry } from './registry/libsql.js';
import { migrateRegistry } from './registry/migrate.js';
import { sweeping } from './sweep.js';
import type { Clock, Random } from './system.js';

/** What is passed in rather than looked up. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Makes signing keys; new RSA keys if missing. */
  readonly signingKey?: () => Promise<KeyObject>;
  readonly log: Log;
}

/** A running server. */
export interface App {
  /** Origin it listens on. */
  readonly url: string;
  /** Absolute data folder. */
  readonly data: string;
  readonly operatorKeyFile: string;
  /** How to reach the demo's data, with --demo. */
  readonly demo: Demo | undefined;
  readonly parts: Parts;
  /** Lets running requests end, then releases everything. */
  close(): Promise<void>;
}

const purgeEvery = 60_000;

/** Stack of things to release, last opened first. */
class Opened {
  private readonly closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  /** Releases everything, also after one that fails; then throws what the first one threw. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.closers.pop(); close !== undefined; close = this.closers.pop()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Refuses combinations of settings that would be unsafe or cannot work. */
function checkSettings(settings: Settings): void {
  const tls = settings['tls-cert'] !== null;
  if (tls !== (settings['tls-key'] !== null)) throw new SettingError('--tls-cert and --tls-key go together');
  const loopback = ['127.0.0.1', '::1', 'localhost'].includes(settings.host);
  if (!loopback && !tls && !settings['behind-proxy']) {
    throw new SettingError(
      `--host is '${settings.host}': an address other than loopback needs --tls-cert and --tls-key, or --behind-proxy`,
    );
  }
  const url = settings['public-url'];
  if (url !== null && !/^https?:\/\/[^/?#@\s]+$/.test(url)) {
    // Whoever writes a password into it shall not find it in the log.
    const shown = url.includes('@') ? 'has a user name' : `is '${url}'`;
    throw new SettingError(`--public-url ${shown}; expected an origin such as https://analytics.example.org`);
  }
  const issuer = settings['token-issuer'];
  if (!/^https?:\/\/[^\s?#]+$/.test(issuer) || /[{}]/.test(issuer.replaceAll('{tid}', ''))) {
    throw new SettingError(
      `--token-issuer is '${issuer}'; expected a URL such as https://sts.windows.net/{tid}/`,
    );
  }
  if (settings['cors-origins'] !== null) originsOf(settings['cors-origins']);
}

async function openEngine(settings: Settings, data: string): Promise<Engine> {
  const { sessions, streams, 'queue-length': queueLength } = settings;
  const limits = { sessions, streams, queueLength };
  const url = settings['clickhouse-url'];
  const engine =
    url === null
      ? await openChdb({ folder: join(data, 'engine'), ...limits })
      : await openClickHouse({ url, ...limits });
  try {
    await migrateEngine(engine);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function openRegistry(data: string): Promise<Registry> {
  const registry = await openLibsqlRegistry(join(data, 'registry.db'));
  try {
    await migrateRegistry(registry);
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

/** What keeps a part from opening is for whoever starts the server, and one line says it; faults of ours are not. */
async function opening<Part>(part: Promise<Part>): Promise<Part> {
  try {
    return await part;
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof EngineError) throw error;
    throw new SettingError(error.message, { cause: error });
  }
}

/** Starts a server; it accepts requests when the promise resolves. */
export async function createApp(settings: Settings, surroundings: Surroundings): Promise<App> {
  checkSettings(settings);
  const { clock, random, log, signingKey } = surroundings;
  const data = resolve(settings.data ?? (settings.demo ? 'storelens-demo' : 'storelens-data'));
  const opened = new Opened();
  try {
    await claimFolder(data, settings.demo);
    const registry = await opening(openRegistry(data));
    opened.add(() => registry.close());
    const metrics = createMetrics(settings.sessions);
    const engine = metrics.engine(await opening(openEngine(settings, data)));
    opened.add(() => engine.close());
    await holdTogether({ registry, engine, random }, data);
    const files = await opening(openFolder(join(data, 'files')));

    let url = '';
    const publicUrl = () => settings['public-url'] ?? url;
    const ledger = remembered(createLedger(registry, clock));
    const rollups = new Rollups(registry);
    const fileAddresses = await openFileAddresses(registry, clock, random);
    const products = createProducts(registry, clock, random);
    const identity = await createIdentity({
      registry,
      clock,
      random,
      signingKey,
      settings,
      publicUrl,
      folder: data,
      failed: (error) => log.warn({ err: error }, 'the last use of a key was not noted'),
    });
    opened.add(() => identity.close());
    const ingest = metrics.ingest(
      await createIngest({
        engine,
        ledger,
        rollups,
        files,
        clock,
        random,
        settings,
        log,
        folder: data,
        complete: { failure: completeFailures(random) },
      }),
    );
    opened.add(() => ingest.close());
    await ingest.replay();
    const crashes = metrics.crashes(
      await createCrashes({
        engine,
        ledger,
        registry,
        ingest,
        files,
        clock,
        random,
        settings,
        log,
      }),
    );
    opened.add(() => crashes.close());
    const demo = settings.demo
      ? await prepareDemo({
          identity,
          products,
          ingest,
          crashes,
          clock,
          random,
          folder: data,
          atOnce: settings['ingest-queue'],
          progress: (dataset, rows) => log.info({ dataset, rows }, 'demo data'),
        })
      : undefined;
    const query = createQuery({
      engine,
      ledger,
      rollups,
      clock,
      random,
      settings,
      linkForm: () => ({
        absolute: settings['next-link'] === 'absolute',
        snapshot: settings['next-link-snapshot'] === 'on',
        publicUrl: publicUrl(),
      }),
    });
    const parts: Parts = {
      settings,
      clock,
      random,
      engine,
      registry,
      files,
      fileAddresses,
      ledger,
      rollups,
      identity,
      products,
      query,
      ingest,
      crashes,
      mirror: createMirror({ ingest, registry, engine, clock, settings }),
      metrics,
      publicUrl,
      dataFolder: data,
    };

    const http = buildHttp(parts, log, random);
    opened.add(() => http.close());
    url = new URL(await listen(http, settings)).origin;
    if (settings['behind-proxy'] && settings['public-url'] === null) {
      log.warn('--behind-proxy without --public-url: discovery documents will name the address bound here');
    }
    const purge = setInterval(() => {
      ingest.purge().catch((error: unknown) => log.error({ err: error }, 'purge failed'));
    }, purgeEvery);
    opened.add(async () => clearInterval(purge));
    const sweep = sweeping({ crashes, identity, ingest, mirror: parts.mirror, clock, log });
    opened.add(() => sweep.end());
    const close = () => closeInTime(opened, http.server, settings);
    return { url, data, operatorKeyFile: identity.operator.keyFile, demo, parts, close };
  } catch (error) {
    await opened.close().catch((failure: unknown) => log.error({ err: failure }, 'cannot release'));
    throw error;
  }
}

/** Binds the address that the settings name, and says what to change where it is taken or not to be had. */
async function listen(
  http: { listen(options: { host: string; port: number }): Promise<string> },
  { host, port }: Settings,
): Promise<string> {
  try {
    return await http.listen({ host, port });
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'EADDRINUSE':
        throw new SettingError(
          `--port is ${port}, which another program uses on ${host}; 0 takes a free one`,
        );
      case 'EACCES':
        throw new SettingError(
          `--port is ${port}, which this user may not listen on; ports from 1024 up need no rights`,
        );
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        throw new SettingError(`--host is '${host}', which is no address of this machine`);
      default:
        throw error;
    }
  }
}

/** Drains; connections that do not end in time are cut. */
async function closeInTime(
  opened: Opened,
  server: { closeAllConnections?(): void },
  settings: Settings,
): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections?.(), settings['shutdown-seconds'] * 1000);
  try {
    await opened.close();
  } finally {
    clearTimeout(timer);
  }
}
