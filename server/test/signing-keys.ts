/**
 * Signing keys for servers of tests. Making two takes a third of the start of a server, so that a few are kept beside
 * the compiled tests; a process uses each once, and makes more if it needs them.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { newSigningKey } from '../src/identity/signing-keys.js';

const file = new URL('./signing-keys.json', import.meta.url);
const count = 8;

async function read(): Promise<KeyObject[]> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as string[]).map((pem) => createPrivateKey(pem));
  } catch {
    const made = await Promise.all(Array.from({ length: count }, newSigningKey));
    const own = new URL(`${file.href}.${process.pid}`);
    await writeFile(own, JSON.stringify(made.map((key) => key.export({ type: 'pkcs8', format: 'pem' }))), {
      mode: 0o600,
    });
    await rename(own, file);
    return made;
  }
}

let kept: Promise<KeyObject[]> | undefined;

/** A key that no other server of this process has. */
export async function testSigningKey(): Promise<KeyObject> {
  kept ??= read();
  return (await kept).pop() ?? (await newSigningKey());
}
