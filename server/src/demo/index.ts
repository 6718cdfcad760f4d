/**
 * The demo: a made-up publisher with credentials of this folder's own and a year of data up to the current hour.
 * Everything goes the way that anybody's tenants and batches go. A later start adds the hours since; one that was
 * interrupted goes on with the very spans it had begun, whose keys make repeated batches count once.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { datasets } from '@storelens/contract';
import type { Crashes } from '../crashes/index.js';
import { Failure } from '../failure.js';
import type { Application, Identity, Tenant } from '../identity/index.js';
import type { Ingest } from '../ingest/index.js';
import type { AccountProducts, Products } from '../products/index.js';
import { type Clock, newGuid, type Random } from '../system.js';
import { dayMs, dayOf, hourMs } from './calendar.js';
import { type Filling, FolderError, readJson, readMark, writeJson, writeMark } from './folder.js';
import { createGenerators, demoDatasets, type Generators, ndjson } from './generate.js';
import { demoApps, otherProducts, publisherName } from './publisher.js';
import { uploadCrashes, uploadSymbols } from './uploads.js';

export { claimFolder, FolderError } from './folder.js';

/** What the demo needs of the other parts. */
export interface DemoParts {
  readonly identity: Pick<Identity, 'tenants' | 'applications' | 'keys'>;
  readonly products: Pick<Products, 'of' | 'createMany'>;
  readonly ingest: Pick<Ingest, 'accept'>;
  readonly crashes: Pick<Crashes, 'accept' | 'acceptSymbols' | 'symbols'>;
  readonly clock: Clock;
  readonly random: Random;
  /** A folder that `claimFolder` has marked as a demo. */
  readonly folder: string;
  /** Batches that ingestion takes at the same time. */
  readonly atOnce: number;
  /** Days before the current one that the first start fills; 365 when left out. */
  readonly days?: number;
  /** Told about each filled dataset: its name and number of rows. */
  readonly progress?: (dataset: string, rows: number) => void;
}

/** How a client reaches the demo; the ready line prints it. */
export interface Demo {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Id of the app to ask about first. */
  readonly applicationId: string;
}

/** Failures with crash files: no dataset of their own, but filled and noted like one. */
const crashFiles = 'crash files';

const credentialsFile = 'demo-credentials.json';
const mainApp = demoApps[0]?.id ?? '';

/** The folder's credentials, made at the first start. They are on disk before anything is created with them. */
async function credentials(folder: string, random: Random): Promise<Demo> {
  const file = join(folder, credentialsFile);
  const kept = (await readJson(file)) as Partial<Demo> | undefined;
  const { tenantId, clientId, clientSecret } = kept ?? {};
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined) {
    return { tenantId, clientId, clientSecret, applicationId: mainApp };
  }
  const demo: Demo = {
    tenantId: newGuid(random),
    clientId: newGuid(random),
    // Letters and digits alone, like every key: no client encodes them in another way than the server expects.
    clientSecret: random.bytes(32).toString('hex'),
    applicationId: mainApp,
  };
  await writeJson(file, demo, 0o600);
  return demo;
}

/** What `find` gives, or what `create` makes if it is not there. */
async function findOrCreate<Thing>(find: () => Promise<Thing>, create: () => Promise<Thing>): Promise<Thing> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-found') return create();
    throw error;
  }
}

async function createTenant({ identity, clock }: DemoParts, demo: Demo): Promise<Tenant> {
  const { tenantId, clientId, clientSecret } = demo;
  const tenant = await findOrCreate(
    () => identity.tenants.get(tenantId),
    () => identity.tenants.create({ name: publisherName, tenantId }),
  );
  await findOrCreate<Application>(
    () => identity.applications.get(tenantId, clientId),
    () => identity.applications.create(tenantId, { name: 'Demo', role: 'Manager', clientId }),
  );
  const now = new Date(clock.now()).toISOString();
  const keys = await identity.keys.list(tenantId, clientId);
  if (!keys.some((key) => clientSecret.startsWith(key.hint) && key.expiresAt > now)) {
    await identity.keys.create(tenantId, clientId, { clientSecret, expiresInDays: 730 });
  }
  return tenant;
}

async function createProducts({ products }: DemoParts, accountId: string): Promise<AccountProducts> {
  const wanted = [
    ...demoApps.flatMap((app) => [
      { id: app.id, kind: 'app', name: app.name },
      ...app.addons.map(({ id, name }) => ({ id, kind: 'addon', name, parentId: app.id })),
    ]),
    ...otherProducts,
  ];
  const present = await products.of(accountId);
  const missing = wanted.filter(({ id }) => present.find(id) === undefined);
  if (missing.length === 0) return present;
  await products.createMany(accountId, missing);
  return products.of(accountId);
}

/** Rows of a dataset in a span, or undefined if there are none: an empty batch would be refused. */
function bodyOf(generators: Generators, name: string, filling: Filling): Readable | undefined {
  const rows = generators.rows(name, filling)[Symbol.iterator]();
  const head = rows.next();
  if (head.done) return undefined;
  const all = function* () {
    yield head.value;
    yield* { [Symbol.iterator]: () => rows };
  };
  return Readable.from(ndjson(all()));
}

/**
 * Fills a span. Two datasets are under way at a time, so that one is generated while the engine stores the other;
 * what is done is noted in the folder. Throws FolderError when the limits on batches are too small for the demo's.
 */
async function fill(
  parts: DemoParts,
  accountId: string,
  products: AccountProducts,
  filling: Filling,
): Promise<void> {
  const { folder, ingest, progress } = parts;
  const generators = createGenerators();
  const span = `${new Date(filling.from).toISOString()}-${new Date(filling.to).toISOString()}`;
  const done = [...filling.done];
  // Crash files take longest and wait on the disk, so they are begun first.
  const waiting = [crashFiles, ...demoDatasets].filter((name) => !done.includes(name));
  let marked: Promise<void> = Promise.resolve();
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const rows = name === crashFiles ? await fillCrashFiles() : await fillDataset(name);
      if (rows > 0) progress?.(name, rows);
      done.push(name);
      marked = marked.then(() => writeMark(folder, { demo: true, filling: { ...filling, done } }));
      await marked;
    }
  };
  const fillCrashFiles = async () => {
    const uploads = { crashes: parts.crashes, accountId, products, atOnce: Math.max(1, parts.atOnce - 1) };
    await uploadSymbols(uploads);
    return uploadCrashes(uploads, generators.filed(filling));
  };
  const fillDataset = async (name: string) => {
    const dataset = datasets[name];
    if (dataset === undefined) throw new TypeError(`there is no dataset '${name}'`);
    const body = bodyOf(generators, name, filling);
    if (body === undefined) return 0;
    const idempotencyKey = `demo-${name}-${span}`;
    const { accepted } = await ingest.accept({
      dataset,
      accountId,
      products,
      body,
      idempotencyKey,
      contentType: 'application/x-ndjson',
      contentEncoding: undefined,
    });
    return accepted;
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(2, parts.atOnce) }, lane));
  for (const { reason } of lanes.filter((result) => result.status === 'rejected')) {
    if (!(reason instanceof Failure) || reason.code !== 'too-large') throw reason;
    throw new FolderError(
      `The demo has larger batches than the settings allow. ${reason.data.join(' ')} ` +
        'Raise max-rows, max-body-mib or max-decoded-mib, or leave them at their defaults.',
    );
  }
}

/**
 * Creates what the folder's demo lacks and brings its data up to the end of the current hour. To be called after
 * ingestion has replayed its spool and before the server accepts requests.
 */
export async function prepareDemo(parts: DemoParts): Promise<Demo> {
  const { clock, folder, random, days = 365 } = parts;
  const mark = await readMark(folder);
  if (mark?.demo !== true) throw new TypeError(`${folder} is not marked as a demo folder`);
  const demo = await credentials(folder, random);
  const { accountId } = await createTenant(parts, demo);
  const products = await createProducts(parts, accountId);
  let { filledTo, filling } = mark;
  if (filling !== undefined) {
    await fill(parts, accountId, products, filling);
    filledTo = filling.to;
    await writeMark(folder, { demo: true, filledTo });
  }
  const hour = Math.floor(clock.now() / hourMs) * hourMs;
  const to = hour + hourMs;
  const from = filledTo ?? (dayOf(hour) - days) * dayMs;
  if (from >= to) return demo;
  filling = { from, to, first: filledTo === undefined, done: [] };
  await writeMark(folder, { demo: true, ...(filledTo !== undefined && { filledTo }), filling });
  await fill(parts, accountId, products, filling);
  await writeMark(folder, { demo: true, filledTo: to });
  return demo;
}
