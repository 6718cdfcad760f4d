/** The document is valid OpenAPI 3.1, covers every report and dataset, and its schemas fit the wire examples. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { datasets, errorBody, errors, reports } from '@storelens/contract';
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import Fastify from 'fastify';
import { parseSettings } from '../config.js';
import { openApiDocument, registerOpenApiRoutes } from './openapi.js';

const document = openApiDocument('https://store.example.test', '2018');
const documents = { '2018': document, '2022': openApiDocument('https://store.example.test', '2022') };

/** The value at a JSON pointer of the document, references followed. */
function at(...keys: readonly string[]): unknown {
  return inside(document, keys);
}

function inside(whole: unknown, keys: readonly string[]): unknown {
  let value = whole;
  for (const key of keys) {
    assert.ok(typeof value === 'object' && value !== null, `${keys.join(' ')} exists`);
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function compile(...keys: readonly string[]): ValidateFunction {
  return compileOf(document, keys);
}

function compileOf(whole: unknown, keys: readonly string[]): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  return ajv.compile(inside(whole, keys) as AnySchemaObject);
}

function conforms(validate: ValidateFunction, value: unknown, where: string): void {
  assert.ok(validate(value), `${where}: ${JSON.stringify(validate.errors, null, 2)}`);
}

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(JSON.parse(JSON.stringify(document)));
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(result.valid);
  assert.equal(validator.version, '3.1');
  assert.doesNotThrow(() => validator.resolveRefs(), 'every reference leads somewhere');
});

test('operation ids are unique', () => {
  const ids = Object.values(at('paths') as Record<string, Record<string, { operationId: string }>>).flatMap(
    (item) => Object.values(item).map(({ operationId }) => operationId),
  );
  assert.equal(new Set(ids).size, ids.length);
});

for (const name of Object.keys(reports)) {
  test(`${name}: schemas accept the examples and nothing else`, () => {
    const file = fileURLToPath(new URL(`../../../../contract/examples/${name}.json`, import.meta.url));
    const { batches, examples } = JSON.parse(readFileSync(file, 'utf8'));
    const operation = ['paths', `/v1.0/my/analytics/${name}`, 'get'];
    for (const { status } of examples) assert.ok(at(...operation, 'responses', String(status)));
    if (reports[name]?.kind === 'file') {
      assert.ok(at(...operation, 'responses', '302', 'headers', 'Location'));
    } else {
      const schema = [...operation, 'responses', '200', 'content', 'application/json', 'schema'];
      const page = compile(...schema);
      const pages = { '2018': page, '2022': compileOf(documents['2022'], schema) };
      for (const example of examples) {
        const bodies = example.pages ?? [example.body, example.bodyText && JSON.parse(example.bodyText)];
        for (const body of bodies.filter(Boolean))
          conforms(pages[(example.shape ?? '2018') as '2018' | '2022'], body, example.name);
      }
      assert.equal(page({ Value: [{}], '@nextLink': null, TotalCount: 1 }), false, 'a row without keys');
      assert.equal(page({ Value: [], TotalCount: '0' }), false, 'a count as text');
    }

    for (const { dataset, rows } of batches) {
      const schema = ['requestBody', 'content', 'application/json', 'schema'];
      const validate = compile('paths', `/ingest/v1/${dataset}`, 'post', ...schema);
      conforms(validate, rows, dataset);
      assert.equal(validate([{ ...rows[0], color: 'red' }]), false, 'an unknown key');
    }
  });
}

test('every dataset and every error has its place', () => {
  for (const name of Object.keys(datasets)) assert.ok(at('paths', `/ingest/v1/${name}`, 'post'));
  const envelope = compile('components', 'schemas', 'Error');
  for (const [name, entry] of Object.entries(errors)) {
    assert.ok(at('components', 'responses', String(entry.status)), name);
    conforms(envelope, errorBody(entry, ['a fact']), name);
  }
});

test('the route serves the document to anybody', async () => {
  const server = Fastify();
  const settings = parseSettings([], {});
  registerOpenApiRoutes(server, { publicUrl: () => 'https://store.example.test', settings });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  try {
    const response = await fetch(`${address}/openapi.json`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(await response.json(), JSON.parse(JSON.stringify(document)));
  } finally {
    await server.close();
  }
});
