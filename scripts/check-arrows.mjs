/**
 * Checks that imports point down. Reads the import and export statements of the packages' sources and names every
 * one that points up, sideways between features, past a feature's index or out of a package; folders named after
 * nothing in particular; and reads of the environment outside the files that may. Tests may import what they like.
 *
 * node scripts/check-arrows.mjs [root]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

/** Parts that every part of the server may import: they know nothing of the others. */
const ground = ['system', 'failure', 'body', 'locks', 'lru-map', 'rate-limit', 'log'];

/**
 * Parts of the server (folders and files directly below server/src) and what each may import besides itself, the
 * ground and the contract. `types of x` allows types alone: a feature may speak of what another one makes, but
 * calls nothing of it. A new part is listed here and in ARCHITECTURE.md.
 */
const arrows = {
  system: [],
  failure: [],
  body: [],
  locks: [],
  'lru-map': [],
  'rate-limit': [],
  config: [],
  log: ['config'],
  registry: [],
  engine: [],
  ledger: ['registry'],
  files: ['registry'],
  sums: ['ledger', 'engine'],
  tls: [],
  identity: ['registry', 'config'],
  products: ['registry'],
  ingest: ['sums', 'ledger', 'engine', 'files', 'config', 'types of products'],
  crashes: ['engine', 'ledger', 'registry', 'files', 'config', 'types of ingest', 'types of products'],
  mirror: ['engine', 'registry', 'files', 'config', 'types of ingest', 'types of products'],
  query: ['sums', 'ledger', 'engine', 'types of products'],
  http: [
    'query',
    'ingest',
    'crashes',
    'mirror',
    'files',
    'identity',
    'products',
    'ledger',
    'engine',
    'registry',
    'config',
  ],
  demo: ['types of identity', 'types of products', 'types of ingest', 'types of crashes'],
  app: [
    'sweep',
    'belonging',
    'http',
    'demo',
    'query',
    'ingest',
    'crashes',
    'mirror',
    'files',
    'identity',
    'products',
    'ledger',
    'engine',
    'registry',
    'config',
  ],
  sweep: ['types of crashes', 'types of identity', 'types of ingest', 'types of mirror'],
  belonging: ['engine', 'types of registry', 'config'],
  main: ['app', 'demo', 'config'],
};

/** Parts that put the others together and may reach past their index. */
const assemblers = new Set(['app', 'main']);

/** Packages and which of ours each may import; `later` allows `await import(...)` and types, `types` these alone. */
const packages = {
  contract: {},
  client: { '@storelens/contract': 'types' },
  server: { '@storelens/contract': 'always' },
  cli: { '@storelens/contract': 'always', '@storelens/client': 'always', '@storelens/server': 'later' },
};

const environmentReaders = new Set(['cli/src/main.ts']);
const vague = new Set(['utils', 'util', 'common', 'helpers', 'types', 'shared', 'misc']);

const statement = /^[ \t]*(?:import|export)\b(?:([^'"`;]*?)\bfrom)?\s*(['"])([^'"]+)\2/gm;
const dynamic = /\bimport\(\s*(['"])([^'"]+)\1\s*\)/g;

/** What a source imports: the specifier, whether types alone, whether when the program runs. */
function importsOf(text) {
  const list = [];
  for (const [, clause = '', , specifier] of text.matchAll(statement)) {
    const names = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    const types =
      /^\s*type\b/.test(clause) || (/^\s*\{/.test(clause) && names?.every((name) => /^\s*type\s/.test(name)));
    list.push({ specifier, types, later: false });
  }
  for (const [, , specifier] of text.matchAll(dynamic)) list.push({ specifier, types: false, later: true });
  return list;
}

/** The part of a path below server/src: its first folder, or the name of the file. */
const partOf = (path) => path.split('/')[0].replace(/\.[jt]s$/, '');

function checkPackages(file, name, { specifier, types, later }) {
  if (!specifier.startsWith('@storelens/')) return [];
  const target = specifier.split('/').slice(0, 2).join('/');
  const allowed = packages[name][target];
  if (allowed === 'always' || (allowed === 'later' && (types || later)) || (allowed === 'types' && types)) {
    return [];
  }
  return [
    allowed === 'later'
      ? `${file}: imports ${specifier} at once; load it with await import() where it is needed`
      : allowed === 'types'
        ? `${file}: the package ${name} may import types of ${specifier} alone`
        : `${file}: the package ${name} may not import ${specifier}`,
  ];
}

function checkArrow(file, from, target, types) {
  const to = partOf(target);
  if (from === to || ground.includes(to)) return [];
  const allowed = arrows[from];
  if (allowed === undefined)
    return [`${file}: '${from}' has no place in the table of scripts/check-arrows.mjs`];
  if (!allowed.includes(to) && !(types && allowed.includes(`types of ${to}`))) {
    return [
      `${file}: ${from} may not import ${allowed.includes(`types of ${to}`) ? 'more than types of ' : ''}${to}`,
    ];
  }
  if (target.includes('/') && !assemblers.has(from) && !/^[^/]+\/index\.js$/.test(target)) {
    return [`${file}: enters ${to} by ${target}; use ${to}/index.js`];
  }
  return [];
}

/** Everything that is wrong below a root folder, one sentence each. */
export function findProblems(root) {
  const problems = [];
  for (const name of Object.keys(packages)) {
    const base = join(root, name, 'src');
    if (!existsSync(base)) continue;
    const entries = readdirSync(base, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const inside = join(entry.parentPath, entry.name)
        .slice(base.length + 1)
        .split(sep)
        .join('/');
      const file = `${name}/src/${inside}`;
      if (entry.isDirectory()) {
        if (vague.has(entry.name)) problems.push(`${file}: a folder is named after what it is about`);
        continue;
      }
      if (!inside.endsWith('.ts') || inside.endsWith('.test.ts')) continue;
      const text = readFileSync(join(base, inside), 'utf8');
      if (/\bprocess\s*(?:\.|\[\s*['"])env\b/.test(text) || /\benv\b[^'";]*from 'node:process'/.test(text)) {
        if (!environmentReaders.has(file)) {
          problems.push(`${file}: reads the environment; add a setting to server/src/config.ts`);
        }
      }
      for (const found of importsOf(text)) {
        problems.push(...checkPackages(file, name, found));
        if (!found.specifier.startsWith('.')) continue;
        const target = join(dirname(inside), found.specifier).split(sep).join('/');
        if (target.startsWith('../'))
          problems.push(`${file}: imports ${found.specifier}, outside its package`);
        else if (name === 'server') problems.push(...checkArrow(file, partOf(inside), target, found.types));
      }
    }
  }
  return problems;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const problems = findProblems(resolve(argv[2] ?? fileURLToPath(new URL('..', import.meta.url))));
  for (const problem of problems) console.error(problem);
  exit(problems.length === 0 ? 0 : 1);
}
