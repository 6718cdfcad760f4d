/**
 * The operator API: tenants, their applications, keys and products, and the server's own keys. Routes read the body,
 * call identity or products, which check it, and leave an audit line per call; nothing about the objects is known
 * here. Lists are `{"value": [...]}`, or a line of JSON each where NDJSON is accepted.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';
import { mediaType, parseJson, readJson, readText } from './json-body.js';
import { requireOperator } from './operator-access.js';
import type { Parts } from './parts.js';

const base = '/admin/v1';
const ndjson = 'application/x-ndjson';
const mostNdjsonBytes = 16 * 1024 * 1024;

/** What a route does once the caller is known: returns what is answered, and the id of what it made. */
type Work = (request: AdminRequest) => Promise<Done>;

type AdminRequest = FastifyRequest<{ Params: Readonly<Record<string, string>> }>;

interface Done {
  readonly status: number;
  /** An object, a list, or nothing for 204. */
  readonly body?: object | readonly object[];
  /** Id of a new object, for the audit. */
  readonly made?: string;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Registers `/admin/v1/...`. */
export function registerAdminRoutes(server: FastifyInstance, parts: Parts): void {
  const { identity, products } = parts;
  const { tenants, applications, keys, operator } = identity;
  const tenantPath = `${base}/tenants/:tenantId`;
  const clientPath = `${tenantPath}/applications/:clientId`;

  function route(method: Method, url: string, work: Work): void {
    server.route<{ Params: Readonly<Record<string, string>> }>({
      method,
      url,
      handler: (request, reply) => answer(request, reply, parts, work),
    });
  }

  route('GET', `${base}/tenants`, async () => found(await tenants.list()));
  route('POST', `${base}/tenants`, async (request) => {
    const { tenantId, accountId, sellerId, name } = await tenants.create(await readJson(request));
    return { status: 201, body: { tenantId, accountId, sellerId, name }, made: tenantId };
  });
  route('GET', tenantPath, async ({ params }) => found(await tenants.get(id(params, 'tenantId'))));
  route('PATCH', tenantPath, async (request) =>
    found(await tenants.patch(id(request.params, 'tenantId'), await readJson(request))),
  );
  route('DELETE', tenantPath, async ({ params }) => {
    await tenants.remove(id(params, 'tenantId'));
    return gone;
  });

  route('GET', `${tenantPath}/applications`, async ({ params }) =>
    found(await applications.list(id(params, 'tenantId'))),
  );
  route('POST', `${tenantPath}/applications`, async (request) => {
    const made = await applications.create(id(request.params, 'tenantId'), await readJson(request));
    const { clientId, name, role } = made;
    return { status: 201, body: { clientId, name, role }, made: clientId };
  });
  route('GET', clientPath, async ({ params }) =>
    found(await applications.get(id(params, 'tenantId'), id(params, 'clientId'))),
  );
  route('PATCH', clientPath, async (request) => {
    const { params } = request;
    const input = await readJson(request);
    return found(await applications.patch(id(params, 'tenantId'), id(params, 'clientId'), input));
  });
  route('DELETE', clientPath, async ({ params }) => {
    await applications.remove(id(params, 'tenantId'), id(params, 'clientId'));
    return gone;
  });

  route('GET', `${clientPath}/keys`, async ({ params }) =>
    found(await keys.list(id(params, 'tenantId'), id(params, 'clientId'))),
  );
  route('POST', `${clientPath}/keys`, async (request) => {
    const { params } = request;
    const input = await readJson(request, {});
    const made = await keys.create(id(params, 'tenantId'), id(params, 'clientId'), input);
    return { status: 201, body: made, made: made.keyId };
  });
  route('GET', `${clientPath}/keys/:keyId`, async ({ params }) => {
    const wanted = id(params, 'keyId');
    const all = await keys.list(id(params, 'tenantId'), id(params, 'clientId'));
    const key = all.find(({ keyId }) => keyId === wanted.toLowerCase());
    if (key === undefined) throw new Failure('not-found', [`The application has no key '${wanted}'.`]);
    return found(key);
  });
  route('DELETE', `${clientPath}/keys/:keyId`, async ({ params }) => {
    await keys.remove(id(params, 'tenantId'), id(params, 'clientId'), id(params, 'keyId'));
    return gone;
  });

  async function account(params: Readonly<Record<string, string>>): Promise<string> {
    return (await tenants.get(id(params, 'tenantId'))).accountId;
  }
  const productPath = `${tenantPath}/products/:productId`;
  route('GET', `${tenantPath}/products`, async ({ params }) =>
    found(await products.list(await account(params))),
  );
  route('POST', `${tenantPath}/products`, async (request) => {
    const accountId = await account(request.params);
    if (mediaType(request) === ndjson) {
      const made = await products.createMany(accountId, await readLines(request));
      return { status: 201, body: made, made: `${made.length} products` };
    }
    const made = await products.create(accountId, await readJson(request));
    return { status: 201, body: made, made: made.id };
  });
  route('GET', productPath, async ({ params }) =>
    found(await products.get(await account(params), id(params, 'productId'))),
  );
  route('PATCH', productPath, async (request) => {
    const accountId = await account(request.params);
    return found(await products.patch(accountId, id(request.params, 'productId'), await readJson(request)));
  });
  route('DELETE', productPath, async ({ params }) => {
    await products.remove(await account(params), id(params, 'productId'));
    return gone;
  });

  route('POST', `${base}/operator-key/rotate`, async () => {
    const operatorKey = await operator.rotate();
    return { status: 200, body: { operatorKey, operatorKeyFile: operator.keyFile } };
  });
  route('POST', `${base}/signing-keys/rotate`, async () => {
    const kid = await identity.rotateSigningKey();
    await parts.fileAddresses.rotate();
    return { status: 200, body: { kid }, made: kid };
  });
  route('POST', `${base}/signing-keys/revoke`, async () => {
    const kid = await identity.revokeSigningKeys();
    await parts.fileAddresses.revoke();
    return { status: 200, body: { kid }, made: kid };
  });
  route('GET', `${base}/audit`, async () => found(await identity.auditLines(1000)));
}

/** Checks the caller, does the work, writes the audit line, answers. */
async function answer(
  request: AdminRequest,
  reply: FastifyReply,
  parts: Parts,
  work: Work,
): Promise<FastifyReply> {
  // What was done stays done if the audit fails, and the caller must not be told otherwise.
  const audit = (made: string | undefined, outcome: string) =>
    parts.identity
      .audit({
        actor: outcome === 'operator-key-invalid' ? 'unknown' : 'operator',
        action: `${request.method} ${request.routeOptions.url ?? ''}`,
        target: [...Object.values(request.params), made ?? []].flat().join('/'),
        outcome,
        address: request.ip,
      })
      .catch((err: unknown) => request.log.error({ err }, 'audit line lost'));
  let done: Done;
  try {
    await requireOperator(request, parts);
    done = await work(request);
  } catch (error) {
    const code = error instanceof Failure ? error.code : 'internal';
    request.log.warn({ code, address: request.ip }, 'operator call refused');
    // Callers without a key must not be able to fill the audit: its throttle bounds the lines of the others.
    if (code !== 'forbidden' && code !== 'too-many-requests') await audit(undefined, code);
    throw error;
  }
  await audit(done.made, 'ok');
  reply.code(done.status).header('cache-control', 'no-store');
  if (done.body === undefined) return reply.send();
  if (!Array.isArray(done.body)) return sendJson(reply, done.body);
  if (!accepts(request, ndjson)) return sendJson(reply, { value: done.body });
  const lines = done.body.map((item) => `${JSON.stringify(item)}\n`).join('');
  return reply.header('content-type', `${ndjson}; charset=utf-8`).send(lines);
}

function sendJson(reply: FastifyReply, body: object): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

function found(body: object | readonly object[]): Done {
  return { status: 200, body };
}

const gone: Done = { status: 204 };

function id(params: Readonly<Record<string, string>>, name: string): string {
  const value = params[name];
  if (value === undefined) throw new TypeError(`the route has no parameter ${name}`);
  return value;
}

/** Whether a header Accept names a media type itself; `*` means the usual form. */
function accepts(request: AdminRequest, type: string): boolean {
  const ranges = (request.headers.accept ?? '').toLowerCase().split(',');
  return ranges.some((range) => range.split(';', 1)[0]?.trim() === type);
}

/** The body as one JSON value per line; blank lines count but hold nothing. */
async function readLines(request: AdminRequest): Promise<readonly unknown[]> {
  const text = await readText(request, mostNdjsonBytes);
  const lines = text.split('\n');
  if (lines.at(-1)?.trim() === '') lines.pop();
  if (lines.length === 0)
    throw new Failure('invalid-body', ['The body is empty; expected a line per product.']);
  return lines.map((line, index) => parseJson(line, `Line ${index + 1}`));
}
