import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ErrorCode } from '@storelens/contract';
import { Failure } from '../failure.js';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import { systemRandom } from '../system.js';
import { openOperator } from './operator.js';
import { openSecretHasher } from './secrets.js';

/** A data folder; `start` opens the operator key as a starting server does. */
async function openFolder(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-operator-'));
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  context.after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrateRegistry(registry);
  const clock = { time: 0, now: () => clock.time };
  const start = async () => {
    const hasher = await openSecretHasher(registry, systemRandom);
    return openOperator(registry, folder, hasher, clock, systemRandom);
  };
  return { folder, clock, start, file: join(folder, 'operator.key') };
}

const refusal = (code: ErrorCode) => (error: unknown) => error instanceof Failure && error.code === code;
const keyIn = (file: string) => readFileSync(file, 'utf8').trim();

test('made at first start, for its owner only, and kept by later starts', async (context) => {
  const { start, file } = await openFolder(context);
  const operator = await start();
  assert.equal(operator.keyFile, file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const key = keyIn(file);
  assert.match(key, /^[A-Za-z0-9]{43}$/);
  await operator.verify(`Bearer ${key}`, 'a');
  await (await start()).verify(`bearer ${key}`, 'a');
  assert.equal(keyIn(file), key);
  // The file is for the operator; the server needs only its hash.
  rmSync(file);
  await (await start()).verify(`Bearer ${key}`, 'a');
});

test('wrong keys are refused, and an address with ten of them waits', async (context) => {
  const { start, file, clock } = await openFolder(context);
  const operator = await start();
  const right = `Bearer ${keyIn(file)}`;
  const wrong = [undefined, '', 'Bearer x', `Basic ${keyIn(file)}`, `${right}x`, keyIn(file)];
  for (const authorization of [...wrong, ...wrong.slice(0, 4)]) {
    await assert.rejects(operator.verify(authorization, 'a'), refusal('operator-key-invalid'));
  }
  await assert.rejects(operator.verify(right, 'a'), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'too-many-requests');
    assert.equal(error.retryAfter, 60);
    return true;
  });
  await operator.verify(right, 'b');
  clock.time += 60_000;
  await operator.verify(right, 'a');
});

test('rotation ends the old key at once and writes the new one', async (context) => {
  const { start, file } = await openFolder(context);
  const operator = await start();
  const old = keyIn(file);
  const fresh = await operator.rotate();
  assert.notEqual(fresh, old);
  assert.equal(keyIn(file), fresh);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await operator.verify(`Bearer ${fresh}`, 'a');
  await assert.rejects(operator.verify(`Bearer ${old}`, 'a'), refusal('operator-key-invalid'));
  await assert.rejects((await start()).verify(`Bearer ${old}`, 'a'), refusal('operator-key-invalid'));
});

test('of rotations at the same time the last one counts', async (context) => {
  const { start, file } = await openFolder(context);
  const operator = await start();
  const keys = await Promise.all([operator.rotate(), operator.rotate(), operator.rotate()]);
  assert.equal(keyIn(file), keys[2]);
  await operator.verify(`Bearer ${keys[2]}`, 'a');
  await (await start()).verify(`Bearer ${keys[2]}`, 'a');
  await assert.rejects(operator.verify(`Bearer ${keys[0]}`, 'a'), refusal('operator-key-invalid'));
});

test('a rotation cut short is completed or forgotten at the next start', async (context) => {
  const { start, file } = await openFolder(context);
  const operator = await start();
  // Cut short before the registry knew: the old key stays.
  const old = keyIn(file);
  writeFileSync(`${file}.next`, 'never-registered\n');
  await (await start()).verify(`Bearer ${old}`, 'a');
  assert.equal(keyIn(file), old);
  // Cut short after: the new key is in the registry, the file still has the old name.
  const fresh = await operator.rotate();
  writeFileSync(file, `${old}\n`);
  writeFileSync(`${file}.next`, `${fresh}\n`);
  await (await start()).verify(`Bearer ${fresh}`, 'a');
  assert.equal(keyIn(file), fresh);
});

test('an emptied file asks for a new key', async (context) => {
  const { start, file } = await openFolder(context);
  await start();
  const old = keyIn(file);
  writeFileSync(file, '');
  const operator = await start();
  await operator.verify(`Bearer ${keyIn(file)}`, 'a');
  await assert.rejects(operator.verify(`Bearer ${old}`, 'a'), refusal('operator-key-invalid'));
});
