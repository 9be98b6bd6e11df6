import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { codeIn, documentAt, tableBelow } from './documents.js';
import { projects, root } from './workspace.js';

const document = documentAt('docs/dependencies.md');

describe('docs/dependencies.md', () => {
  test('lists exactly the run-time packages of the projects, with who uses them and why', () => {
    const users = new Map<string, string[]>();
    for (const { folder, dependencies } of projects()) {
      for (const name of dependencies.filter((dependency) => !dependency.startsWith('@a2sf/'))) {
        users.set(name, [...(users.get(name) ?? []), folder]);
      }
    }
    const rows = tableBelow('## At run time', document);
    assert.deepEqual(
      rows.map(([name, by]) => [codeIn(name!)[0], codeIn(by!)]),
      [...users].sort(([x], [y]) => (x < y ? -1 : 1)),
    );
    for (const [name, , reason] of rows) assert.ok(reason, name);
  });

  test('lists exactly the packages of the root, with why', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const rows = tableBelow('## To build and test', document);
    assert.deepEqual(
      rows.flatMap(([name]) => codeIn(name!)),
      Object.keys(devDependencies).sort(),
    );
    for (const [name, reason] of rows) assert.ok(reason, name);
  });
});
