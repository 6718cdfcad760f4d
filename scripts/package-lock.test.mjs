import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));

// npm leaves out what the registry at hand does not have, and `npm ci` then fails everywhere else.
test('the lock file has the optional packages of every platform', () => {
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const entry = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
      assert.ok(entry, `${path} needs ${name}@${version}`);
      assert.ok(entry.optional, name);
    }
  }
});

// light-my-request is held at 6.6.0 for this: later ones bring a cookie that asks for Node 22. The override in
// package.json can go when they no longer do.
test('the lock file names no registry, and no package asks for a newer Node than we do', () => {
  for (const [path, { resolved = '', link, engines }] of Object.entries(packages)) {
    assert.ok(link || !/^[a-z+]+:/.test(resolved), `${path}: ${resolved}`);
    assert.doesNotMatch(String(engines?.node ?? ''), /^\s*>=\s*2[1-9]/, path);
  }
});
