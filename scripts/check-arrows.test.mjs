import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProblems } from './check-arrows.mjs';

const folder = mkdtempSync(join(tmpdir(), 'storelens-arrows-'));
after(() => rmSync(folder, { recursive: true }));

/** Problems of a tree with these files. */
function problemsOf(files) {
  const root = mkdtempSync(join(folder, 'tree-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findProblems(root);
}

test('this repository points down', () => {
  assert.deepEqual(findProblems(fileURLToPath(new URL('..', import.meta.url))), []);
});

test('imports that point down, within a part and to packages pass', () => {
  assert.deepEqual(
    problemsOf({
      'server/src/main.ts': "import { createApp } from './app.js';\n",
      'server/src/app.ts':
        "import { openChdb } from './engine/chdb.js';\nimport { runDemo } from './demo/index.js';\n",
      'server/src/query/plan.ts':
        "import type { Product } from '../products/index.js';\nimport { reports } from '@storelens/contract';\n",
      'server/src/query/sql.ts':
        "import {\n  type Plan,\n  plan,\n} from './plan.js';\nimport './other.js';\n",
      'server/src/query/plan.test.ts': "import { createApp } from '../app.js';\n",
      'cli/src/serve.ts': "const { runServer } = await import('@storelens/server');\n",
      'contract/src/index.ts': "export * from './report.js';\n",
    }),
    [],
  );
});

test('imports that point up, sideways, past an index or out of a package are named', () => {
  assert.deepEqual(
    problemsOf({
      'server/src/engine/chdb.ts': "import { query } from '../query/index.js';\n",
      'server/src/query/run.ts': "import { accept } from '../ingest/index.js';\n",
      'server/src/query/names.ts': "import { createProducts } from '../products/index.js';\n",
      'server/src/http/token.ts': "export { grant } from '../identity/grants.js';\n",
      'server/src/system.ts': "import { reports } from '../../contract/src/index.js';\n",
      'server/src/novel/index.ts': "import { Engine } from '../engine/index.js';\n",
      'contract/src/index.ts': "import { run } from '@storelens/server';\n",
      'cli/src/serve.ts': "import { runServer } from '@storelens/server';\n",
    }).sort(),
    [
      'cli/src/serve.ts: imports @storelens/server at once; load it with await import() where it is needed',
      'contract/src/index.ts: the package contract may not import @storelens/server',
      'server/src/engine/chdb.ts: engine may not import query',
      'server/src/http/token.ts: enters identity by identity/grants.js; use identity/index.js',
      "server/src/novel/index.ts: 'novel' has no place in the table of scripts/check-arrows.mjs",
      'server/src/query/names.ts: query may not import more than types of products',
      'server/src/query/run.ts: query may not import ingest',
      'server/src/system.ts: imports ../../contract/src/index.js, outside its package',
    ],
  );
});

test('vague folders and reads of the environment are named', () => {
  assert.deepEqual(
    problemsOf({
      'server/src/query/helpers/dates.ts': 'export const day = 1;\n',
      'server/src/log.ts': 'export const level = process.env.LEVEL;\n',
      'server/src/tls/a.ts': "import { env } from 'node:process';\n",
      'cli/src/main.ts': 'export const all = process.env;\n',
    }).sort(),
    [
      'server/src/log.ts: reads the environment; add a setting to server/src/config.ts',
      'server/src/query/helpers: a folder is named after what it is about',
      'server/src/tls/a.ts: reads the environment; add a setting to server/src/config.ts',
    ],
  );
});
