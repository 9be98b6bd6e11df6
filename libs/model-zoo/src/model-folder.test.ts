import assert from 'node:assert/strict';
import fs, { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import { resolveModelFolder, type ModelKind } from './model-folder.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-models-'));
after(() => rmSync(root, { recursive: true }));
const cache = join(root, 'cache');
const commit = '0123456789abcdef0123456789abcdef01234567';

function cached(id: string, reference = commit): string {
  const model = join(cache, `models--${id.replace('/', '--')}`);
  const snapshot = join(model, 'snapshots', commit);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(model, 'refs'), { recursive: true });
  writeFileSync(join(model, 'refs', 'main'), reference);
  writeFileSync(join(snapshot, 'config.json'), '{}');
  return snapshot;
}

function refuses(name: string, code: string, pattern: RegExp, kind: ModelKind = 'llm'): void {
  assert.throws(
    () => resolveModelFolder(name, kind),
    (error) => isA2sfError(error) && error.code === code && pattern.test(error.message) && error.field === 'model_name',
    name.slice(0, 40),
  );
}

const noModels = [
  '',
  ' ',
  '../x',
  'a/../b',
  '/models/../etc',
  './..',
  'a\0b',
  '/a\0b',
  '//etc/x',
  'C:\\models',
  'https://example.org/x',
  'meta‑llama/Llama', // a non-breaking hyphen
  'ｌlama2', // a full-width l
  '-x',
  'a//b',
  'a/b/',
  '~/x',
  'x'.repeat(301),
  `/${'x'.repeat(5000)}`,
];

/** The paths that `node:fs` is asked about while `work` goes on. */
function lookedAt(work: () => void): string[] {
  const paths: string[] = [];
  const module = fs as unknown as Record<string, unknown>;
  const original = { ...module };
  for (const [name, value] of Object.entries(original)) {
    if (typeof value !== 'function' || !name.endsWith('Sync')) continue;
    module[name] = (...given: unknown[]): unknown => {
      paths.push(String(given[0]));
      return Reflect.apply(value, fs, given);
    };
  }
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    for (const [name, value] of Object.entries(original)) if (module[name] !== value) module[name] = value;
    syncBuiltinESMExports();
  }
  return paths;
}

describe('a model name', () => {
  beforeEach(() => {
    for (const name of ['HF_HOME', 'XDG_CACHE_HOME']) delete process.env[name];
    process.env['HF_HUB_CACHE'] = cache;
  });

  test('that is absent means the embedded model', () => {
    for (const kind of ['llm', 'encoder'] as const) {
      const { folder, name, preset } = resolveModelFolder(undefined, kind);
      assert.ok(existsSync(join(folder, 'config.json')) && existsSync(join(folder, 'model.safetensors')));
      assert.equal(name, `tiny-a2sf-${kind}`);
      assert.equal(preset, undefined);
    }
  });

  test('may be a folder, which is then called by its last part', () => {
    const folder = join(root, 'my model');
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.json'), '{}');
    assert.deepEqual(resolveModelFolder(folder, 'encoder'), { folder, name: 'my model' });
    assert.deepEqual(resolveModelFolder(`${folder}/`, 'llm'), { folder, name: 'my model' });
  });

  test('of a folder that is not there, or holds no config.json, is NOT_FOUND', () => {
    refuses(join(root, 'nowhere'), 'NOT_FOUND', /--model_name: there is no folder/);
    mkdirSync(join(root, 'hollow'));
    refuses(join(root, 'hollow'), 'NOT_FOUND', /--model_name: .*config\.json/);
    writeFileSync(join(root, 'file'), '');
    refuses(join(root, 'file'), 'NOT_FOUND', /there is no folder/);
  });

  test('may be a hub id that is in the Hugging Face cache', () => {
    const folder = cached('some-owner/some.model_1');
    assert.deepEqual(resolveModelFolder('some-owner/some.model_1', 'encoder'), {
      folder,
      name: 'some-owner/some.model_1',
    });
  });

  test('finds the cache through HF_HUB_CACHE, HF_HOME or XDG_CACHE_HOME', () => {
    for (const [name, home] of [
      ['HF_HOME', root],
      ['XDG_CACHE_HOME', join(root, 'xdg')],
    ] as const) {
      const hub = name === 'HF_HOME' ? join(home, 'hub') : join(home, 'huggingface', 'hub');
      const snapshot = join(hub, 'models--o--m', 'snapshots', commit);
      mkdirSync(snapshot, { recursive: true });
      mkdirSync(join(hub, 'models--o--m', 'refs'));
      writeFileSync(join(hub, 'models--o--m', 'refs', 'main'), commit);
      writeFileSync(join(snapshot, 'config.json'), '{}');
      delete process.env['HF_HUB_CACHE'];
      process.env[name] = home;
      assert.equal(resolveModelFolder('o/m', 'llm').folder, snapshot);
      delete process.env[name];
    }
  });

  test('may be a preset of a language model, which stands for a hub id', () => {
    const folder = cached('meta-llama/Llama-2-7b-chat-hf');
    assert.deepEqual(resolveModelFolder('llama2', 'llm'), { folder, name: 'llama2', preset: 'llama2' });
    refuses('llama2', 'NOT_FOUND', /hub id/, 'encoder');
  });

  test('of a model that was not downloaded is NOT_FOUND with the remedy', () => {
    refuses(
      'llama3',
      'NOT_FOUND',
      /Meta-Llama-3-8B-Instruct is not in the Hugging Face cache; download it first .* or give a folder/,
    );
    refuses('owner/unknown', 'NOT_FOUND', /owner\/unknown is not in the Hugging Face cache/);
  });

  test('of a cache whose reference leads elsewhere is NOT_FOUND', () => {
    cached('owner/evil', '../../../../etc');
    refuses('owner/evil', 'NOT_FOUND', /cache/);
  });

  test('that nobody knows is NOT_FOUND and names the presets', () => {
    refuses('llama9', 'NOT_FOUND', /"llama9" is neither a preset \(llama, llama2, llama3, opt, qwen2\)/);
    refuses('constructor', 'NOT_FOUND', /"constructor"/);
  });

  test('that can be no model is INVALID_ARGUMENT', () => {
    for (const name of noModels) refuses(name, 'INVALID_ARGUMENT', /^--model_name: /);
  });

  test('that can be no model is refused before any file is looked at', () => {
    const looked = lookedAt(() => {
      for (const name of noModels) refuses(name, 'INVALID_ARGUMENT', /^--model_name: /);
    });
    assert.deepEqual(looked, []);
    const nowhere = join(root, 'not there');
    const seen = lookedAt(() => refuses(nowhere, 'NOT_FOUND', /there is no folder/));
    assert.deepEqual(seen, [nowhere], 'what may be one is looked for');
  });
});
