/**
 * The types of rows against the wire: every answer in the contract's examples has to be assignable, to the letter, to the
 * type that the library gives the rows of such a request. Missing, surplus and null columns are errors of the compiler.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ReportEntry, reports } from '@storelens/contract';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Example {
  readonly name: string;
  readonly shape?: '2022';
  readonly query?: string;
  readonly target?: string;
  readonly status: number;
  readonly body?: Body;
  readonly bodyText?: string;
  readonly pages?: readonly Body[];
}

interface Body {
  readonly Value: readonly object[];
}

/** The rows of an example, and their type. */
function typed(
  entry: ReportEntry,
  example: Example,
): { readonly type: string; readonly rows: readonly object[] } {
  const query = example.query ?? example.target?.split('?')[1] ?? '';
  const given = new Map(
    [...new URLSearchParams(query)].map(([name, value]) => [name.replace('$', '').toLowerCase(), value]),
  );
  const fields = new Map(entry.fields.map(({ name }) => [name.toLowerCase(), name]));
  const groupby = (given.get('groupby') ?? '').split(',').filter((name) => name.trim() !== '');
  const names = groupby.map((name) => fields.get(name.trim().toLowerCase()));
  const level = given.get('aggregationlevel')?.toLowerCase() || entry.levels[0];
  const parts = [entry.name, names, level, example.shape ?? '2018'].map(
    (part) => JSON.stringify(part ?? '') ?? '',
  );
  const bodies = [example.body ?? (example.bodyText ? JSON.parse(example.bodyText) : undefined)];
  return {
    type: `Row<${parts.join(', ').replace(', "",', ', never,')}>`,
    rows: [...bodies, ...(example.pages ?? [])].flatMap((body?: Body) => body?.Value ?? []),
  };
}

/** Shows that the compiler looks: each of these lines has to be an error. */
const controls = [
  "{ MetricType: 'Usage' }",
  "{ MetricType: 'Usage', UserCount: '1' }",
  "{ MetricType: 'Usage', UserCount: 1, market: 'US' }",
].map((row) => `// @ts-expect-error\n([${row}]) satisfies Row<"funnel">[];`);

test('rows of all examples have the types that the library gives them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-examples-'));
  try {
    const examples = join(root, 'contract', 'examples');
    const lines = ["import type { Row } from '@storelens/client';", ...controls];
    let rows = 0;
    for (const path of await readdir(examples, { recursive: true })) {
      const entry = reports[path.replaceAll('\\', '/').replace(/\.json$/, '')];
      if (entry === undefined || entry.kind === 'file') continue;
      const file = JSON.parse(await readFile(join(examples, path), 'utf8')) as {
        examples: readonly Example[];
      };
      for (const example of file.examples.filter(({ status }) => status === 200)) {
        const one = typed(entry, example);
        rows += one.rows.length;
        // Twice: the answer's form, and what a program gets that does not say which form its server has.
        for (const type of [one.type, one.type.replace(/"20(18|22)">$/, '"2018" | "2022">')]) {
          lines.push(
            `// ${entry.name}: ${example.name}`,
            `([${one.rows.map((row) => JSON.stringify(row))}]) satisfies ${type}[];`,
          );
        }
      }
    }
    assert.ok(rows > 100, `${rows} rows`);
    await mkdir(join(folder, 'node_modules', '@storelens'), { recursive: true });
    await writeFile(join(folder, 'rows.mts'), lines.join('\n'));
    const config = {
      compilerOptions: {
        ...{ module: 'nodenext', strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [] },
        ...{
          lib: ['es2022', 'dom'],
          paths: { '@storelens/client': [join(root, 'client/dist/src/index.d.ts')] },
        },
      },
      files: ['rows.mts'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await execute(process.execPath, [tsc, '-p', folder]).catch(({ stdout }) => assert.fail(stdout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
