import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkEmbeddedModel, checkModelFolder } from './doctor-models.js';

const embedded = fileURLToPath(new URL('../../../models/tiny-a2sf/', import.meta.url));
const fixtures = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-doctor-'));
after(() => rmSync(folder, { recursive: true }));

let copies = 0;
/** A copy of an embedded model that a test then damages. */
function copy(kind: 'llm' | 'encoder'): string {
  const path = join(folder, String(copies++));
  cpSync(join(embedded, kind), path, { recursive: true });
  return path;
}

const verdicts = (kind: 'llm' | 'encoder', path: string) =>
  checkModelFolder(kind, path, undefined).findings.map(({ check, verdict }) => [check, verdict]);

test('the embedded models load and are those that this version comes with', async () => {
  for (const kind of ['llm', 'encoder'] as const) {
    const { verdict, message } = await checkEmbeddedModel(kind);
    assert.equal(verdict, 'ok', message);
  }
});

test('a whole folder passes with the bytes of its weights', () => {
  for (const kind of ['llm', 'encoder'] as const) {
    const check = kind === 'llm' ? 'model' : 'encoder';
    const path = copy(kind);
    assert.deepEqual(verdicts(kind, path), [
      [check, 'ok'],
      [`${check} tokenizer`, 'ok'],
    ]);
    const { weightBytes } = checkModelFolder(kind, path, undefined);
    assert.equal(weightBytes, readFileSync(join(path, 'model.safetensors')).length);
  }
});

test('every family of the fixtures is known', () => {
  for (const name of ['lm-llama', 'lm-llama-sharded', 'lm-llama2-bf16', 'lm-qwen2', 'lm-opt-bin']) {
    assert.deepEqual(verdicts('llm', join(fixtures, name))[0], ['model', 'ok'], name);
  }
  for (const name of ['bert', 'jina-bert', 'm2-bert']) {
    assert.deepEqual(verdicts('encoder', join(fixtures, name))[0], ['encoder', 'ok'], name);
  }
});

test('a folder without a tokenizer is a warning, a damaged one a problem', () => {
  const path = copy('llm');
  writeFileSync(join(path, 'tokenizer.json'), '{}');
  assert.deepEqual(verdicts('llm', path)[1], ['model tokenizer', 'problem']);
  unlinkSync(join(path, 'tokenizer.json'));
  assert.deepEqual(verdicts('llm', path)[1], ['model tokenizer', 'warning']);
});

test('a cut weight file, a damaged configuration and an unknown architecture are problems that name the folder', () => {
  for (const kind of ['llm', 'encoder'] as const) {
    const damage: ((path: string) => void)[] = [
      (path) => truncateSync(join(path, 'model.safetensors'), 100_000),
      (path) => unlinkSync(join(path, 'model.safetensors')),
      (path) => writeFileSync(join(path, 'config.json'), '{'),
      (path) => writeFileSync(join(path, 'config.json'), '{"architectures": ["Nobody"], "model_type": "nobody"}'),
    ];
    for (const harm of damage) {
      const path = copy(kind);
      harm(path);
      const { findings, weightBytes } = checkModelFolder(kind, path, undefined);
      assert.deepEqual([findings.length, findings[0]?.verdict, weightBytes], [1, 'problem', 0]);
      assert.ok(findings[0]?.message.startsWith(`${path}: `));
      assert.match(findings[0]?.fix ?? '', /download the model again/);
    }
  }
});

test('a model that is nowhere is a problem under the flag that named it; one of the hub may still be loaded', () => {
  const [nowhere] = checkModelFolder('encoder', join(folder, 'absent'), undefined).findings;
  assert.equal(nowhere?.verdict, 'problem');
  assert.match(nowhere.message, /^--context_encoder_model: there is no folder/);
  const [hub] = checkModelFolder('llm', 'nobody/absent', undefined).findings;
  assert.equal(hub?.verdict, 'warning');
  assert.match(hub.message, /^--model_name: nobody\/absent is not in the Hugging Face cache/);
});
