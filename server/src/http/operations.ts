/**
 * What those who run the server ask it: is it alive, is it ready, what did it do. Also logs and times every request.
 * `/healthz` and `/readyz` are for everyone and say no more than which part fails; `/metrics` is for operators.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { withoutSecrets } from '../log.js';
import { newGuid } from '../system.js';
import { requireOperator } from './operator-access.js';
import type { Parts } from './parts.js';

/** A part that has not answered in this many milliseconds counts as failing. */
const patience = 5000;
/** Results of the checks are shared for this many milliseconds, so that callers cannot keep the parts busy. */
const freshness = 1000;

type CheckName = 'engine' | 'registry' | 'files';
type Checks = Readonly<Record<CheckName, 'ok' | 'failing'>>;

/** Registers `/healthz`, `/readyz` and `/metrics`, and the hooks that log and time requests. */
export function registerOperationsRoutes(server: FastifyInstance, parts: Parts): void {
  const { metrics } = parts;
  const ready = createReadiness(parts, (name, err) => server.log.warn({ err, part: name }, 'not ready'));

  server.get('/healthz', async (_request, reply) => sendStatus(reply, 200, { status: 'alive' }));

  server.get('/readyz', async (_request, reply) => {
    const checks = await ready();
    const fine = Object.values(checks).every((state) => state === 'ok');
    return sendStatus(reply, fine ? 200 : 503, { status: fine ? 'ready' : 'not ready', checks });
  });

  server.get('/metrics', async (request, reply) => {
    await requireOperator(request, parts);
    return reply.header('content-type', metrics.contentType).send(await metrics.text());
  });

  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.request(request.method, route, reply.statusCode, reply.elapsedTime);
    const level = route === '/healthz' || route === '/readyz' || route === '/metrics' ? 'debug' : 'info';
    request.log[level](requestFields(request, reply), 'answered');
  });

  server.addHook('onRequestAbort', async (request) => {
    request.log.info({ method: request.method, url: withoutSecrets(request.url) }, 'client went away');
  });
}

function requestFields(request: FastifyRequest, reply: FastifyReply): object {
  return {
    method: request.method,
    url: withoutSecrets(request.url),
    status: reply.statusCode,
    milliseconds: Math.round(reply.elapsedTime * 10) / 10,
    address: request.ip,
  };
}

function sendStatus(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(body));
}

/** Returns a function that asks engine, registry, data folder and files, or gives the answer of a moment ago. */
function createReadiness(
  { engine, registry, files, dataFolder, clock, random }: Parts,
  onFailing: (name: CheckName, error: unknown) => void,
): () => Promise<Checks> {
  const probes: Readonly<Record<CheckName, () => Promise<unknown>>> = {
    engine: () => engine.ping(),
    registry: () => registry.get('SELECT 1 AS one'),
    files: async () => {
      const probe = join(dataFolder, `.probe-${newGuid(random)}`);
      await writeFile(probe, 'ready?', { mode: 0o600 });
      await rm(probe);
      await files.ping();
    },
  };

  async function check(name: CheckName): Promise<readonly [CheckName, 'ok' | 'failing']> {
    try {
      await within(patience, probes[name]());
      return [name, 'ok'];
    } catch (error) {
      onFailing(name, error);
      return [name, 'failing'];
    }
  }

  let latest: { readonly at: number; readonly checks: Promise<Checks> } | undefined;
  return () => {
    const at = clock.now();
    if (latest === undefined || Math.abs(at - latest.at) >= freshness) {
      const all = Promise.all([check('engine'), check('registry'), check('files')]);
      latest = { at, checks: all.then((results) => Object.fromEntries(results) as Checks) };
    }
    return latest.checks;
  };
}

/** The result of a promise, or an error after some milliseconds; the work itself goes on. */
function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
