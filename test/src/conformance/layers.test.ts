import assert from 'node:assert/strict';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projects, root, sources } from './workspace.js';

/** Which layers a layer may import: data and imports flow downstream only. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  contract: ['contract'],
  pure: ['pure'],
  model: ['pure', 'model'],
  platform: ['contract', 'pure', 'model', 'platform'],
  app: ['contract', 'pure', 'model', 'platform', 'app'],
  test: ['contract', 'pure', 'model', 'platform', 'app'],
};

const all = projects();
const byName = new Map(all.map((project) => [project.name, project]));
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

test('every project names a layer and has the same four targets', () => {
  for (const project of all) {
    assert.ok(project.layer in mayImport, `${project.folder}: tag layer:${project.layer}`);
    for (const target of ['build', 'typecheck', 'lint', 'test'])
      assert.ok(project.scripts[target], `${project.folder}: ${target}`);
  }
});

test('imports between projects go downstream only', () => {
  const upstream: string[] = [];
  for (const project of all) {
    for (const { path, isTest, imports } of sources(project)) {
      if (isTest) continue;
      for (const specifier of imports) {
        const target = byName.get(packageOf(specifier));
        if (target !== undefined && !mayImport[project.layer]!.includes(target.layer))
          upstream.push(`${path}: ${specifier}`);
      }
    }
  }
  assert.deepEqual(upstream, []);
});

test('pure libs touch no file, port or environment', () => {
  const touching = all
    .filter(({ layer }) => layer === 'pure')
    .flatMap((project) => sources(project))
    .filter(({ isTest }) => !isTest)
    .flatMap(({ path, imports }) => imports.filter(isBuiltin).map((specifier) => `${path}: ${specifier}`));
  assert.deepEqual(touching, []);
});

test('every package that a project imports stands in its package.json, and every workspace package in its tsconfig references', () => {
  const missing: string[] = [];
  for (const project of all) {
    for (const { path, isTest, imports } of sources(project)) {
      for (const specifier of imports) {
        const name = packageOf(specifier);
        if (specifier.startsWith('.') || isBuiltin(specifier) || name === project.name) continue;
        const target = byName.get(name);
        if (!isTest && !project.dependencies.includes(name)) missing.push(`${path}: ${name} in package.json`);
        if (target !== undefined && !project.references.includes(join(root, target.folder))) {
          missing.push(`${path}: ${name} in tsconfig.json`);
        }
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('projects form no cycle', () => {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, path: readonly string[]): void => {
    if (state.get(name) === 'done') return;
    assert.notEqual(state.get(name), 'open', `cycle: ${[...path, name].join(' -> ')}`);
    state.set(name, 'open');
    for (const dependency of byName.get(name)!.dependencies)
      if (byName.has(dependency)) visit(dependency, [...path, name]);
    state.set(name, 'done');
  };
  for (const { name } of all) visit(name, []);
});
