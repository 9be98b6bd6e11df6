import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './workspace.js';

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
    .sort();

test('the committed types and descriptors are those of the protos', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-contracts-'));
  try {
    const out = ['gen', 'contracts.binpb', 'grpc-runtime.binpb'].map((name) => join(folder, name));
    execFileSync(process.execPath, ['tools/generate-contracts.mjs', ...out], { cwd: root });
    const committed = join(root, 'libs/contracts/src/gen');
    assert.deepEqual(files(join(folder, 'gen')), files(committed));
    for (const name of files(committed)) {
      assert.equal(readFileSync(join(folder, 'gen', name), 'utf8'), readFileSync(join(committed, name), 'utf8'), name);
    }
    for (const lib of ['contracts', 'grpc-runtime']) {
      const descriptors = readFileSync(join(root, 'libs', lib, 'descriptors.binpb'));
      assert.ok(readFileSync(join(folder, `${lib}.binpb`)).equals(descriptors), lib);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the protos pass buf lint, every field commented', () => {
  execFileSync(join(root, 'node_modules/.bin/buf'), ['lint', 'protos'], { cwd: root });
});

test('whoever speaks the contract of an earlier release is understood: nothing was removed, renumbered or retyped', () => {
  for (const image of readdirSync(join(root, 'test/fixtures/contracts')).filter((name) => name.endsWith('.binpb'))) {
    const against = ['breaking', 'protos', '--against', join(root, 'test/fixtures/contracts', image)];
    execFileSync(join(root, 'node_modules/.bin/buf'), against, { cwd: root, stdio: 'pipe' });
  }
});
