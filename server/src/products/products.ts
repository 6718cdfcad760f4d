/**
 * Products in the registry, with a copy per account in memory for the requests that look them up. The copy is
 * dropped by every write; that suffices because only one process writes. It does not know what rows a product has.
 */
import { asciiLower, BodyFields, badField } from '../body.js';
import { Failure } from '../failure.js';
import type { Registry, RegistryQueries, RegistryRow } from '../registry/index.js';
import type { Clock, Random } from '../system.js';
import { newProductId } from './ids.js';
import type { AccountProducts, Product, ProductKind, Products } from './index.js';

const kinds: readonly ProductKind[] = ['app', 'addon', 'desktop', 'driver'];
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;
const idExpected = '1 to 100 letters, digits and . _ : -, the first a letter or digit';

/** What a caller asks for, checked but for its relation to other products. */
interface Draft {
  readonly kind: ProductKind;
  readonly id: string | undefined;
  readonly parentId: string | undefined;
  readonly name: string;
}

function readDraft(input: unknown): Draft {
  const fields = BodyFields.of(input, ['kind', 'id', 'parentId', 'name']);
  const kind = kinds.find((known) => known === fields.value('kind'));
  if (kind === undefined) throw badField('kind', fields.value('kind'), `one of ${kinds.join(', ')}`);
  const parentId = fields.optionalText('parentId', idPattern, 'the id of an app');
  if (kind === 'addon' && parentId === undefined) {
    throw badField('parentId', undefined, 'the id of the app that the add-on belongs to');
  }
  if (kind !== 'addon' && parentId !== undefined) {
    throw badField('parentId', parentId, `nothing, because only add-ons have a parent and kind is '${kind}'`);
  }
  return { kind, id: fields.optionalText('id', idPattern, idExpected), parentId, name: fields.name('name') };
}

function toProduct(row: RegistryRow): Product {
  return {
    id: String(row.id),
    kind: row.kind as ProductKind,
    parentId: row.parent_id === null ? null : String(row.parent_id),
    name: String(row.name),
  };
}

async function read(queries: RegistryQueries, accountId: string): Promise<Map<string, Product>> {
  const rows = await queries.all('SELECT * FROM products WHERE account_id = $1 ORDER BY id', [accountId]);
  return new Map(rows.map((row) => [String(row.id_lower), toProduct(row)]));
}

/** Completes a draft against the products there are: a free id, and the parent in its own spelling. */
function complete(draft: Draft, present: ReadonlyMap<string, Product>, random: Random): Product {
  let id = draft.id;
  if (id !== undefined && present.has(asciiLower(id))) {
    throw new Failure('conflict', [`The product id '${id}' is taken in this account.`]);
  }
  while (id === undefined || present.has(asciiLower(id))) id = newProductId(draft.kind, random);
  const parent = draft.parentId === undefined ? undefined : present.get(asciiLower(draft.parentId));
  if (draft.kind === 'addon' && parent?.kind !== 'app') {
    throw badField('parentId', draft.parentId, 'the id of an app of the same account');
  }
  return { id, kind: draft.kind, parentId: parent?.id ?? null, name: draft.name };
}

function withLine<Result>(line: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      error.code,
      error.data.map((sentence) => `Line ${line}: ${sentence}`),
      { cause: error },
    );
  }
}

/** The products of all accounts, kept in the registry. */
export function createProducts(registry: Registry, clock: Clock, random: Random): Products {
  const cache = new Map<string, Promise<AccountProducts>>();

  async function load(accountId: string): Promise<AccountProducts> {
    const byId = await read(registry, accountId);
    const all = [...byId.values()];
    return {
      find: (id) => byId.get(asciiLower(id)),
      ofKind: (kind) => all.filter((product) => product.kind === kind),
    };
  }

  /** A load that began before the write is dropped with the rest, so it never serves anyone who comes later. */
  async function writing<Result>(accountId: string, work: (queries: RegistryQueries) => Promise<Result>) {
    try {
      return await registry.transaction(work);
    } finally {
      cache.delete(accountId);
    }
  }

  async function existing(queries: RegistryQueries, accountId: string, id: string): Promise<Product> {
    const row = await queries.get('SELECT * FROM products WHERE account_id = $1 AND id_lower = $2', [
      accountId,
      asciiLower(id),
    ]);
    if (row === undefined) throw new Failure('not-found', [`The account has no product '${id}'.`]);
    return toProduct(row);
  }

  async function insert(accountId: string, drafts: readonly Draft[], lines: boolean): Promise<Product[]> {
    return writing(accountId, async (queries) => {
      const known = await queries.get('SELECT 1 AS known FROM tenants WHERE account_id = $1', [accountId]);
      if (known === undefined) throw new Failure('not-found', [`There is no account '${accountId}'.`]);
      const present = await read(queries, accountId);
      const created: Product[] = [];
      for (const [index, draft] of drafts.entries()) {
        const finish = () => complete(draft, present, random);
        const product = lines ? withLine(index + 1, finish) : finish();
        const key = asciiLower(product.id);
        await queries.all(
          'INSERT INTO products (account_id, id_lower, id, kind, parent_id, name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
          [accountId, key, product.id, product.kind, product.parentId, product.name, clock.now()],
        );
        present.set(key, product);
        created.push(product);
      }
      return created;
    });
  }

  return {
    of: (accountId) => {
      const cached = cache.get(accountId);
      if (cached !== undefined) return cached;
      const loading = load(accountId);
      cache.set(accountId, loading);
      loading.catch(() => cache.get(accountId) === loading && cache.delete(accountId));
      return loading;
    },
    list: async (accountId) => [...(await read(registry, accountId)).values()],
    get: (accountId, id) => existing(registry, accountId, id),
    create: async (accountId, input) => {
      const [product] = await insert(accountId, [readDraft(input)], false);
      if (product === undefined) throw new TypeError('one draft makes one product');
      return product;
    },
    createMany: async (accountId, inputs) =>
      insert(
        accountId,
        inputs.map((input, index) => withLine(index + 1, () => readDraft(input))),
        true,
      ),
    patch: (accountId, id, input) =>
      writing(accountId, async (queries) => {
        const name = BodyFields.of(input, ['name']).optionalName('name');
        const product = await existing(queries, accountId, id);
        if (name === undefined) return product;
        await queries.all('UPDATE products SET name = $3 WHERE account_id = $1 AND id_lower = $2', [
          accountId,
          asciiLower(id),
          name,
        ]);
        return { ...product, name };
      }),
    remove: (accountId, id) =>
      writing(accountId, async (queries) => {
        const product = await existing(queries, accountId, id);
        const addons = await queries.all('SELECT id FROM products WHERE account_id = $1 AND parent_id = $2', [
          accountId,
          product.id,
        ]);
        if (addons.length > 0) {
          throw new Failure('conflict', [
            `The app '${product.id}' has ${addons.length} add-ons, the first '${addons[0]?.id}'; remove them before it.`,
          ]);
        }
        await queries.all('DELETE FROM products WHERE account_id = $1 AND id_lower = $2', [
          accountId,
          asciiLower(id),
        ]);
      }),
  };
}
