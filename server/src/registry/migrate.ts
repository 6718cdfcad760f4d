/**
 * Brings a registry to the schema of this program: applies the numbered files of `schema/` in order, each in one
 * transaction, and keeps the list of those applied in the table `registry_schema`. It never goes back.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Registry } from './index.js';

/** The files stand beside the source, from where the compiled module reads them too. */
const schemaFolder = fileURLToPath(new URL('../../../src/registry/schema/', import.meta.url));

/** One schema file: its number, its name and its statements. */
export interface SchemaStep {
  readonly step: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/** Splits a schema file into statements. `--` comments are dropped; text literals must hold neither `--` nor `;`. */
export function splitStatements(text: string): readonly string[] {
  return text
    .replace(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** Reads the steps that this program knows, in the order in which they are applied. */
export function readSteps(folder: string = schemaFolder): readonly SchemaStep[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name, index) => {
      const step = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1]);
      if (step !== index + 1)
        throw new TypeError(`schema file ${name} does not continue the numbers before it`);
      return { step, name, statements: splitStatements(readFileSync(`${folder}/${name}`, 'utf8')) };
    });
}

/**
 * Applies the missing steps. Refuses, without changing anything, a registry that has a step this program does not
 * know: a newer Storelens made it.
 */
export async function migrateRegistry(
  registry: Registry,
  steps: readonly SchemaStep[] = readSteps(),
): Promise<void> {
  await registry.all(
    'CREATE TABLE IF NOT EXISTS registry_schema (step INTEGER PRIMARY KEY, name TEXT NOT NULL)',
  );
  const applied = new Map(
    (await registry.all('SELECT step, name FROM registry_schema ORDER BY step')).map((row) => [
      row.step,
      String(row.name),
    ]),
  );
  const known = new Map(steps.map(({ step, name }) => [step, name]));
  for (const [step, name] of applied) {
    if (known.get(Number(step)) !== name) {
      throw new Error(
        `the registry was made by a newer Storelens: it has schema step ${name}, this version ends with ${steps.at(-1)?.name ?? 'none'}; start the newer version, or use another data folder`,
      );
    }
  }
  for (const { step, name, statements } of steps) {
    if (applied.has(step)) continue;
    await registry.transaction(async (queries) => {
      for (const statement of statements) await queries.all(statement);
      await queries.all('INSERT INTO registry_schema (step, name) VALUES ($1, $2)', [step, name]);
    });
  }
}
